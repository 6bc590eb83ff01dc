//! `assize guideline`: what can be done with a guideline without a target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::capability::LifeCycle;
use crate::guideline::worksheet::{Sheet, Total};
use crate::guideline::{
    self, Guideline, Origin, Program, TestListOptions, codes, composite, is_guideline, lint_change, lint_derived,
    lint_together, test_list,
};
use crate::suite::embedded;
use crate::text::{Diagnostics, did_you_mean, plural};

use super::args::{GuidelineCommand, GuidelineLintArgs, SheetFormat, ShowArgs, TestsArgs, WorksheetArgs};
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs::{self, read};

/// Does one of the commands.
///
/// # Errors
/// When a file cannot be used.
pub fn guideline(context: &Context, command: &GuidelineCommand) -> Result<Exit, CliError> {
    match command {
        GuidelineCommand::Lint(args) => lint(context, args),
        GuidelineCommand::Show(args) => show(context, args),
        GuidelineCommand::Diff(args) => super::guideline_diff::diff(context, args),
        GuidelineCommand::Tests(args) => tests(context, args),
        GuidelineCommand::Worksheet(args) => worksheet(context, args),
    }
}

fn lint(context: &Context, args: &GuidelineLintArgs) -> Result<Exit, CliError> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut skipped = 0;
    if args.files.is_empty() {
        let known = embedded().filter(|(name, _)| name.starts_with("capabilities/") && name.ends_with(".json"));
        files.extend(known.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    }
    for path in &args.files {
        if path.is_dir() {
            gather(path, &mut files, &mut skipped)?;
        } else {
            let (bytes, name) = inputs::guideline_bytes(None, &path.to_string_lossy())?;
            files.push((name, bytes));
        }
    }
    if files.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "there is no guideline to lint")
            .hint("guidelines end in .json and have capabilities"));
    }
    let mut problems = Diagnostics::new();
    let mut read: Vec<Guideline> = Vec::new();
    let mut composites = Vec::new();
    for (name, bytes) in &files {
        if composite::is_composite(bytes) {
            match composite::read(name, bytes) {
                Ok((one, found)) => {
                    problems.extend(found);
                    composites.push(one);
                }
                Err(found) => problems.extend(found),
            }
            continue;
        }
        match Guideline::read(name, bytes) {
            Ok((one, found)) => {
                problems.extend(found);
                problems.extend(guideline::lint(&one, None));
                read.push(one);
            }
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(lint_together(&read.iter().collect::<Vec<_>>()));
    problems.extend(across(&read, &composites));
    if let Some(path) = &args.baseline {
        problems.extend(against(context, path, &read)?);
    }
    if skipped > 0 {
        context.tell(format!("{} in folders left out: no guideline", plural(skipped, "JSON file")));
    }
    tell(context, &problems, files.len(), args.json);
    Ok(if problems.has_errors() { Exit::InvalidInput } else { Exit::Ok })
}

/// Derived guidelines against their parents, composites against the guidelines of their parts: those given, else those
/// built in.
fn across(read: &[Guideline], composites: &[composite::Composite]) -> Diagnostics {
    let wanted = read.iter().filter_map(|one| one.metadata.derived.as_ref()).map(|derived| &derived.parent);
    let parts = composites.iter().flat_map(|one| &one.programs).flat_map(|one| &one.parts).map(|part| &part.guideline);
    let mut known: BTreeMap<String, Guideline> = BTreeMap::new();
    for name in wanted.chain(parts) {
        if !known.contains_key(name)
            && !read.iter().any(|one| one.full_id() == *name)
            && let Ok((bytes, shown)) = inputs::guideline_bytes(None, name)
            && let Ok((one, _)) = Guideline::read(&shown, &bytes)
        {
            known.insert(name.clone(), one);
        }
    }
    let find = |name: &str| read.iter().find(|one| one.full_id() == name).or_else(|| known.get(name));
    let mut problems = Diagnostics::new();
    for one in read {
        let parent = one.metadata.derived.as_ref().and_then(|derived| find(&derived.parent));
        problems.extend(lint_derived(one, parent));
    }
    for one in composites {
        problems.extend(composite::lint_composite(one, find));
    }
    problems
}

/// What changed since another state of the same guideline.
fn against(context: &Context, path: &Path, read: &[Guideline]) -> Result<Diagnostics, CliError> {
    let old = inputs::guideline_alone(context, &path.to_string_lossy())?;
    let same = |one: &&Guideline| {
        one.metadata.id == old.metadata.id
            && one.metadata.family == old.metadata.family
            && one.metadata.origin == old.metadata.origin
    };
    let Some(new) = read.iter().find(same) else {
        let message = format!("the baseline is guideline {}, which is not among the files", old.metadata.id);
        return Err(CliError::new(Exit::Usage, message).hint("give the earlier state of a file that is linted"));
    };
    Ok(lint_change(&old, new))
}

fn gather(path: &Path, files: &mut Vec<(String, Vec<u8>)>, skipped: &mut usize) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", path.display()));
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).map_err(failed)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            gather(&entry, files, skipped)?;
        } else if entry.extension().is_some_and(|extension| extension == "json") {
            let bytes = read(&entry)?;
            match is_guideline(&bytes) || composite::is_composite(&bytes) {
                true => files.push((entry.display().to_string(), bytes)),
                false => *skipped += 1,
            }
        }
    }
    Ok(())
}

/// Shows problems, each with the rule that it breaks when a machine reads them.
fn tell(context: &Context, problems: &Diagnostics, files: usize, json: bool) {
    if json {
        let mut list = problems.to_json();
        for one in list.as_array_mut().into_iter().flatten() {
            let rule = one["code"].as_str().and_then(codes::rule);
            one["rule"] = rule.into();
        }
        context.say(list.to_string());
        return;
    }
    if !problems.is_empty() {
        context.tell(problems.render(context.colored_talk()));
    }
    let found = if problems.is_empty() { "no problems".to_owned() } else { plural(problems.len(), "problem") };
    context.tell(format!("{}: {found}", plural(files, "guideline")));
}

fn show(context: &Context, args: &ShowArgs) -> Result<Exit, CliError> {
    let guideline = inputs::guideline_alone(context, &args.guideline)?;
    let programs = match &args.program {
        Some(name) => vec![program(&guideline, name)?],
        None => guideline.programs.iter().collect(),
    };
    if args.json {
        context.say(summary(&guideline, &programs).to_string());
        return Ok(Exit::Ok);
    }
    context.say(context.data(Paint::Bold, &headline(&guideline)));
    for program in programs {
        context.say("");
        context.say(format!("{}  {}", context.data(Paint::Bold, &program.name), program.description));
        let components: Vec<String> = program.components.iter().map(component).collect();
        context.say(context.data(Paint::Dim, &format!("  components: {}", components.join(", "))));
        if !program.host_components.is_empty() {
            let hosts: Vec<String> = program.host_components.iter().map(component).collect();
            context.say(context.data(Paint::Dim, &format!("  on top of: {}", hosts.join(", "))));
        }
        listing(context, &guideline, program);
    }
    let accepted = accepted(&guideline);
    if !accepted.is_empty() {
        context.say("");
        context.say(context.data(Paint::Bold, "Known and accepted"));
        accepted.iter().for_each(|line| context.say(format!("  {line}")));
    }
    Ok(Exit::Ok)
}

fn component(one: &guideline::ComponentRef) -> String {
    match &one.source {
        Some(source) => format!("{} ({source})", one.name),
        None => one.name.clone(),
    }
}

fn headline(guideline: &Guideline) -> String {
    let metadata = &guideline.metadata;
    let mut parts = vec![match metadata.origin {
        Origin::Assize => format!("{}/{}", metadata.family, metadata.id),
        Origin::Interop => format!("{}, interop schema {}", metadata.id, metadata.schema),
        Origin::Conformance => format!("conformance tests of Kubernetes {}", metadata.id),
    }];
    let approval = &metadata.approval;
    parts.extend(approval.status.map(|status| format!("{status:?}").to_lowercase()));
    parts.extend(approval.replaces.as_ref().map(|id| format!("replaces {id}")));
    parts.extend(metadata.derived.as_ref().map(|derived| format!("derived from {}", derived.parent)));
    if !approval.releases.is_empty() && metadata.origin != Origin::Conformance {
        parts.push(format!("for {}", approval.releases.join(", ")));
    }
    parts.join(", ")
}

fn listing(context: &Context, guideline: &Guideline, program: &Program) {
    let standing = guideline.standing(program);
    let width = standing.keys().map(|id| id.as_str().len()).max().unwrap_or_default();
    for level in LifeCycle::ALL {
        let ids: Vec<_> = standing.iter().filter(|(_, own)| *own == level).map(|(id, _)| *id).collect();
        if ids.is_empty() {
            continue;
        }
        let all = || ids.iter().filter_map(|id| guideline.capabilities.get(*id)).flat_map(|one| one.tests.values());
        let flagged = all().filter(|test| test.flagged.is_some()).count();
        let count = format!("{level}: {}, {}", number(ids.len()), tests_of(all().count(), flagged));
        context.say(format!("  {}", context.data(Paint::Bold, &count)));
        for id in ids {
            let Some(capability) = guideline.capabilities.get(id) else {
                context.say(format!("    {id:<width$}  not defined"));
                continue;
            };
            let flagged = capability.tests.values().filter(|test| test.flagged.is_some()).count();
            let count = tests_of(capability.tests.len(), flagged);
            let hollow = *level == LifeCycle::Required && flagged == capability.tests.len();
            let paint = if hollow { Paint::Bad } else { Paint::Dim };
            let text = capability.name.as_deref().unwrap_or(&capability.description);
            let inferred = if capability.inferred.is_some() { " (inferred)" } else { "" };
            let admin = if capability.admin { " (admin)" } else { "" };
            context.say(format!("    {id:<width$}  {}{inferred}{admin}  {text}", context.data(paint, &count)));
        }
    }
}

/// `3 capabilities`: the plural is irregular.
fn number(count: usize) -> String {
    if count == 1 { "1 capability".to_owned() } else { format!("{count} capabilities") }
}

fn tests_of(count: usize, flagged: usize) -> String {
    let tests = plural(count, "test");
    if flagged == 0 { tests } else { format!("{tests}, {flagged} flagged") }
}

fn accepted(guideline: &Guideline) -> Vec<String> {
    let whole = guideline.metadata.accept.iter().map(|(code, why)| format!("{code}: {why}"));
    let own = guideline.capabilities.iter();
    let own = own.flat_map(|(id, one)| one.accept.iter().map(move |(code, why)| format!("{code} {id}: {why}")));
    whole.chain(own).collect()
}

fn summary(guideline: &Guideline, programs: &[&Program]) -> serde_json::Value {
    let metadata = &guideline.metadata;
    let program = |program: &&Program| {
        let capabilities = guideline.standing(program).into_iter().map(|(id, level)| {
            let own = guideline.capabilities.get(id);
            let tests = || own.into_iter().flat_map(|own| own.tests.values());
            serde_json::json!({
                "id": id,
                "standing": level,
                "defined": own.is_some(),
                "name": own.and_then(|own| own.name.clone()),
                "description": own.map(|own| own.description.clone()),
                "admin": own.is_some_and(|own| own.admin),
                "inferred": own.and_then(|own| own.inferred.clone()),
                "points": own.map(|own| guideline.points(own)),
                "tests": tests().count(),
                "flagged": tests().filter(|test| test.flagged.is_some()).count(),
            })
        });
        serde_json::json!({
            "name": program.name,
            "description": program.description,
            "components": program.components.iter().map(|one| one.name.clone()).collect::<Vec<_>>(),
            "capabilities": capabilities.collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "id": metadata.id,
        "family": metadata.family,
        "schema": metadata.schema,
        "status": metadata.approval.status,
        "replaces": metadata.approval.replaces,
        "derived_from": metadata.derived.as_ref().map(|derived| derived.parent.clone()),
        "digest": guideline.places.digest(),
        "content": guideline::content_digest(guideline),
        "releases": metadata.approval.releases,
        "programs": programs.iter().map(program).collect::<Vec<_>>(),
    })
}

fn program<'g>(guideline: &'g Guideline, name: &str) -> Result<&'g Program, CliError> {
    guideline.program_like(name).ok_or_else(|| {
        let known: Vec<&str> = guideline.programs.iter().map(|program| program.name.as_str()).collect();
        let message = format!("guideline {} has no program `{name}`", guideline.metadata.id);
        let error = CliError::new(Exit::Usage, message);
        match did_you_mean(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("it has {}", known.join(", "))),
        }
    })
}

fn tests(context: &Context, args: &TestsArgs) -> Result<Exit, CliError> {
    let guideline = inputs::guideline_alone(context, &args.guideline)?;
    let program = program(&guideline, &args.program)?;
    let unknown = |error: crate::capability::UnknownWord| CliError::new(Exit::Usage, error.to_string());
    let standings: Result<Vec<LifeCycle>, _> = args.status.iter().map(|word| word.parse()).collect();
    let options =
        TestListOptions { standings: standings.map_err(unknown)?, aliases: args.alias, flagged: args.flagged };
    let lines = test_list(&guideline, program, &options);
    if lines.is_empty() {
        return Err(CliError::new(Exit::NothingRan, format!("program `{}` has no such test", program.name))
            .hint("`assize guideline show` lists its capabilities with their standing"));
    }
    context.say(lines.join("\n"));
    context.tell(plural(lines.len(), "line"));
    Ok(Exit::Ok)
}

fn worksheet(context: &Context, args: &WorksheetArgs) -> Result<Exit, CliError> {
    let mut sheet = sheet(context, &args.file)?;
    if let Some(weights) = &args.guideline {
        sheet.set_weights(&inputs::guideline_alone(context, weights)?);
    }
    if let Some(cutoff) = args.cutoff {
        sheet.set_cutoff(cutoff);
    }
    let count = sheet.rows().count();
    if count == 0 {
        return Err(CliError::new(Exit::NothingRan, format!("`{}` has no row of a score sheet", args.file))
            .hint("a row looks like `name: [1,0,1] [1,1,1] [0,1,0] [0,1,1] [1] [0]`"));
    }
    match (args.explain, args.format) {
        (true, _) => {
            let rows: Vec<String> = sheet.rows().map(|row| sheet.explain(row)).collect();
            context.say(rows.join("\n"));
        }
        (false, SheetFormat::Text) => context.say(without_last_break(&sheet.text())),
        (false, SheetFormat::Csv) => context.say(without_last_break(&sheet.csv())),
        (false, SheetFormat::Json) => context.say(sheet.json().to_string()),
    }
    for assessment in sheet.rows().map(|row| sheet.assess(row)) {
        if let Some(stated) = assessment.stated {
            let (name, total) = (assessment.capability, assessment.total);
            context.warn(format!("{name}: the sheet says {stated}, it comes to {total}"));
        }
    }
    let reached = sheet.rows().filter(|row| sheet.reaches(row)).count();
    let vetoed = sheet.rows().filter(|row| sheet.total(row) == Total::Vetoed).count();
    let all = number(count);
    context.tell(format!("{all}: {reached} reach the cut-off of {}, {vetoed} vetoed", sheet.cutoff()));
    Ok(Exit::Ok)
}

/// What is said ends with a line break of its own.
fn without_last_break(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// A sheet from a guideline (file or id), else from a text.
fn sheet(context: &Context, name: &str) -> Result<Sheet, CliError> {
    let path = Path::new(name);
    if path.is_file() && path.extension().is_none_or(|extension| extension != "json") {
        let text =
            String::from_utf8(read(path)?).map_err(|_| CliError::input(format!("`{name}` is not UTF-8 text")))?;
        return Ok(Sheet::parse(&text));
    }
    Ok(Sheet::of_guideline(&inputs::guideline_alone(context, name)?))
}
