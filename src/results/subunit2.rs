//! subunit v2: packets with a checksum, between which tools may print.
//!
//! A packet begins with a byte that begins no UTF-8 character, so text between packets needs no marks. The stream is
//! read up to the first packet that is cut or damaged.

use std::collections::HashMap;
use std::io::BufRead;

use jiff::Timestamp;

use crate::capability::Outcome;

use super::source::{Source, Tail, Trouble};
use super::{Entry, MOST_TESTS, reason};

/// First byte of a packet.
pub const SIGNATURE: u8 = 0xb3;
/// What stands before the body: signature, flags, and up to three bytes of length.
const SHORTEST: u64 = 8;

const TEST_ID: u16 = 0x0800;
const ROUTE: u16 = 0x0400;
const TIMESTAMP: u16 = 0x0200;
const TAGS: u16 = 0x0080;
const FILE: u16 = 0x0040;
const MIME: u16 = 0x0020;
const RESERVED: u16 = 0x0008;

/// Whether a text has a packet in it: signature and version where no character is cut.
pub fn begins_within(prefix: &[u8]) -> bool {
    let mut text = Utf8::default();
    let mut before = None;
    for byte in prefix {
        if before == Some(SIGNATURE) && byte >> 4 == 2 {
            return true;
        }
        before = (!text.continues(*byte)).then_some(*byte);
    }
    false
}

/// Knows whether a byte belongs to the character before it.
#[derive(Default)]
struct Utf8 {
    open: u8,
}

impl Utf8 {
    fn continues(&mut self, byte: u8) -> bool {
        if self.open > 0 && byte >> 6 == 0b10 {
            self.open -= 1;
            return true;
        }
        self.open = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        false
    }
}

/// Reads a stream.
pub fn read<R: BufRead>(
    source: &mut Source<R>,
    sink: &mut dyn FnMut(Entry),
    notes: &mut Vec<String>,
) -> Result<(), Trouble> {
    let mut tests = Tests { active: HashMap::new(), sink, notes };
    let ended = packets(source, &mut tests);
    tests.finish();
    ended
}

fn packets<R: BufRead>(source: &mut Source<R>, tests: &mut Tests<'_>) -> Result<(), Trouble> {
    let mut text = Utf8::default();
    let mut packet = Vec::new();
    loop {
        let at = source.at();
        let Some(byte) = source.byte()? else { return Ok(()) };
        if text.continues(byte) || byte != SIGNATURE {
            continue;
        }
        whole_packet(source, at, &mut packet)?;
        let parsed = Packet::parse(&packet).map_err(|why| Trouble::at(at, format!("in this packet {why}")))?;
        tests.packet(&parsed, at)?;
    }
}

/// Reads the rest of a packet whose signature was read, and checks its checksum.
fn whole_packet<R: BufRead>(source: &mut Source<R>, at: u64, packet: &mut Vec<u8>) -> Result<(), Trouble> {
    packet.clear();
    packet.push(SIGNATURE);
    let cut = |packet: &Vec<u8>| {
        let message = format!("the stream ends within a packet, after {} of its bytes", packet.len());
        Trouble::at(at, message)
    };
    for _ in 0..3 {
        packet.push(source.byte()?.ok_or_else(|| cut(packet))?);
    }
    let [_, flags, _, first] = packet[..] else { return Err(cut(packet)) };
    if flags >> 4 != 2 {
        return Err(Trouble::at(at, format!("this is no packet of version 2, but of {}", flags >> 4)));
    }
    let octets = usize::from(first >> 6);
    if octets == 3 {
        return Err(Trouble::at(at, "the length of this packet has four bytes, three are allowed"));
    }
    for _ in 0..octets {
        packet.push(source.byte()?.ok_or_else(|| cut(packet))?);
    }
    let length = packet.get(4..).unwrap_or_default().iter();
    let length = length.fold(u64::from(first & 0x3f), |length, byte| length << 8 | u64::from(*byte));
    if length < SHORTEST.max(packet.len() as u64 + 4) {
        return Err(Trouble::at(at, format!("this packet says to be {length} bytes long, which is too short")));
    }
    let missing = length - packet.len() as u64;
    if !source.take(missing, |bytes| packet.extend_from_slice(bytes))? {
        let message = format!("the stream ends within a packet, after {} of {length} bytes", packet.len());
        return Err(Trouble::at(at, message));
    }
    let (body, sum) = packet.split_at(packet.len().saturating_sub(4));
    if crc32(body).to_be_bytes() != sum {
        return Err(Trouble::at(at, "the checksum of this packet is wrong"));
    }
    Ok(())
}

/// What a packet says.
#[derive(Debug, Default)]
struct Packet<'p> {
    status: u8,
    time: Option<Timestamp>,
    test: Option<&'p str>,
    route: &'p str,
    file: Option<(&'p str, &'p [u8])>,
}

impl<'p> Packet<'p> {
    /// Parses a packet whose length and checksum are right.
    fn parse(packet: &'p [u8]) -> Result<Packet<'p>, String> {
        let flags = match packet {
            [_, high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => return Err("the flags are missing".to_owned()),
        };
        if flags & RESERVED != 0 {
            return Err("a reserved flag is set".to_owned());
        }
        let body = packet.get(3..packet.len().saturating_sub(4)).unwrap_or_default();
        let mut fields = Fields(body);
        fields.number()?;
        let mut parsed = Packet { status: (flags & 7) as u8, ..Packet::default() };
        if flags & TIMESTAMP != 0 {
            let seconds = fields.bytes(4)?.iter().fold(0, |seconds, byte| seconds << 8 | i64::from(*byte));
            let nanoseconds = i32::try_from(fields.number()?).unwrap_or(i32::MAX);
            let time = Timestamp::new(seconds, nanoseconds);
            parsed.time = Some(time.map_err(|_| "the time is out of range".to_owned())?);
        }
        if flags & TEST_ID != 0 {
            parsed.test = Some(fields.text()?);
        }
        if flags & TAGS != 0 {
            for _ in 0..fields.number()? {
                fields.text()?;
            }
        }
        if flags & MIME != 0 {
            fields.text()?;
        }
        if flags & FILE != 0 {
            let name = fields.text()?;
            let length = fields.number()?;
            parsed.file = Some((name, fields.bytes(length)?));
        }
        if flags & ROUTE != 0 {
            parsed.route = fields.text()?;
        }
        if !fields.0.is_empty() {
            return Err(format!("{} bytes have no meaning", fields.0.len()));
        }
        Ok(parsed)
    }
}

/// What is left of a packet.
struct Fields<'p>(&'p [u8]);

impl<'p> Fields<'p> {
    fn bytes(&mut self, count: u32) -> Result<&'p [u8], String> {
        let (bytes, rest) = usize::try_from(count)
            .ok()
            .and_then(|count| self.0.split_at_checked(count))
            .ok_or_else(|| format!("a field of {count} bytes is longer than the {} that are left", self.0.len()))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, String> {
        let first = self.bytes(1)?.first().copied().unwrap_or_default();
        let more = self.bytes(u32::from(first >> 6))?;
        Ok(more.iter().fold(u32::from(first & 0x3f), |number, byte| number << 8 | u32::from(*byte)))
    }

    fn text(&mut self) -> Result<&'p str, String> {
        let length = self.number()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| "a text is not UTF-8".to_owned())
    }
}

/// A test that has not ended.
#[derive(Default)]
struct Active {
    at: u64,
    begun: bool,
    listed: bool,
    started: Option<Timestamp>,
    traceback: Tail,
    reason: Tail,
}

struct Tests<'s> {
    /// By route and id.
    active: HashMap<(String, String), Active>,
    sink: &'s mut dyn FnMut(Entry),
    notes: &'s mut Vec<String>,
}

impl Tests<'_> {
    fn packet(&mut self, packet: &Packet<'_>, at: u64) -> Result<(), Trouble> {
        let Some(test) = packet.test else { return Ok(()) };
        if packet.status == 0 && packet.file.is_none() {
            return Ok(());
        }
        let key = (packet.route.to_owned(), test.to_owned());
        if self.active.len() >= MOST_TESTS && !self.active.contains_key(&key) {
            return Err(Trouble::at(at, format!("more than {MOST_TESTS} tests have begun and not ended")));
        }
        let active = self.active.entry(key).or_insert_with(|| Active { at, ..Active::default() });
        if let Some((name, bytes)) = packet.file {
            match name {
                "reason" => active.reason.push(bytes),
                name if name.starts_with("traceback") || name == "Parser Error" => active.traceback.push(bytes),
                _ => {}
            }
        }
        match packet.status {
            0 => return Ok(()),
            1 => active.listed = true,
            2 => {
                active.begun = true;
                active.started = packet.time.or(active.started);
            }
            _ => {
                let key = (packet.route.to_owned(), test.to_owned());
                let active = self.active.remove(&key).unwrap_or_default();
                return self.end(test, &active, packet, at);
            }
        }
        Ok(())
    }

    fn end(&mut self, test: &str, active: &Active, packet: &Packet<'_>, at: u64) -> Result<(), Trouble> {
        if test == "subunit.parser" {
            let why = reason::one_line(&active.traceback.text());
            return Err(Trouble::at(at, format!("the stream says of itself that it was damaged: {why}")));
        }
        if test == "process-returncode" {
            self.notes.push("a process that ran tests ended badly: some may have no result".to_owned());
            return Ok(());
        }
        let (outcome, expectation) = outcome_of(packet.status);
        let mut why = expectation.to_owned();
        if outcome == Outcome::Skip || (active.traceback.is_empty() && !outcome.is_pass()) {
            why.push_str(&reason::one_line(&active.reason.text()));
        } else if !outcome.is_pass() {
            why.push_str(&reason::of_traceback(&active.traceback.text()));
        }
        let entry = Entry::new(test, outcome, at).because(why).between(active.started, packet.time);
        (self.sink)(entry);
        Ok(())
    }

    /// What never ended, in the order in which it began.
    fn finish(&mut self) {
        let mut left: Vec<_> = self.active.drain().filter(|(_, active)| active.begun || active.listed).collect();
        left.sort_by_key(|(_, active)| active.at);
        for ((_, test), active) in left {
            let (outcome, why) = if active.begun {
                (Outcome::Error, "it never finished")
            } else {
                (Outcome::NotRun, "it was listed, but never begun")
            };
            (self.sink)(Entry::new(&test, outcome, active.at).because(why.to_owned()).between(active.started, None));
        }
    }
}

/// The outcome of a final status, and what to say before the reason.
fn outcome_of(status: u8) -> (Outcome, &'static str) {
    match status {
        3 => (Outcome::Pass, ""),
        4 => (Outcome::Fail, "it passed, although it was expected to fail "),
        5 => (Outcome::Skip, ""),
        7 => (Outcome::Fail, "it failed, as expected: "),
        _ => (Outcome::Fail, ""),
    }
}

/// CRC-32 with the polynomial of zlib.
pub fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0_u32, |sum, byte| {
        let [low, ..] = (sum ^ u32::from(*byte)).to_le_bytes();
        TABLE.get(usize::from(low)).copied().unwrap_or_default() ^ (sum >> 8)
    })
}
