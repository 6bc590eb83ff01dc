//! Cuts the bytes of a response body into frames.

use crate::http::{Body, Frame};
use crate::suite::Frames;

/// A frame became longer than the step allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// State between two pieces of a body.
pub(super) struct Cutter {
    how: Frames,
    max: usize,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    event: Event,
}

/// A server-sent event that is not complete yet.
#[derive(Default)]
struct Event {
    began: bool,
    kind: Option<String>,
    data: Vec<u8>,
    has_data: bool,
    last_id: Option<String>,
}

impl Cutter {
    /// Frames may be `max` bytes long.
    pub(super) fn new(how: Frames, max: u64) -> Self {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Self { how, max, line: Vec::new(), event: Event::default() }
    }

    /// Takes a piece in; what it completes is added to `out`.
    pub(super) fn push(&mut self, mut piece: &[u8], out: &mut Vec<Frame>) -> Result<(), TooLong> {
        if self.how == Frames::Bytes {
            if piece.len() > self.max {
                return Err(TooLong);
            }
            if !piece.is_empty() {
                out.push(Frame { binary: true, ..frame(piece.to_vec()) });
            }
            return Ok(());
        }
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (head, rest) = piece.split_at(end);
            self.extend(head)?;
            let line = std::mem::take(&mut self.line);
            self.whole_line(line, out)?;
            piece = rest.get(1..).unwrap_or_default();
        }
        self.extend(piece)
    }

    /// The body is over. A last line without an end is a line; an event that is not complete is none (HTML, Server-sent
    /// events, 9.2.6).
    pub(super) fn finish(mut self, out: &mut Vec<Frame>) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() && matches!(self.how, Frames::JsonLines | Frames::Lines) {
            // It was measured when it came.
            let _ = self.whole_line(line, out);
        }
    }

    fn extend(&mut self, piece: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + piece.len() > self.max {
            return Err(TooLong);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn whole_line(&mut self, mut line: Vec<u8>, out: &mut Vec<Frame>) -> Result<(), TooLong> {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        match self.how {
            Frames::JsonLines if line.iter().all(u8::is_ascii_whitespace) => {}
            Frames::JsonLines | Frames::Lines => out.push(frame(line)),
            Frames::Sse => return self.field(&line, out),
            Frames::Bytes | Frames::Websocket => {}
        }
        Ok(())
    }

    /// One line of an event stream (HTML, Server-sent events, 9.2.6). A lone carriage return does not end a line here.
    fn field(&mut self, mut line: &[u8], out: &mut Vec<Frame>) -> Result<(), TooLong> {
        if !self.event.began {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            self.event.began = true;
        }
        if line.is_empty() {
            let Event { kind, data, has_data, last_id, .. } = std::mem::take(&mut self.event);
            if has_data {
                let event = Some(kind.unwrap_or_else(|| "message".to_owned()));
                out.push(Frame { event, id: last_id.clone(), ..frame(data) });
            }
            self.event = Event { began: true, last_id, ..Event::default() };
            return Ok(());
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, rest) = line.split_at(colon);
        let value = rest.get(1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"event" => self.event.kind = Some(text()),
            b"id" if !value.contains(&0) => self.event.last_id = Some(text()),
            b"data" => {
                if self.event.data.len() + value.len() + 1 > self.max {
                    return Err(TooLong);
                }
                if self.event.has_data {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
                self.event.has_data = true;
            }
            _ => {}
        }
        Ok(())
    }
}

fn frame(bytes: Vec<u8>) -> Frame {
    Frame { body: Body::new(bytes), ..Frame::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of a body that comes in pieces of this size.
    fn cut(how: Frames, body: &[u8], size: usize) -> Vec<Frame> {
        let (mut cutter, mut out) = (Cutter::new(how, 64), Vec::new());
        for piece in body.chunks(size) {
            cutter.push(piece, &mut out).unwrap();
        }
        cutter.finish(&mut out);
        out
    }

    fn texts(how: Frames, body: &[u8], size: usize) -> Vec<String> {
        cut(how, body, size).iter().map(|frame| frame.body.text().into_owned()).collect()
    }

    #[test]
    fn lines_do_not_depend_on_the_pieces_they_come_in() {
        for size in 1..20 {
            assert_eq!(
                texts(Frames::JsonLines, b"{\"a\":1}\n\r\n {}\r\n[2]", size),
                ["{\"a\":1}", " {}", "[2]"],
                "{size}"
            );
            assert_eq!(texts(Frames::Lines, b"one\n\ntwo\r\nthree", size), ["one", "", "two", "three"], "{size}");
        }
        assert_eq!(texts(Frames::Bytes, b"abcde", 2), ["ab", "cd", "e"]);
    }

    #[test]
    fn events_have_type_data_and_id() {
        let body =
            b"\xef\xbb\xbf: comment\nevent: put\nid: 7\ndata: a\ndata:b\n\nretry: 9\n\ndata: c\r\n\r\ndata: lost\n";
        for size in 1..body.len() {
            let frames = cut(Frames::Sse, body, size);
            let seen: Vec<_> = frames.iter().map(|f| (f.event.as_deref(), f.id.as_deref(), f.body.text())).collect();
            let expected = [(Some("put"), Some("7"), "a\nb".into()), (Some("message"), Some("7"), "c".into())];
            assert_eq!(seen, expected, "{size}");
        }
    }

    #[test]
    fn no_frame_is_longer_than_allowed() {
        for how in [Frames::JsonLines, Frames::Lines, Frames::Sse] {
            let (mut cutter, mut out) = (Cutter::new(how, 8), Vec::new());
            assert_eq!(cutter.push(b"1234", &mut out), Ok(()));
            assert_eq!(cutter.push(b"56789", &mut out), Err(TooLong));
        }
        let (mut cutter, mut out) = (Cutter::new(Frames::Sse, 12), Vec::new());
        assert_eq!(cutter.push(b"data: 1234\n", &mut out), Ok(()));
        assert_eq!(cutter.push(b"data: 5678\ndata: 9012\n", &mut out), Err(TooLong));
        assert_eq!(Cutter::new(Frames::Bytes, 2).push(b"123", &mut out), Err(TooLong));
    }
}
