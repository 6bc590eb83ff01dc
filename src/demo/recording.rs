//! The recorded run that the binary carries.

/// Name inside the bundle and bytes of each file; made by the build script.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// A file of the recorded bundle, by its name inside it.
#[must_use]
pub fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// The suite files of the recorded bundle: name below `suites/`, and text.
pub fn suites() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(|(name, bytes)| Some((name.strip_prefix("suites/")?, std::str::from_utf8(bytes).ok()?)))
}
