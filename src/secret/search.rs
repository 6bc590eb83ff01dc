//! Where secrets stand in a text.
//!
//! Literal spellings go into Aho-Corasick automata; encodings with many spellings are decoded first (`views`) and the
//! decoded text is searched the same way, so encodings on top of each other are found too.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::token::{self, BASE64_FORMS, Form};
use super::views::VIEWS;

/// Shorter secrets are not searched for inside text: they would be found everywhere.
pub(super) const SHORTEST: usize = 4;
/// Shorter pieces of Base64 would be found in any picture.
const SHORTEST_BASE64: usize = 6;
/// How many encodings may lie on top of each other.
const DEPTH: usize = 2;
/// Secrets in the small automaton, which is rebuilt whenever one is learned; the large one is rebuilt when it is full.
const YOUNG: usize = 24;
/// Up to this many bytes of patterns the fastest automaton is worth its memory.
const DFA_BYTES: usize = 16 << 10;

/// A secret with everything about its token.
pub(super) struct Entry {
    pub(super) secret: String,
    pub(super) wanted_label: String,
    pub(super) stem: String,
}

/// A place where a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) form: Form,
    pub(super) entry: usize,
}

/// All secrets of a vault at one moment.
#[derive(Clone, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<Arc<Entry>>,
    by_secret: HashMap<String, usize>,
    by_hex: HashMap<String, usize>,
    old: Arc<Layer>,
    young: Arc<Layer>,
    /// Whether `+` can stand for a space of a secret at all.
    spaces: bool,
}

#[derive(Default)]
struct Layer {
    entries: Vec<usize>,
    patterns: Vec<Pattern>,
    matcher: Matcher,
}

#[derive(Default)]
enum Matcher {
    #[default]
    Empty,
    Ready(Box<AhoCorasick>),
    /// The automaton could not be built. Everything is withheld then: a lost text is better than a lost secret.
    Failed,
}

struct Pattern {
    entry: usize,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Plain(Form),
    /// Base64 characters that depend on the secret alone, when it starts `lead` bytes behind a group of three.
    Base64 {
        lead: usize,
        /// Whether the character behind belongs to the last byte of the secret too.
        tail: bool,
        raw: bool,
    },
    /// A short secret as a whole JSON string.
    Quoted,
}

impl Index {
    pub(super) fn find(&self, secret: &str) -> Option<&Arc<Entry>> {
        self.entries.get(*self.by_secret.get(secret)?)
    }

    /// Whether there is nothing to search for.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn add(&mut self, entry: Entry, hex: String) {
        let number = self.entries.len();
        self.spaces |= entry.secret.contains(' ');
        self.by_secret.insert(entry.secret.clone(), number);
        self.by_hex.insert(hex, number);
        self.entries.push(Arc::new(entry));
        let mut young = self.young.entries.clone();
        young.push(number);
        if young.len() > YOUNG {
            young.extend(&self.old.entries);
            young.sort_unstable();
            self.old = Arc::new(self.layer(young));
            self.young = Arc::default();
        } else {
            self.young = Arc::new(self.layer(young));
        }
    }

    fn layer(&self, entries: Vec<usize>) -> Layer {
        let mut literals = Vec::new();
        let mut patterns = Vec::new();
        for &number in &entries {
            let Some(entry) = self.entries.get(number) else {
                continue;
            };
            for (literal, kind) in literals_of(&entry.secret) {
                literals.push(literal);
                patterns.push(Pattern { entry: number, kind });
            }
        }
        let kind = match literals.iter().map(Vec::len).sum::<usize>() {
            0 => {
                return Layer { entries, patterns, matcher: Matcher::Empty };
            }
            1..=DFA_BYTES => AhoCorasickKind::DFA,
            _ => AhoCorasickKind::ContiguousNFA,
        };
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(Some(kind)).build(&literals);
        let matcher = match built {
            Ok(automaton) => Matcher::Ready(Box::new(automaton)),
            Err(_) => Matcher::Failed,
        };
        Layer { entries, patterns, matcher }
    }

    /// Tokens of this vault in the text, in order.
    pub(super) fn tokens(&self, text: &[u8]) -> Vec<(Range<usize>, usize, Form)> {
        let mut found = Vec::new();
        let mut from = 0;
        for at in memchr::memmem::find_iter(text, token::PREFIX) {
            if at < from {
                continue;
            }
            let Some(rest) = text.get(at..) else { continue };
            let entry = token::peek_hex(rest).and_then(|hex| self.by_hex.get(hex));
            let parsed = entry.and_then(|&number| {
                let (form, length) = token::parse(rest, &self.entries.get(number)?.stem)?;
                Some((at..at + length, number, form))
            });
            if let Some(token) = parsed {
                from = token.0.end;
                found.push(token);
            }
        }
        found
    }

    /// All places of secrets outside of tokens, sorted; they may overlap.
    pub(super) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        if !self.is_empty() {
            self.collect(text, DEPTH, &mut hits);
            hits.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.form, hit.entry));
            drop_covered(&mut hits);
        }
        hits
    }

    fn collect(&self, text: &[u8], depth: usize, hits: &mut Vec<Hit>) {
        let mut from = 0;
        for (token, _, _) in self.tokens(text) {
            self.collect_gap(text, from..token.start, depth, hits);
            from = token.end;
        }
        self.collect_gap(text, from..text.len(), depth, hits);
    }

    fn collect_gap(&self, text: &[u8], gap: Range<usize>, depth: usize, hits: &mut Vec<Hit>) {
        let offset = gap.start;
        let Some(text) = text.get(gap) else { return };
        let first = hits.len();
        for layer in [&self.old, &self.young] {
            self.scan(layer, text, hits);
        }
        if depth > 0 {
            self.collect_views(text, depth, hits);
        }
        for hit in hits.iter_mut().skip(first) {
            hit.start += offset;
            hit.end += offset;
        }
    }

    fn collect_views(&self, text: &[u8], depth: usize, hits: &mut Vec<Hit>) {
        for view in VIEWS {
            // Without a space in any secret the form view finds nothing that the percent view does not.
            if view.form() == Form::Plus && !(self.spaces && memchr::memchr(b'+', text).is_some()) {
                continue;
            }
            let Some(decoded) = view.decode(text) else {
                continue;
            };
            let mut inner = Vec::new();
            self.collect(&decoded.bytes, depth - 1, &mut inner);
            hits.extend(inner.into_iter().map(|hit| {
                let (start, end, escaped) = decoded.source(hit.start, hit.end);
                let form = match hit.form {
                    form if !escaped => form,
                    Form::Raw => view.form(),
                    _ => Form::Part,
                };
                Hit { start, end, form, ..hit }
            }));
        }
    }

    /// Every start of a pattern, with the longest pattern there. Searching on just behind each start, not behind each
    /// end, finds secrets that overlap.
    fn scan(&self, layer: &Layer, text: &[u8], hits: &mut Vec<Hit>) {
        let automaton = match &layer.matcher {
            Matcher::Empty => return,
            Matcher::Ready(automaton) => automaton,
            Matcher::Failed => {
                let entry = layer.entries.first().copied().unwrap_or_default();
                let (start, end, form) = (0, text.len(), Form::Part);
                return hits.push(Hit { start, end, form, entry });
            }
        };
        let mut from = 0;
        while let Some(found) = automaton.find(Input::new(text).range(from..)) {
            from = found.start() + 1;
            let Some(pattern) = layer.patterns.get(found.pattern().as_usize()) else {
                continue;
            };
            hits.extend(self.hit(pattern, text, found.start(), found.end()));
        }
    }

    fn hit(&self, pattern: &Pattern, text: &[u8], start: usize, end: usize) -> Option<Hit> {
        let entry = pattern.entry;
        match pattern.kind {
            Kind::Plain(form) => Some(Hit { start, end, form, entry }),
            Kind::Quoted => {
                let behind = text.get(end..)?.iter().find(|byte| !byte.is_ascii_whitespace());
                let (start, end, form) = (start + 1, end - 1, Form::Raw);
                (behind != Some(&b':')).then_some(Hit { start, end, form, entry })
            }
            Kind::Base64 { lead, tail, raw } => {
                let before = start.checked_sub(1).and_then(|index| text.get(index));
                let joined = before.is_some_and(is_base64);
                if lead == 0 && raw && !joined {
                    let secret = &self.entries.get(entry)?.secret;
                    if let Some((form, length)) = whole_base64(text.get(start..)?, secret) {
                        let end = start + length;
                        return Some(Hit { start, end, form, entry });
                    }
                }
                // The characters at both ends hold bits of the secret and of its neighbours.
                let start = start - usize::from(lead != 0 && joined);
                let end = end + usize::from(tail && text.get(end).is_some_and(is_base64));
                Some(Hit { start, end, form: Form::Part, entry })
            }
        }
    }
}

/// Drops what was read into text that plain secrets cover completely: with a backslash or a percent sign in a secret,
/// two of them side by side can look like the encoding of a third one.
fn drop_covered(hits: &mut Vec<Hit>) {
    let mut covered: Vec<(usize, usize)> = Vec::new();
    for hit in hits.iter().filter(|hit| hit.form == Form::Raw) {
        match covered.last_mut() {
            Some((_, end)) if hit.start <= *end => *end = hit.end.max(*end),
            _ => covered.push((hit.start, hit.end)),
        }
    }
    hits.retain(|hit| {
        let next = covered.partition_point(|(start, _)| *start <= hit.start);
        let around = next.checked_sub(1).and_then(|index| covered.get(index));
        hit.form == Form::Raw || around.is_none_or(|(_, end)| *end < hit.end)
    });
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Which Base64 text of exactly this secret stands at the start, with its length.
fn whole_base64(text: &[u8], secret: &str) -> Option<(Form, usize)> {
    BASE64_FORMS.into_iter().find_map(|form| {
        let encoded = token::encode(secret, form)?;
        let behind = text.strip_prefix(encoded.as_bytes())?.first();
        let ends = behind.is_none_or(|byte| !is_base64(byte) && *byte != b'=');
        ends.then_some((form, encoded.len()))
    })
}

/// What to search for, each spelling once.
fn literals_of(secret: &str) -> Vec<(Vec<u8>, Kind)> {
    if secret.is_empty() {
        return Vec::new();
    }
    if secret.len() < SHORTEST {
        let quoted = format!("\"{}\"", token::json(secret));
        return vec![(quoted.into_bytes(), Kind::Quoted)];
    }
    let mut out: Vec<(Vec<u8>, Kind)> = Vec::new();
    // The usual spellings of escapes are literals too: a view can be out of step with text that only looks encoded.
    for form in [Form::Raw, Form::Json, Form::Url, Form::Plus, Form::Html, Form::Hex, Form::HexU] {
        let spelled = token::encode(secret, form).unwrap_or_default();
        out.push((spelled.into_bytes(), Kind::Plain(form)));
    }
    out.push((token::percent(secret, false, false).into_bytes(), Kind::Plain(Form::Url)));
    let inner = [secret.to_string(), token::json(secret), token::percent(secret, true, false)];
    for (index, text) in inner.iter().enumerate() {
        base64_literals(text.as_bytes(), index == 0, &mut out);
    }
    let mut seen = HashSet::new();
    out.retain(|(literal, _)| seen.insert(literal.clone()));
    out
}

fn base64_literals(bytes: &[u8], raw: bool, out: &mut Vec<(Vec<u8>, Kind)>) {
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for lead in 0..3 {
            let mut padded = vec![0; lead];
            padded.extend_from_slice(bytes);
            let encoded = engine.encode(&padded);
            let bits = padded.len() * 8;
            let own = (lead * 8).div_ceil(6)..bits / 6;
            let kind = Kind::Base64 { lead, tail: bits % 6 != 0, raw };
            match encoded.get(own) {
                Some(own) if own.len() >= SHORTEST_BASE64 => out.push((own.into(), kind)),
                // Too short inside other text, but still worth finding when it stands alone.
                _ if lead == 0 && encoded.len() >= SHORTEST_BASE64 => {
                    let kind = Kind::Base64 { lead, tail: false, raw };
                    out.push((encoded.into(), kind));
                }
                _ => {}
            }
        }
    }
}
