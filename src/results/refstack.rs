//! RefStack's upload: `{"cpid", "duration_seconds", "results": [{"name", "uuid"}]}`. It knows passes only.

use std::fmt;
use std::io::{BufRead, Read};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::capability::{Outcome, upstream_id};

use super::Entry;
use super::source::Trouble;

/// Largest document, in bytes.
const LARGEST: u64 = 256 << 20;

#[derive(Deserialize)]
struct Passed {
    name: String,
    #[serde(default)]
    uuid: Option<String>,
}

/// Reads a document; each result is given on as soon as it is read.
pub fn read(input: impl BufRead, sink: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
    let mut counted = Counted { inner: input.take(LARGEST), at: 0 };
    let mut found = false;
    let mut parser = serde_json::Deserializer::from_reader(&mut counted);
    let read = Document { sink, found: &mut found }.deserialize(&mut parser).and_then(|()| parser.end());
    drop(parser);
    let at = counted.at;
    match read {
        Ok(()) if found => Ok(()),
        Ok(()) => Err(Trouble::at(0, "the document has no `results`")),
        Err(error) => match error.io_error_kind() {
            Some(kind) => Err(Trouble::Io(kind.into())),
            None => Err(Trouble::at(at, format!("the document is cut or is no RefStack result: {error}"))),
        },
    }
}

/// Counts what was read.
struct Counted<R> {
    inner: R,
    at: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

struct Document<'s> {
    sink: &'s mut dyn FnMut(Entry),
    found: &'s mut bool,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping with `results`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "results" {
                *self.found = true;
                map.next_value_seed(Results(&mut *self.sink))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Results<'s>(&'s mut dyn FnMut(Entry));

impl<'de> DeserializeSeed<'de> for Results<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of passed tests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(passed) = list.next_element::<Passed>()? {
            let mut entry = Entry::new(&passed.name, Outcome::Pass, number);
            entry.name.ids.extend(passed.uuid.as_deref().and_then(upstream_id));
            (self.0)(entry);
            number += 1;
        }
        Ok(())
    }
}
