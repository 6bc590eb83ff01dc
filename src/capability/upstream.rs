//! Ids that upstream test suites give to their tests so that they survive renames.

/// The id in one spelling: what is in front and behind, dashes and capital letters do not matter for a UUID.
/// `None` when there is none.
#[must_use]
pub fn upstream_id(text: &str) -> Option<String> {
    let first = text.split(',').next().unwrap_or_default().trim();
    let plain = first.strip_prefix("id-").unwrap_or(first);
    if is_uuid(plain) {
        return Some(plain.to_ascii_lowercase());
    }
    if plain.len() == 32 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
        let groups = groups.map(|group| plain.get(group).unwrap_or_default());
        return Some(groups.join("-").to_ascii_lowercase());
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a text is a UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let hex = |group: &str, length: usize| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut groups = text.split('-');
    [8, 4, 4, 4, 12].iter().all(|length| groups.next().is_some_and(|group| hex(group, *length)))
        && groups.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_uuid_is_one() {
        let wanted = Some("9a438d88-10c6-4bcd-8b5b-5b6e25e1346f".to_owned());
        for text in [
            "9a438d88-10c6-4bcd-8b5b-5b6e25e1346f",
            "id-9A438D88-10c6-4bcd-8b5b-5b6e25e1346f",
            " id-9a438d88-10c6-4bcd-8b5b-5b6e25e1346f,smoke",
            "9a438d8810c64bcd8b5b5b6e25e1346f",
        ] {
            assert_eq!(upstream_id(text), wanted, "{text}");
        }
    }

    #[test]
    fn other_ids_stay_as_they_are() {
        assert_eq!(upstream_id("REQ_QUERY, part 2"), Some("REQ_QUERY, part 2".to_owned()));
        assert_eq!(upstream_id("id-of-something"), Some("id-of-something".to_owned()));
        assert_eq!(upstream_id(" "), None);
        for bad in ["9a438d88", "9a438d88-10c6-4bcd-8b5b-5b6e25e1346", "9a438d88-10c6-4bcd-8b5b-5b6e25e1346f-", "ä"] {
            assert!(!is_uuid(bad), "{bad}");
        }
    }
}
