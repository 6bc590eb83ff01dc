//! A submission to the Kubernetes conformance programme, `vX.Y/<product>/` with four files, checked offline: by the rules of
//! the programme's bot, as far as a folder can tell, and by what the bot does not look at.
//!
//! Start at [`check`]. The rules are a table ([`rules`]). This module opens no file: it is given a [`Submission`]. What cannot be
//! checked says so; it is never taken as fine.

mod product;
pub mod rules;
mod runs;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::guideline::{ConformanceEntry, Release};
use crate::results::Collected;

use rules::{Origin, RULES};

/// The files of a submission.
pub const FILES: [&str; 4] = ["README.md", "PRODUCT.yaml", "e2e.log", "junit_01.xml"];
/// How much of a list is said.
const NAMED: usize = 5;

/// What is submitted.
#[derive(Debug, Default)]
pub struct Submission {
    /// The last two parts of the path: version and product.
    pub place: (String, String),
    /// Every file of the folder with its size.
    pub files: BTreeMap<String, u64>,
    /// PRODUCT.yaml.
    pub product: Option<Vec<u8>>,
    /// The results and what the log says.
    pub results: Option<Collected>,
    /// Why the results cannot be read.
    pub unreadable: Option<String>,
    /// The conformance tests of the claimed release.
    pub tests: Option<Vec<ConformanceEntry>>,
    /// The release that the list of tests is of, when it says so.
    pub tests_of: Option<Release>,
    /// The title of the pull request.
    pub title: Option<String>,
    /// The newest release of Kubernetes.
    pub latest: Option<Release>,
    /// How many commits the pull request has.
    pub commits: Option<u32>,
    /// The files that the pull request touches, when they are known.
    pub touched: Vec<String>,
    /// The day on which the results are used.
    pub day: Option<Date>,
}

impl Submission {
    /// The claimed release, of the folder's name.
    pub fn release(&self) -> Option<Release> {
        let (version, _) = &self.place;
        let number = version.strip_prefix('v')?;
        let plain =
            number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && number.matches('.').count() == 1;
        plain.then(|| Release::parse(version))?
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It does not hold.
    Broken,
    /// It cannot be told.
    NotChecked,
    /// It holds.
    Holds,
}

/// A rule with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `C001`.
    pub code: &'static str,
    /// Whose rule it is.
    pub origin: Origin,
    /// What must hold.
    pub rule: &'static str,
    /// What became of it.
    pub state: State,
    /// What is wrong, or why it was not checked; one text for each thing.
    pub details: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// How a rule was judged.
enum Judged {
    /// It holds unless there is something wrong.
    Checked(Vec<String>),
    /// Why it was not checked.
    Not(String),
}

impl Judged {
    fn not(why: impl Into<String>) -> Judged {
        Judged::Not(why.into())
    }

    fn when(broken: bool, what: impl FnOnce() -> String) -> Judged {
        Judged::Checked(broken.then(what).into_iter().collect())
    }
}

/// Every rule with what became of it, in the order of the table.
pub fn check(submission: &Submission) -> Vec<Finding> {
    let mut judged: BTreeMap<&'static str, Judged> = BTreeMap::new();
    request(submission, &mut judged);
    folder(submission, &mut judged);
    product::check(submission, &mut judged);
    runs::check(submission, &mut judged);
    let finding = |rule: &'static rules::Rule| {
        let judged = judged.remove(rule.code).unwrap_or(Judged::Not("nothing is known of it".to_owned()));
        let (state, details) = match judged {
            Judged::Checked(wrong) if wrong.is_empty() => (State::Holds, wrong),
            Judged::Checked(wrong) => (State::Broken, wrong),
            Judged::Not(why) => (State::NotChecked, vec![why]),
        };
        let remedy = (state == State::Broken).then_some(rule.remedy);
        Finding { code: rule.code, origin: rule.origin, rule: rule.rule, state, details, remedy }
    };
    RULES.iter().map(finding).collect()
}

/// What belongs to a pull request, not to a folder.
fn request(submission: &Submission, judged: &mut BTreeMap<&'static str, Judged>) {
    let (version, product) = &submission.place;
    match submission.title.as_deref().map(str::trim) {
        None => {
            for code in ["C001", "C008", "C013"] {
                judged.insert(code, Judged::not("a folder has no title: give that of the pull request"));
            }
        }
        Some(title) => {
            judged.insert("C001", Judged::when(title.is_empty(), || "the title is empty".to_owned()));
            let stated = version_in(title);
            judged.insert(
                "C008",
                Judged::when(stated != submission.release(), || match stated {
                    Some(stated) => format!("the title says {stated}, the folder `{version}`"),
                    None => format!("the title names no version, the folder is `{version}`"),
                }),
            );
            let wanted = format!("conformance results for {version}");
            let usual = title.to_lowercase().starts_with(&wanted.to_lowercase());
            let example = || format!("`{title}` does not begin with `Conformance results for {version}/{product}`");
            judged.insert("C013", Judged::when(!usual, example));
        }
    }
    judged.insert(
        "C017",
        match submission.commits {
            None => Judged::not("a folder has no commits: say how many the pull request has"),
            Some(commits) => Judged::when(commits != 1, || format!("it has {commits}")),
        },
    );
    judged.insert(
        "C014",
        match (submission.latest, submission.release()) {
            (Some(latest), Some(own)) => {
                let fits = own.0 == latest.0 && own.1 <= latest.1 && own.1 + 2 >= latest.1;
                Judged::when(!fits, || format!("{own} is claimed, {latest} is the newest"))
            }
            (None, _) => Judged::not("the newest Kubernetes release is not known: name it"),
            (_, None) => Judged::not("the folder names no release"),
        },
    );
}

fn folder(submission: &Submission, judged: &mut BTreeMap<&'static str, Judged>) {
    let (version, product) = &submission.place;
    let missing = FILES.iter().filter(|name| !submission.files.contains_key(**name));
    judged.insert("C002", Judged::Checked(missing.map(|name| format!("{name} is missing")).collect()));
    let empty = submission.files.iter().filter(|(_, size)| **size == 0);
    judged.insert("C003", Judged::Checked(empty.map(|(name, _)| format!("{name} is empty")).collect()));
    let prefix = format!("{version}/{product}/");
    let inside = submission.files.keys().filter(|name| !FILES.contains(&name.as_str())).cloned();
    let outside =
        submission.touched.iter().filter(|path| !FILES.iter().any(|name| path.strip_prefix(&prefix) == Some(*name)));
    let others: Vec<String> = inside.chain(outside.cloned()).collect();
    judged.insert("C005", Judged::Checked(listed(&others, "is no file of a submission")));
    let named = submission.release().is_some() && !product.is_empty();
    judged.insert("C006", Judged::when(!named, || format!("the folder is `{version}/{product}`")));
    judged.insert(
        "C007",
        if submission.touched.is_empty() {
            Judged::not("a folder is one product: give the files that the pull request touches")
        } else {
            let mut products: Vec<String> =
                submission.touched.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect();
            products.sort();
            products.dedup();
            Judged::when(products.len() > 1, || format!("files of {}", products.join(", ")))
        },
    );
}

/// The first word of a text that is a release.
fn version_in(text: &str) -> Option<Release> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '/' | ',' | ':' | '(' | ')'));
    words.filter(|word| word.starts_with('v')).find_map(Release::parse)
}

/// Each with what is wrong, the first few of them.
fn listed(names: &[String], what: &str) -> Vec<String> {
    let mut texts: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name} {what}")).collect();
    if names.len() > NAMED {
        texts.push(format!("and {} more", names.len() - NAMED));
    }
    texts
}

#[cfg(test)]
mod tests;
