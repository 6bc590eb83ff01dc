//! All suites together: what they say about each other is resolved here, and everything else asks here for cases.
//!
//! The catalogue looks for no files itself; it is given texts, or files by name that it reads one by one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codes;
use super::deferred::SuiteFile;
use super::family::Family;
use super::model::{Case, Need, Risk, Rows, Suite};
use super::reader::{self, OutputUse, arrows, circles, unknown_output};
use crate::canon::{Digest, digest_bytes};
use crate::spread::spread;
use crate::text::{Diagnostic, Diagnostics, SourceFile, Span, did_you_mean};

/// Files up to this many bytes are read at the same time.
const SMALL_FILE: u64 = 64 << 10;
/// When all suites together have more bytes than this, the steps of cases without rows are not kept but read again when needed,
/// and of files that are stored the text neither: compiled, steps take about ten times the memory of their text.
pub const MOST_KEPT: u64 = 4 << 20;
/// With fewer files a thread does not pay.
const FILES_PER_THREAD: usize = 2;

/// Every suite and family of a run, in the order of their ids.
#[derive(Debug, Default)]
pub struct Catalogue {
    suites: Vec<Suite>,
    families: Vec<Family>,
    /// Index of a suite by id.
    by_id: BTreeMap<String, usize>,
}

/// One case with the row it runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceRef {
    /// Index of the suite in [`Catalogue::suites`].
    pub suite: u32,
    /// Index of the case in the suite.
    pub case: u32,
    /// Index of the row; `None` when the case has no rows.
    pub row: Option<u32>,
}

impl Catalogue {
    /// Reads suite and family files. A file with errors is left out; the diagnostics say why.
    pub fn load<N: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (N, T)>) -> (Catalogue, Diagnostics) {
        Catalogue::read(files.into_iter().map(|(name, text)| SuiteFile::Text(SourceFile::new(name, text))))
    }

    /// As [`load`](Catalogue::load), from texts that others use as well, or from files that are read one by one.
    pub fn read(files: impl IntoIterator<Item = SuiteFile>) -> (Catalogue, Diagnostics) {
        let mut loading = Loading::default();
        // What a family says decides what its suites may use.
        let (families, suites): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_family(file.name()));
        for file in families {
            match file.source() {
                Ok(source) => loading.family(source),
                Err(error) => loading.out.push(unreadable(file.name(), &error)),
            }
        }
        loading.suites(suites);
        loading.finish()
    }

    /// All suites, sorted by id.
    #[must_use]
    pub fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// All families, sorted by id.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family of that id.
    #[must_use]
    pub fn family(&self, id: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.id == id)
    }

    /// The suite of that id.
    #[must_use]
    pub fn suite(&self, id: &str) -> Option<&Suite> {
        self.suites.get(*self.by_id.get(id)?)
    }

    /// The case of a test id `suite.case`; a row in brackets is allowed and ignored.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<(&Suite, &Case)> {
        let plain = id.split_once('[').map_or(id, |(plain, _)| plain);
        let (suite, case) = plain.rsplit_once('.')?;
        let suite = self.suite(suite)?;
        Some((suite, suite.cases.iter().find(|own| *own.id == *case)?))
    }

    /// The fixture of a full id `suite.fixture`; the case in brackets that it was set up for is allowed and ignored.
    #[must_use]
    pub fn fixture(&self, id: &str) -> Option<(&Suite, &Case)> {
        let plain = id.split_once('[').map_or(id, |(plain, _)| plain);
        let (suite, fixture) = plain.rsplit_once('.')?;
        let suite = self.suite(suite)?;
        Some((suite, suite.fixtures.iter().find(|own| *own.id == *fixture)?))
    }

    /// The id under which a fixture is set up for `whose`, a case or a fixture of a case: its own, or
    /// `suite.fixture[suite.case]` when each case has one to itself.
    #[must_use]
    pub fn fixture_for<'i>(&self, fixture: &'i str, whose: &str) -> Cow<'i, str> {
        if !self.is_per_case(fixture) {
            return Cow::Borrowed(fixture);
        }
        let case = match whose.split_once('[') {
            Some((_, case)) if self.is_per_case(whose) => case.strip_suffix(']').unwrap_or(case),
            _ => whose,
        };
        Cow::Owned(format!("{fixture}[{case}]"))
    }

    /// Whether the id is that of a fixture that each case has to itself.
    #[must_use]
    pub fn is_per_case(&self, id: &str) -> bool {
        self.fixture(id).is_some_and(|(_, fixture)| fixture.per_case)
    }

    /// All cases in order: suites by id, cases as in the file.
    pub fn cases(&self) -> impl Iterator<Item = (&Suite, &Case)> {
        self.suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
    }

    /// All cases with their rows, in order.
    pub fn instances(&self) -> impl Iterator<Item = InstanceRef> {
        (0..).zip(&self.suites).flat_map(|(suite, own)| {
            (0..)
                .zip(&own.cases)
                .flat_map(move |(index, case)| rows(&case.each).map(move |row| InstanceRef { suite, case: index, row }))
        })
    }

    /// The suite and case of an instance made by this catalogue.
    #[must_use]
    pub fn get(&self, instance: InstanceRef) -> Option<(&Suite, &Case)> {
        let suite = self.suites.get(instance.suite as usize)?;
        Some((suite, suite.cases.get(instance.case as usize)?))
    }

    /// The test id of an instance: `suite.case`, with `[row]` when the case has rows.
    #[must_use]
    pub fn id(&self, instance: InstanceRef) -> String {
        let Some((suite, case)) = self.get(instance) else {
            return String::new();
        };
        let plain = format!("{}.{}", suite.id, case.id);
        match (instance.row, &case.each) {
            (None, _) => plain,
            (Some(row), Rows::Table(rows)) => {
                let name = rows.get(row as usize).map_or("", |row| row.name.as_str());
                format!("{plain}[{name}]")
            }
            (Some(row), _) => format!("{plain}[{row}]"),
        }
    }

    /// The variables of an instance's row.
    #[must_use]
    pub fn row_variables(&self, instance: InstanceRef) -> Vec<(String, crate::expr::Json)> {
        let Some((_, case)) = self.get(instance) else {
            return Vec::new();
        };
        match (instance.row, &case.each) {
            (Some(row), Rows::Table(rows)) => {
                rows.get(row as usize).map(|row| row.variables.clone()).unwrap_or_default()
            }
            (Some(row), Rows::Count(_)) => vec![("i".to_owned(), row.into())],
            _ => Vec::new(),
        }
    }

    /// Digest of everything: of a list with id and file digest of each suite. Two catalogues with the same digest judge alike.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let lines: String = self.suites.iter().map(|suite| format!("{} {}\n", suite.id, suite.digest)).collect();
        digest_bytes(lines.as_bytes())
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(codes::FORMAT, format!("{name} cannot be read: {error}")).help("give the path of a suite file")
}

fn is_family(name: &str) -> bool {
    name.rsplit(['/', '\\']).next() == Some("family.yaml")
}

/// Row numbers of a case; one `None` when it has no rows.
fn rows(each: &Rows) -> impl Iterator<Item = Option<u32>> + use<> {
    let (once, count) = match each {
        Rows::Once => (true, 0),
        Rows::Table(rows) => (false, u32::try_from(rows.len()).unwrap_or(u32::MAX)),
        Rows::Count(count) => (false, *count),
    };
    once.then_some(None).into_iter().chain((0..count).map(Some))
}

/// What reading a suite gave, before it is compared with others.
type ReadSuite = (Option<Suite>, Vec<OutputUse>, Diagnostics);

/// Files while they are read.
#[derive(Default)]
struct Loading {
    suites: Vec<Suite>,
    families: Vec<(Family, Arc<SourceFile>)>,
    /// Suites that could not be read: what others say about them is not checked.
    broken: BTreeSet<String>,
    uses: Vec<(SuiteFile, OutputUse)>,
    /// The files of the suites, by name.
    files: BTreeMap<String, SuiteFile>,
    out: Diagnostics,
}

impl Loading {
    fn family(&mut self, source: Arc<SourceFile>) {
        let (family, problems) = reader::read_family(Arc::clone(&source));
        self.out.extend(problems);
        self.families.extend(family.map(|family| (family, source)));
    }

    /// Reads suites, small ones at the same time: the tree of a large file needs much memory while it is read.
    fn suites(&mut self, files: Vec<SuiteFile>) {
        let mut slots: Vec<Option<ReadSuite>> = files.iter().map(|_| None).collect();
        let mut small: Vec<(usize, &SuiteFile)> =
            files.iter().enumerate().filter(|(_, file)| file.bytes() <= SMALL_FILE).collect();
        // The largest first, so that no thread begins a long one when the others have nothing left to do.
        small.sort_by_key(|(_, file)| std::cmp::Reverse(file.bytes()));
        let defers = files.iter().map(SuiteFile::bytes).sum::<u64>() > MOST_KEPT;
        let work = |at: usize| small.get(at).map(|(_, file)| self.read(file, defers));
        spread(small.len(), FILES_PER_THREAD, work, |at, read| {
            if let Some((at, _)) = small.get(at)
                && let Some(slot) = slots.get_mut(*at)
            {
                *slot = read;
            }
        });
        for (file, slot) in files.iter().zip(slots) {
            let (suite, uses, problems) = slot.unwrap_or_else(|| self.read(file, defers));
            self.out.extend(problems);
            self.uses.extend(uses.into_iter().map(|found| (file.clone(), found)));
            match suite {
                Some(suite) => self.suites.push(suite),
                None => self.broken.extend(reader::place(file.name())),
            }
        }
        self.files = files.into_iter().map(|file| (file.name().to_owned(), file)).collect();
    }

    fn read(&self, file: &SuiteFile, defers: bool) -> ReadSuite {
        let logged_in = |suite: &str| {
            let own = suite.split('.').next();
            self.families.iter().any(|(family, _)| own == Some(family.id.as_str()) && family.is_logged_in(suite))
        };
        match file.source() {
            Ok(source) => reader::read_with_uses(file.clone(), source, &logged_in, defers),
            Err(error) => (None, Vec::new(), unreadable(file.name(), &error).into()),
        }
    }

    /// The source of a suite with its text, to show a place in it.
    fn with_text(&self, source: &Arc<SourceFile>) -> Arc<SourceFile> {
        let read = self.files.get(&source.name).filter(|_| source.is_outline()).and_then(|file| file.source().ok());
        read.unwrap_or_else(|| Arc::clone(source))
    }

    fn finish(mut self) -> (Catalogue, Diagnostics) {
        self.suites.sort_by(|a, b| a.id.cmp(&b.id));
        self.families.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        self.duplicates();
        let suites = std::mem::take(&mut self.suites);
        let by_id = suites.iter().enumerate().map(|(index, suite)| (suite.id.clone(), index)).collect();
        let (families, sources) = std::mem::take(&mut self.families).into_iter().unzip();
        let catalogue = Catalogue { suites, families, by_id };
        let sources: Vec<Arc<SourceFile>> = sources;
        self.plans(&catalogue, &sources);
        self.sessions(&catalogue, &sources);
        self.references(&catalogue);
        self.lifetimes(&catalogue);
        self.unremoved(&catalogue);
        self.outputs(&catalogue);
        self.circles(&catalogue);
        self.unused(&catalogue);
        (catalogue, self.out)
    }

    /// Keeps the first of several suites or families with one id.
    fn duplicates(&mut self) {
        let mut kept: Vec<Suite> = Vec::new();
        for suite in std::mem::take(&mut self.suites) {
            match kept.last().filter(|other| other.id == suite.id) {
                Some(other) => {
                    let message = format!("the suite id `{}` is already that of {}", suite.id, other.source.name);
                    self.out.push(
                        Diagnostic::error(codes::DUPLICATE, message)
                            .help("give one of them another id")
                            .source(&self.with_text(&suite.source)),
                    );
                }
                None => kept.push(suite),
            }
        }
        self.suites = kept;
        let mut seen = BTreeSet::new();
        let out = &mut self.out;
        self.families.retain(|(family, source)| {
            let first = seen.insert(family.id.clone());
            if !first {
                let message = format!("the family id `{}` appears twice", family.id);
                out.push(Diagnostic::error(codes::DUPLICATE, message).help("remove one of the files").source(source));
            }
            first
        });
    }

    /// Fixtures that log in must exist and hand out what requests need.
    fn sessions(&mut self, catalogue: &Catalogue, sources: &[Arc<SourceFile>]) {
        for (family, source) in catalogue.families.iter().zip(sources) {
            for (identity, id) in &family.sessions {
                let owner = id.rsplit_once('.').map_or("", |(owner, _)| owner);
                let problem = match catalogue.fixture(id) {
                    None if self.broken.contains(owner) => continue,
                    None => Diagnostic::error(codes::UNKNOWN_FIXTURE, format!("there is no fixture `{id}`"))
                        .help(format!("name the fixture that logs `{identity}` in")),
                    Some((_, fixture)) => {
                        let has = |name: &&str| fixture.outputs.iter().any(|(own, _)| own == name);
                        let Some(missing) = ["header", "services"].into_iter().find(|name| !has(name)) else {
                            continue;
                        };
                        let message = format!("fixture `{id}` has no output `{missing}`");
                        Diagnostic::error(codes::UNKNOWN_OUTPUT, message)
                            .help("a session hands out `header: {name, value}` and `services: {name: base URL}`")
                    }
                };
                self.out.push(problem.source(source));
            }
        }
    }

    /// Fixtures that the plan names must exist, create nothing, and hand out what the plan says.
    fn plans(&mut self, catalogue: &Catalogue, sources: &[Arc<SourceFile>]) {
        for (family, source) in catalogue.families.iter().zip(sources) {
            for line in &family.plan {
                let id = &line.fixture;
                let owner = id.rsplit_once('.').map_or("", |(owner, _)| owner);
                let problem = match catalogue.fixture(id) {
                    None if self.broken.contains(owner) => continue,
                    None => Diagnostic::error(codes::UNKNOWN_FIXTURE, format!("there is no fixture `{id}`"))
                        .help("name a fixture of the family in `plan`"),
                    Some((_, fixture)) if fixture.risk > Risk::Read => {
                        let message = format!("the plan must not create anything, but `{id}` may");
                        Diagnostic::error(codes::BAD_VALUE, message).help("name a fixture of risk `read`")
                    }
                    Some((_, fixture)) => {
                        let outputs: Vec<String> = fixture.outputs.iter().map(|(name, _)| name.clone()).collect();
                        let read = line.says.variables().into_iter();
                        let Some(name) = read.into_iter().find(|name| !outputs.contains(name)) else { continue };
                        unknown_output(id, &name, Span::default(), &outputs)
                    }
                };
                self.out.push(problem.source(source));
            }
        }
    }

    /// What outlives a case cannot stand on what goes with it.
    fn lifetimes(&mut self, catalogue: &Catalogue) {
        for suite in &catalogue.suites {
            let lasting = suite.fixtures.iter().filter(|fixture| !fixture.per_case);
            for need in lasting.flat_map(|fixture| &fixture.needs) {
                if catalogue.is_per_case(&need.fixture) {
                    let message = format!("`{}` is set up for each case, but this fixture is shared", need.fixture);
                    let help = "write `per: case` here too, or need a fixture that is shared";
                    self.out.push(
                        Diagnostic::error(codes::LIFETIME, message)
                            .label(need.span, "")
                            .help(help)
                            .source(&suite.source),
                    );
                }
            }
        }
        for (family, line) in catalogue.families.iter().flat_map(|own| own.plan.iter().map(move |line| (own, line))) {
            self.shared_only(catalogue, &family.id, &line.fixture);
        }
        for (family, id) in catalogue.families.iter().flat_map(|own| own.sessions.values().map(move |id| (own, id))) {
            self.shared_only(catalogue, &family.id, id);
        }
    }

    fn shared_only(&mut self, catalogue: &Catalogue, family: &str, fixture: &str) {
        if catalogue.is_per_case(fixture) {
            let message = format!("family `{family}` names the fixture `{fixture}`, which is set up for each case");
            self.out.push(Diagnostic::error(codes::LIFETIME, message).help("name a fixture that is shared"));
        }
    }

    /// What is created without an `undo`, by cases that have no place of their own to create it in.
    fn unremoved(&mut self, catalogue: &Catalogue) {
        for suite in &catalogue.suites {
            let is_place = |id: &String| catalogue.fixture(id).is_some_and(|(_, fixture)| fixture.place);
            let lasting = suite.unremoved.iter().filter(|(_, needs)| !needs.iter().any(is_place));
            for (place, _) in lasting {
                let help = "add `undo:` with a `delete` of what was made; it also runs when a later step fails";
                let message = "this request creates something that nothing removes";
                self.out.push(
                    Diagnostic::warning(codes::NO_UNDO, message).label(*place, "").help(help).source(&suite.source),
                );
            }
        }
    }

    /// Fixtures of other suites must exist.
    fn references(&mut self, catalogue: &Catalogue) {
        for (suite, need) in needs(catalogue) {
            if catalogue.fixture(&need.fixture).is_some() {
                continue;
            }
            let owner = need.fixture.rsplit_once('.').map_or("", |(owner, _)| owner);
            if self.broken.contains(owner) {
                continue;
            }
            let all: Vec<String> = catalogue
                .suites
                .iter()
                .flat_map(|suite| suite.fixtures.iter().map(move |fixture| format!("{}.{}", suite.id, fixture.id)))
                .collect();
            let help = match did_you_mean(&need.fixture, all.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if catalogue.suite(owner).is_none() => {
                    format!("there is no suite `{owner}` among the files read")
                }
                None => format!("suite `{owner}` has no such fixture"),
            };
            let message = format!("there is no fixture `{}`", need.fixture);
            self.out.push(
                Diagnostic::error(codes::UNKNOWN_FIXTURE, message)
                    .label(need.span, "")
                    .help(help)
                    .source(&self.with_text(&suite.source)),
            );
        }
    }

    /// Outputs read of fixtures in other files must exist.
    fn outputs(&mut self, catalogue: &Catalogue) {
        for (file, found) in std::mem::take(&mut self.uses) {
            let Some((_, fixture)) = catalogue.fixture(&found.fixture) else {
                continue;
            };
            let outputs: Vec<String> = fixture.outputs.iter().map(|(name, _)| name.clone()).collect();
            if !outputs.contains(&found.output) {
                let problem = unknown_output(&found.fixture, &found.output, found.span, &outputs);
                self.out.push(match file.source() {
                    Ok(source) => problem.source(&source),
                    Err(_) => problem,
                });
            }
        }
    }

    /// Circles of fixtures that go through several files; those within one are the reader's.
    fn circles(&mut self, catalogue: &Catalogue) {
        let ids: Vec<(String, &Suite, &Case)> = catalogue
            .suites
            .iter()
            .flat_map(|suite| suite.fixtures.iter().map(move |case| (format!("{}.{}", suite.id, case.id), suite, case)))
            .collect();
        let graph: BTreeMap<&str, Vec<&str>> = ids
            .iter()
            .map(|(id, _, case)| (id.as_str(), case.needs.iter().map(|need| need.fixture.as_str()).collect()))
            .collect();
        for circle in circles(&graph) {
            let Some((_, suite, case)) = ids.iter().find(|(id, _, _)| Some(&id.as_str()) == circle.first()) else {
                continue;
            };
            let prefix = format!("{}.", suite.id);
            if circle.iter().all(|id| id.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.'))) {
                continue;
            }
            let span = case
                .needs
                .iter()
                .find(|need| circle.contains(&need.fixture.as_str()))
                .map_or(Span::default(), |need| need.span);
            let message = format!("fixtures need each other in a circle: {}", arrows(&circle));
            self.out.push(
                Diagnostic::error(codes::CYCLE, message)
                    .label(span, "")
                    .help("break the circle at one place")
                    .source(&self.with_text(&suite.source)),
            );
        }
    }

    /// Fixtures that nothing needs. When a file could not be read, nobody knows.
    fn unused(&mut self, catalogue: &Catalogue) {
        if self.out.has_errors() {
            return;
        }
        let mut used: BTreeSet<&str> = needs(catalogue).map(|(_, need)| need.fixture.as_str()).collect();
        used.extend(catalogue.families.iter().flat_map(|family| family.sessions.values().map(String::as_str)));
        for suite in &catalogue.suites {
            for fixture in &suite.fixtures {
                if !used.contains(format!("{}.{}", suite.id, fixture.id).as_str()) {
                    let source = self.with_text(&suite.source);
                    let line = source.slice(fixture.span).lines().next().unwrap_or_default().trim_end().len();
                    let span = Span::new(fixture.span.start, fixture.span.start + line);
                    let message = format!("nothing needs the fixture `{}.{}`", suite.id, fixture.id);
                    self.out.push(
                        Diagnostic::warning(codes::UNUSED, message)
                            .label(span, "")
                            .help("remove it, or name it in the `needs` of a case")
                            .source(&source),
                    );
                }
            }
        }
    }
}

/// Every need of every fixture and case.
fn needs(catalogue: &Catalogue) -> impl Iterator<Item = (&Suite, &Need)> {
    catalogue.suites.iter().flat_map(|suite| {
        suite.fixtures.iter().chain(&suite.cases).flat_map(move |case| case.needs.iter().map(move |need| (suite, need)))
    })
}

/// Lints files, with what they say about each other. The other files below the same directory `suites` are read as well,
/// since fixtures may be in them, but only problems of the given files are reported.
pub fn lint_files<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Diagnostics {
    let mut asked = BTreeSet::new();
    let mut around = BTreeSet::new();
    for path in paths {
        let path = path.as_ref();
        asked.insert(path.to_owned());
        if let Some(root) = path.ancestors().find(|parent| parent.file_name().is_some_and(|name| name == "suites")) {
            yaml_files(root, 0, &mut around);
        }
    }
    around.extend(asked.iter().cloned());
    let mut unreadable = Diagnostics::new();
    let mut files = Vec::new();
    for path in around {
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                unreadable.push(Diagnostic::error(codes::FORMAT, message).help("give the path of a suite file"));
            }
        }
    }
    let names: BTreeSet<String> = asked.iter().map(|path| path.display().to_string()).collect();
    let (_, problems) = Catalogue::load(files);
    let mut shown: Diagnostics = problems
        .into_iter()
        .filter(|problem| problem.source.as_ref().is_none_or(|source| names.contains(&source.name)))
        .collect();
    shown.extend(unreadable);
    shown
}

/// Adds the YAML files below a directory. What cannot be listed is left out: nobody asked for it.
fn yaml_files(directory: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth < 8 {
            yaml_files(&path, depth + 1, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.insert(path);
        }
    }
}
