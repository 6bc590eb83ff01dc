//! Whatever the bytes are, reading ends, without a panic, and holds little.

use proptest::prelude::*;

use super::tests::writer;
use super::*;

/// Texts that lead deep into each reader.
fn seeds() -> impl Strategy<Value = Vec<u8>> {
    let seeds = [
        include_bytes!("../../tests/results/v1.subunit").to_vec(),
        include_bytes!("../../tests/results/v2.subunit").to_vec(),
        include_bytes!("../../tests/results/junit.xml").to_vec(),
        br#"{"results": [{"name": "a.b", "uuid": null}, {"name": "a.c"}]}"#.to_vec(),
        b"a.b\na.c\n[x] y\n".to_vec(),
    ];
    prop::sample::select(seeds.to_vec())
}

fn check(bytes: &[u8]) {
    let mut texts = 0;
    let mut entries = 0_usize;
    let reading = read(bytes, &mut |entry| {
        entries += 1;
        texts = texts.max(entry.name.plain.len()).max(entry.reason.as_deref().map_or(0, str::len));
    });
    assert!(texts <= LONGEST_NAME && entries <= bytes.len());
    if let Ok(Reading { damage: Some(damage), .. }) = reading {
        assert!(damage.at <= bytes.len() as u64, "{damage}");
    }
    let _ = collect(std::io::BufReader::with_capacity(3, bytes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn any_bytes_after_a_good_beginning(
        start in prop::sample::select(vec!["<testsuite>", "{\"results\":[", "test: a\nfailure: a [ multipart\n", "a.b\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&[start.as_bytes(), &bytes].concat());
    }

    #[test]
    fn damaged_files(mut bytes in seeds(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..8)) {
        for (at, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..(at + usize::from(byte)).min(bytes.len()))),
            }
        }
        check(&bytes);
    }

    #[test]
    fn any_body_with_a_right_checksum(flags in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..100)) {
        check(&writer::raw(0x2000 | flags & 0x0fff, &body));
    }

    #[test]
    fn what_is_written_is_read(
        tests in prop::collection::btree_map("[a-z]{1,9}(\\.[a-zé]{1,40}){1,3}", (prop::sample::select(vec![3_u8, 5, 6]), 0..2000_u32), 1..20)
    ) {
        let stream: Vec<u8> =
            tests.iter().flat_map(|(name, (status, at))| writer::result(name, *status, *at, None)).collect();
        let all = collect(&stream[..]).unwrap();
        prop_assert_eq!(all.damage, None);
        for (name, (status, _)) in &tests {
            let wanted = match status { 3 => Outcome::Pass, 5 => Outcome::Skip, _ => Outcome::Fail };
            prop_assert_eq!(all.rows[name].outcome, wanted);
            prop_assert_eq!(all.rows[name].duration, Some(Duration::from_secs(1)));
        }
        prop_assert_eq!(all.rows.len(), tests.len());
    }
}
