//! The suites and guidelines that the binary carries.

/// Name (`suites/redfish/power.yaml`) and bytes of each file, sorted by name; made by the build script.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Every file below `suites/` and `capabilities/` at build time: name with `/` between its parts, and bytes; sorted.
pub fn embedded() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

/// The suite and family files among them, as text. A file that is not UTF-8 is left out; a test refuses it.
pub fn embedded_suites() -> impl Iterator<Item = (&'static str, &'static str)> {
    embedded()
        .filter(|(name, _)| name.starts_with("suites/") && name.ends_with(".yaml"))
        .filter_map(|(name, bytes)| Some((name, std::str::from_utf8(bytes).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_text() {
        let names: Vec<&str> = embedded().map(|(name, _)| name).collect();
        assert!(names.is_sorted());
        assert!(names.iter().all(|name| name.starts_with("suites/") || name.starts_with("capabilities/")));
        assert!(embedded().all(|(name, bytes)| !name.ends_with(".yaml") || std::str::from_utf8(bytes).is_ok()));
    }
}
