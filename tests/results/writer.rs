//! Writes subunit v2, for tests.

/// A test id, what becomes of it, and a text that says why.
pub fn result(name: &str, status: u8, seconds: u32, why: Option<(&str, &str)>) -> Vec<u8> {
    let mut stream = packet(name, 2, Some(seconds), None);
    if let Some((file, text)) = why {
        stream.extend(packet(name, 0, None, Some((file, text.as_bytes()))));
    }
    stream.extend(packet(name, status, Some(seconds + 1), None));
    stream
}

/// One packet.
pub fn packet(name: &str, status: u8, seconds: Option<u32>, file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut flags = 0x2900 | u16::from(status);
    let mut body = Vec::new();
    if let Some(seconds) = seconds {
        flags |= 0x0200;
        body.extend(seconds.to_be_bytes());
        body.extend(number(0));
    }
    body.extend(number(name.len()));
    body.extend(name.bytes());
    if let Some((file, bytes)) = file {
        flags |= 0x0040;
        body.extend(number(file.len()));
        body.extend(file.bytes());
        body.extend(number(bytes.len()));
        body.extend(bytes);
    }
    raw(flags, &body)
}

/// A packet with any body; length and checksum are right.
pub fn raw(flags: u16, body: &[u8]) -> Vec<u8> {
    let rest = 7 + body.len();
    let length = (1..=3).map(|octets| number(rest + octets)).find(|length| length.len() + rest == value(length));
    let mut packet = vec![0xb3];
    packet.extend(flags.to_be_bytes());
    packet.extend(length.expect("the body is too long for a packet"));
    packet.extend(body);
    let sum = crc(&packet);
    packet.extend(sum.to_be_bytes());
    packet
}

fn number(value: usize) -> Vec<u8> {
    let value = u32::try_from(value).expect("a small number");
    match value {
        0..0x40 => vec![value as u8],
        0x40..0x4000 => (value as u16 | 0x4000).to_be_bytes().to_vec(),
        0x4000..0x40_0000 => (value | 0x80_0000).to_be_bytes()[1..].to_vec(),
        _ => (value | 0xc000_0000).to_be_bytes().to_vec(),
    }
}

fn value(number: &[u8]) -> usize {
    number[1..].iter().fold(usize::from(number[0] & 0x3f), |value, byte| value << 8 | usize::from(*byte))
}

fn crc(bytes: &[u8]) -> u32 {
    let mut sum = !0_u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}
