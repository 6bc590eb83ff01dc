//! `assize submission`: the folder of a submission to the Kubernetes conformance programme.

use std::collections::BTreeMap;
use std::path::Path;

use crate::guideline::{Release, conformance_entries};
use crate::results::collect_files;
use crate::submission::{Finding, State, Submission, check, rules::Origin};
use crate::text::plural;

use super::args::SubmissionArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::{files, inputs};

/// Checks a submission.
///
/// # Errors
/// When the folder or the list of tests cannot be read.
pub fn submission(context: &Context, args: &SubmissionArgs) -> Result<Exit, CliError> {
    let submission = gather(context, args)?;
    let findings = check(&submission);
    let of = |state: State| findings.iter().filter(|one| one.state == state).count();
    let broken = of(State::Broken);
    let not_checked = of(State::NotChecked);
    if args.json {
        let value = serde_json::json!({
            "version": submission.place.0,
            "product": submission.place.1,
            "rules": findings,
            "broken": broken,
            "not_checked": not_checked,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
        context.say(text);
    } else {
        findings.iter().filter(|one| args.all || one.state != State::Holds).for_each(|one| show(context, one));
        let refused = findings.iter().filter(|one| one.state == State::Broken && one.origin == Origin::Bot).count();
        let rules = plural(findings.len(), "rule");
        context.say(format!(
            "{rules}: {} hold, {broken} broken ({refused} of the programme's own), {not_checked} not checked",
            of(State::Holds)
        ));
    }
    Ok(if broken == 0 { Exit::Ok } else { Exit::NotConformant })
}

fn show(context: &Context, finding: &Finding) {
    let (word, paint) = match finding.state {
        State::Broken => ("broken", Paint::Bad),
        State::NotChecked => ("not checked", Paint::Doubt),
        State::Holds => ("holds", Paint::Good),
    };
    let own = if finding.origin == Origin::Bot { "" } else { " (not looked at by the bot)" };
    context.say(format!("{} {}  {}{own}", context.data(paint, &format!("{word:<11}")), finding.code, finding.rule));
    finding.details.iter().for_each(|detail| context.say(format!("                  {detail}")));
    if let Some(remedy) = finding.remedy {
        context.say(context.data(Paint::Dim, &format!("                  remedy: {remedy}")));
    }
}

fn gather(context: &Context, args: &SubmissionArgs) -> Result<Submission, CliError> {
    let folder = &args.folder;
    let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", folder.display()));
    // `.` says nothing of version and product.
    let whole = std::fs::canonicalize(folder).map_err(failed)?;
    let mut parts = whole.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let product = parts.next().unwrap_or_default();
    let place = (parts.next().unwrap_or_default(), product);
    let mut submission = Submission {
        place,
        files: listing(&whole).map_err(failed)?,
        title: args.title.clone(),
        latest: args.latest.as_deref().map(release).transpose()?,
        commits: args.commits,
        touched: args.files.clone(),
        day: Some(args.date.unwrap_or_else(|| jiff::Zoned::now().date())),
        ..Submission::default()
    };
    if submission.files.contains_key("PRODUCT.yaml") {
        submission.product = Some(inputs::read(&whole.join("PRODUCT.yaml"))?);
    }
    // Only the two files that belong to it: another one is an error of its own, not a source.
    let own = files::below(&whole).into_iter().filter(|(name, _)| matches!(name.as_str(), "junit_01.xml" | "e2e.log"));
    if submission.files.contains_key("junit_01.xml") {
        match collect_files(own) {
            Ok(results) => submission.results = Some(results),
            Err(error) => submission.unreadable = Some(error.to_string()),
        }
    }
    if let Some(path) = &args.guideline {
        let shown = path.display().to_string();
        let (of, tests) = conformance_entries(&shown, &inputs::read(path)?).map_err(|problems| {
            let text = problems.render(context.colored_talk());
            CliError::new(Exit::InvalidInput, format!("the list of tests cannot be used\n\n{text}"))
        })?;
        (submission.tests, submission.tests_of) = (Some(tests), of);
    }
    Ok(submission)
}

fn release(text: &str) -> Result<Release, CliError> {
    Release::parse(text)
        .ok_or_else(|| CliError::new(Exit::Usage, format!("`{text}` is no release")).hint("write it as v1.36"))
}

/// Every file with its size; a folder in it is listed as one.
fn listing(folder: &Path) -> std::io::Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if data.is_dir() {
            found.insert(format!("{name}/"), 1);
        } else if data.is_file() {
            found.insert(name, data.len());
        } else {
            // A link could lead anywhere, and the programme has no use for one.
            found.insert(format!("{name} (a link or special file)"), 1);
        }
    }
    Ok(found)
}
