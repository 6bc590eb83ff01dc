//! Which results speak of which test of a guideline.
//!
//! Results of other tools carry names, often ids. An id survives renames, but classes that inherit a test share its id,
//! so an id alone does not name one test. A result belongs to the test that it fits best, in this order: id and name, id
//! and alias, id with the same class and method under another module, name, alias, the same without parameters in
//! brackets. If it fits two tests equally well it belongs to neither, and both say so. Only when nothing else is found, a
//! test takes the one result that has its id under another name.
//!
//! Names that are sentences change their tags while the test stays the same. Such a result speaks of the one test that has the
//! same words ([`sentence_key`]), when nothing fits better.
//!
//! Our own cases say which upstream tests they stand for; all of them must pass.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::capability::{Outcome, TestId, sentence_key, upstream_id};
use crate::guideline::{Guideline, Test};
use crate::results::brackets;

use super::results::{Results, Row, TestResult, worse};

/// Names shown in a note.
const NAMED: usize = 3;

/// The evidence for a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The result.
    pub result: TestResult,
    /// Other names it came under, and cases that stand for the test.
    pub ran_as: Vec<TestId>,
    /// Why it did not pass.
    pub reason: Option<String>,
    /// How it was found, when that is not plain.
    pub note: Option<String>,
}

impl Default for Found {
    fn default() -> Found {
        let result = TestResult { outcome: Outcome::NotRun, flaky: false };
        Found { result, ran_as: Vec::new(), reason: None, note: None }
    }
}

/// How well a result fits a test; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    IdAndName,
    IdAndAlias,
    IdAndClass,
    Name,
    Alias,
    /// The name without parameters in brackets.
    PlainName,
    PlainAlias,
    /// The words of a sentence without its tags.
    Words,
    IdOnly,
}

/// A result that fits a test.
type Fitting<'a> = (Fit, &'a TestId, &'a Row);

/// A test of the guideline, with the results that fit it. There may be many thousand, of which nearly all have one result under
/// their own name.
struct Entry<'a> {
    test: &'a TestId,
    known: Option<Box<Known<'a>>>,
    fits: Fits<'a>,
}

enum Fits<'a> {
    None,
    One(Fitting<'a>),
    Several(Vec<Fitting<'a>>),
}

impl<'a> Fits<'a> {
    fn push(&mut self, fitting: Fitting<'a>) {
        *self = match std::mem::replace(self, Fits::None) {
            Fits::None => Fits::One(fitting),
            Fits::One(first) => Fits::Several(vec![first, fitting]),
            Fits::Several(mut all) => {
                all.push(fitting);
                Fits::Several(all)
            }
        };
    }

    fn all(&self) -> &[Fitting<'a>] {
        match self {
            Fits::None => &[],
            Fits::One(one) => std::slice::from_ref(one),
            Fits::Several(all) => all,
        }
    }
}

/// What all mentions of a test in a guideline say together besides its name.
#[derive(Default)]
struct Known<'g> {
    ids: BTreeSet<String>,
    aliases: BTreeSet<&'g TestId>,
}

static NO_IDS: BTreeSet<String> = BTreeSet::new();

impl<'a> Entry<'a> {
    fn ids(&self) -> &BTreeSet<String> {
        self.known.as_ref().map_or(&NO_IDS, |known| &known.ids)
    }

    fn aliases(&self) -> impl Iterator<Item = &'a TestId> + Clone {
        self.known.as_ref().into_iter().flat_map(|known| known.aliases.iter().copied())
    }

    fn has_alias(&self, name: &TestId) -> bool {
        self.known.as_ref().is_some_and(|known| known.aliases.contains(name))
    }

    /// Its own name and all others.
    fn names(&self) -> impl Iterator<Item = &'a TestId> + Clone {
        std::iter::once(self.test).chain(self.aliases())
    }
}

/// Tests of a guideline with the results that fit them.
pub struct Matching<'a> {
    results: &'a Results,
    /// In the order of their ids; other fields have places in it.
    tests: Vec<Entry<'a>>,
    by_id: HashMap<String, Vec<usize>>,
    by_alias: HashMap<&'a str, Vec<usize>>,
    /// By the words of names that are sentences.
    by_words: HashMap<String, Vec<usize>>,
    /// Upstream names that cases stand for and no test of the guideline has, by their words.
    covers_by_words: HashMap<String, Vec<&'a str>>,
    /// Tests for which a result was left aside because it fits others as well.
    unclear: HashMap<usize, String>,
}

impl<'a> Matching<'a> {
    /// Assigns every result.
    pub fn new(guideline: &'a Guideline, results: &'a Results) -> Matching<'a> {
        let mut mentions: Vec<(&TestId, &Test)> =
            guideline.capabilities.values().flat_map(|capability| &capability.tests).collect();
        mentions.sort_by_key(|(test, _)| *test);
        let mut tests: Vec<Entry<'_>> = Vec::with_capacity(mentions.len());
        for (test, said) in mentions {
            if tests.last().is_none_or(|last| last.test != test) {
                tests.push(Entry { test, known: None, fits: Fits::None });
            }
            let id = said.idempotent_id.as_deref().and_then(upstream_id);
            let mut aliases = said.aliases.iter().filter(|alias| *alias != test).peekable();
            if let Some(entry) = tests.last_mut().filter(|_| id.is_some() || aliases.peek().is_some()) {
                let known = entry.known.get_or_insert_default();
                known.ids.extend(id);
                known.aliases.extend(aliases);
            }
        }
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_alias: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, entry) in tests.iter().enumerate() {
            entry.ids().iter().for_each(|id| by_id.entry(id.clone()).or_default().push(at));
            entry.aliases().for_each(|alias| by_alias.entry(alias.as_str()).or_default().push(at));
        }
        let mut matching = Matching {
            results,
            tests,
            by_id,
            by_alias,
            by_words: HashMap::new(),
            covers_by_words: HashMap::new(),
            unclear: HashMap::new(),
        };
        matching.note_words();
        for (name, row) in results.rows() {
            matching.assign(name, row);
        }
        matching
    }

    fn note_words(&mut self) {
        for (at, entry) in self.tests.iter().enumerate() {
            let keys: BTreeSet<String> = entry.names().filter_map(|name| sentence_key(name.as_str())).collect();
            keys.into_iter().for_each(|key| self.by_words.entry(key).or_default().push(at));
        }
        if self.by_words.is_empty() {
            return;
        }
        for upstream in self.results.covered() {
            if self.place(upstream).is_some() || self.by_alias.contains_key(upstream) {
                continue;
            }
            if let Some(key) = sentence_key(upstream) {
                self.covers_by_words.entry(key).or_default().push(upstream);
            }
        }
    }

    /// Upstream names with the words of this test, if no other test of the guideline has them.
    fn like(&self, entry: &Entry<'_>) -> Vec<&'a str> {
        if self.covers_by_words.is_empty() {
            return Vec::new();
        }
        let keys: BTreeSet<String> = entry.names().filter_map(|name| sentence_key(name.as_str())).collect();
        let alone = |key: &&String| self.by_words.get(*key).is_some_and(|tests| tests.len() == 1);
        keys.iter().filter(alone).filter_map(|key| self.covers_by_words.get(key)).flatten().copied().collect()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.tests.binary_search_by(|entry| entry.test.as_str().cmp(name)).ok()
    }

    fn assign(&mut self, name: &'a TestId, row: &'a Row) {
        let fits = self.fits_of(name, row);
        let Some(best) = fits.values().min().copied() else { return };
        let tests: Vec<usize> = fits.iter().filter(|(_, fit)| **fit == best).map(|(test, _)| *test).collect();
        if let [test] = tests[..] {
            if let Some(entry) = self.tests.get_mut(test) {
                entry.fits.push((best, name, row));
            }
            return;
        }
        for test in &tests {
            let others = tests.iter().filter(|other| *other != test).filter_map(|other| self.tests.get(*other));
            let others = quoted(others.map(|entry| entry.test));
            let note = format!("the result `{name}` could be of this test or of {others}");
            self.unclear.entry(*test).or_insert(note);
        }
    }

    /// Every test that a result might be of, with its best fit.
    fn fits_of(&self, name: &TestId, row: &Row) -> BTreeMap<usize, Fit> {
        let mut fits = BTreeMap::new();
        let mut add = |fit: Fit, test: usize| {
            let known = fits.entry(test).or_insert(fit);
            *known = fit.min(*known);
        };
        for test in row.ids().iter().filter_map(|id| self.by_id.get(id)).flatten() {
            let Some(entry) = self.tests.get(*test) else { continue };
            add(
                if entry.test == name {
                    Fit::IdAndName
                } else if entry.has_alias(name) {
                    Fit::IdAndAlias
                } else if entry.names().any(|own| same_class(own.as_str(), name.as_str())) {
                    Fit::IdAndClass
                } else {
                    Fit::IdOnly
                },
                *test,
            );
        }
        let mut named = |name: &str, primary: Fit, alias: Fit| {
            self.place(name).into_iter().for_each(|test| add(primary, test));
            self.by_alias.get(name).into_iter().flatten().for_each(|test| add(alias, *test));
        };
        named(name.as_str(), Fit::Name, Fit::Alias);
        if let Some((plain, _)) = brackets(name.as_str()) {
            named(plain, Fit::PlainName, Fit::PlainAlias);
        }
        if fits.is_empty() && !self.by_words.is_empty() {
            let tests = sentence_key(name.as_str()).and_then(|key| self.by_words.get(&key));
            fits.extend(tests.into_iter().flatten().map(|test| (*test, Fit::Words)));
        }
        fits
    }

    /// The evidence for a test, or why it has none.
    pub fn found(&self, test: &TestId) -> Found {
        let place = self.place(test.as_str());
        place.and_then(|at| Some(self.evidence(at, self.tests.get(at)?))).unwrap_or_default()
    }

    fn evidence(&self, at: usize, entry: &Entry<'_>) -> Found {
        let (test, fits) = (entry.test, entry.fits.all());
        let of = |wanted: &[Fit]| -> Vec<(&TestId, &Row)> {
            let fits = fits.iter().filter(|(fit, ..)| wanted.contains(fit));
            fits.map(|(_, name, row)| (*name, *row)).collect()
        };
        let exact = of(&[Fit::IdAndName, Fit::IdAndAlias]);
        let by_class = of(&[Fit::IdAndClass]);
        // With a result under the id, one with the same name and another id is another test's.
        let has_id = !exact.is_empty() || !by_class.is_empty();
        let ids = entry.ids();
        let other_id = |row: &Row| !ids.is_empty() && !row.ids().is_empty() && row.ids().is_disjoint(ids);
        let mut named = exact;
        named.extend(
            of(&[Fit::Name, Fit::Alias, Fit::PlainName, Fit::PlainAlias])
                .into_iter()
                .filter(|(_, row)| !has_id || !other_id(row)),
        );
        let mut found = Found { note: self.unclear.get(&at).cloned(), ..Found::default() };
        if !named.is_empty() {
            if named.iter().any(|(_, row)| other_id(row)) {
                found.note = Some("the name is that of the test, the id is another one".to_owned());
            }
            found.take(test, &named);
        } else if let [one] = by_class[..] {
            found.note = Some("found by its id under another module".to_owned());
            found.take(test, &[one]);
        } else if !by_class.is_empty() {
            found.note = Some(several(&by_class));
        } else if let [one] = of(&[Fit::Words])[..] {
            found.note = Some("found by its words, under other tags".to_owned());
            found.take(test, &[one]);
        } else if let Some((outcome, why)) = self.set_up(entry) {
            found.result.outcome = outcome;
            found.reason = Some(why.to_owned());
        } else {
            self.by_id_only(at, entry, &of(&[Fit::IdOnly]), &mut found);
        }
        self.add_covering(entry, &mut found);
        found
    }

    /// A result that has only the id in common counts when there is no other one with this id, of whatever test.
    fn by_id_only(&self, at: usize, entry: &Entry<'_>, rows: &[(&TestId, &Row)], found: &mut Found) {
        let [one] = rows else {
            if !rows.is_empty() {
                found.note = Some(several(rows));
            }
            return;
        };
        let ids = entry.ids();
        let others = ids.iter().filter_map(|id| self.by_id.get(id)).flatten().filter(|other| **other != at);
        let mut results = others.filter_map(|other| self.tests.get(*other)).flat_map(|other| other.fits.all());
        if results.any(|(_, _, row)| !row.ids().is_disjoint(ids)) {
            found.note = Some(format!("`{}` has its id, which other tests share: not counted", one.0));
            return;
        }
        found.note = Some("found by its id alone, under another name".to_owned());
        found.take(entry.test, &[*one]);
    }

    fn set_up(&self, entry: &Entry<'_>) -> Option<(Outcome, &str)> {
        entry.names().find_map(|name| {
            let (class, _) = name.as_str().rsplit_once('.')?;
            let module = class.rsplit_once('.').map_or("", |(module, _)| module);
            self.results.set_up_of(class).or_else(|| self.results.set_up_of(module))
        })
    }

    /// Adds the cases that stand for the test. One that was not run leaves the test not run.
    fn add_covering(&self, entry: &Entry<'_>, found: &mut Found) {
        let test = entry.test;
        let like = self.like(entry);
        let upstream = entry.names().map(TestId::as_str).chain(entry.ids().iter().map(String::as_str)).chain(like);
        let cases: BTreeMap<&TestId, TestResult> = upstream.flat_map(|id| self.results.covering(id)).collect();
        let mut any = self.results.get(test).is_some() || !found.ran_as.is_empty();
        for (case, result) in cases {
            found.result = if any { worse(found.result, result) } else { result };
            any = true;
            if case != test && !found.ran_as.contains(case) {
                found.ran_as.push(case.clone());
            }
        }
    }
}

impl Found {
    /// Takes these results as evidence: the worst of them, with its reason.
    fn take(&mut self, test: &TestId, rows: &[(&TestId, &Row)]) {
        let mut result: Option<TestResult> = None;
        for (name, row) in rows {
            let before = result.map(|result| result.outcome);
            let worst = result.map_or(row.result, |known| worse(known, row.result));
            if before != Some(worst.outcome) {
                self.reason = row.reason().map(str::to_owned);
            }
            result = Some(worst);
            if *name != test {
                self.ran_as.push((*name).clone());
            }
        }
        self.result = result.unwrap_or(self.result);
    }
}

fn several(rows: &[(&TestId, &Row)]) -> String {
    let names = quoted(rows.iter().map(|(name, _)| *name));
    format!("several results have its id, none its name: {names}; none is counted")
}

fn quoted<'t>(names: impl Iterator<Item = &'t TestId>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let head = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{head} and {more} more"),
        _ => head,
    }
}

/// Whether two dotted names end in the same class and method.
fn same_class(one: &str, other: &str) -> bool {
    let class_and_method = |name: &str| {
        let mut parts = name.rsplit('.');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    class_and_method(one).is_some_and(|one| class_and_method(other) == Some(one))
}
