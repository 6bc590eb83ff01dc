//! `assize score` with a composite guideline: several bundles, one verdict.

use std::path::Path;

use crate::guideline::composite::{self, Composite, CompositeProgram};
use crate::score::{self, CompositeScore, ProgramScore, Verdict, compose};
use crate::text::{did_you_mean, one_line};

use super::args::ScoreArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded};
use super::score::{Taken, of_bundle};
use super::verdict;

/// The composite that a name means, when it is the file of one.
///
/// # Errors
/// When the file is one and is invalid.
pub fn named(context: &Context, name: Option<&str>) -> Result<Option<Composite>, CliError> {
    let Some(path) = name.map(Path::new).filter(|path| path.is_file()) else { return Ok(None) };
    let bytes = inputs::read(path)?;
    if !composite::is_composite(&bytes) {
        return Ok(None);
    }
    let (composite, problems) = composite::read(&path.display().to_string(), &bytes).map_err(|problems| {
        let text = problems.render(context.colored_talk());
        CliError::new(Exit::InvalidInput, format!("the guideline cannot be used\n\n{text}"))
    })?;
    inputs::heed(context, &problems, "the guideline")?;
    Ok(Some(composite))
}

/// Scores bundles of several families.
///
/// # Errors
/// When a bundle or a guideline cannot be used, or two bundles are of one family.
pub fn score(context: &Context, args: &ScoreArgs, loaded: &Loaded, composite: &Composite) -> Result<Exit, CliError> {
    if args.defcore_rules || args.waivers.is_some() {
        return Err(CliError::new(
            Exit::Usage,
            "a composite guideline is scored by its bundles, with their own waivers",
        ));
    }
    let mut bundles: Vec<Taken> = Vec::new();
    for path in &args.results {
        if !path.is_dir() {
            return Err(CliError::new(Exit::Usage, format!("`{}` is no bundle", path.display()))
                .hint("a composite guideline takes folders of bundles, one for each family"));
        }
        let taken = of_bundle(path)?;
        if bundles.iter().any(|other| other.family == taken.family) {
            return Err(CliError::new(Exit::Usage, format!("two bundles are of family `{}`", taken.family))
                .hint("give one for each family"));
        }
        bundles.push(taken);
    }
    let mut scores = Vec::new();
    for program in programs(args, composite)? {
        let parts: Result<Vec<_>, _> = program.parts.iter().map(|part| one(context, loaded, &bundles, part)).collect();
        scores.push(compose(program, parts?));
    }
    if args.json {
        let text = serde_json::to_string_pretty(&scores).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
        context.say(text);
    } else {
        scores.iter().for_each(|score| show(context, score));
    }
    let conformant = !scores.is_empty() && scores.iter().all(|score| score.verdict == Verdict::Conformant);
    Ok(if conformant { Exit::Ok } else { Exit::NotConformant })
}

fn programs<'c>(args: &ScoreArgs, composite: &'c Composite) -> Result<Vec<&'c CompositeProgram>, CliError> {
    if args.program.is_empty() {
        return Ok(composite.programs.iter().collect());
    }
    let find = |name: &String| {
        composite.programs.iter().find(|program| program.name == *name).ok_or_else(|| {
            let known: Vec<&str> = composite.programs.iter().map(|program| program.name.as_str()).collect();
            let error = CliError::new(Exit::Usage, format!("guideline {} has no program `{name}`", composite.id));
            match did_you_mean(name, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("it has {}", known.join(", "))),
            }
        })
    };
    args.program.iter().map(find).collect()
}

/// The score of one part; `None` when no bundle is of its family.
fn one(
    context: &Context,
    loaded: &Loaded,
    bundles: &[Taken],
    part: &composite::CompositePart,
) -> Result<Option<ProgramScore>, CliError> {
    let guideline = inputs::guideline(context, loaded, &part.guideline)?.guideline;
    if let Some(digest) = part.digest.filter(|digest| guideline.places.digest() != Some(*digest)) {
        let message = format!("part `{}` wants the guideline {} with the digest {digest}", part.name, part.guideline);
        return Err(CliError::input(message).hint("this release has another one; --suites DIR takes that of a folder"));
    }
    let Some(bundle) = bundles.iter().find(|bundle| bundle.family == guideline.metadata.family.as_str()) else {
        return Ok(None);
    };
    let date = bundle.date.parse().map_err(|_| CliError::input(format!("`{}` is not a date", bundle.date)))?;
    let scores = score::score(&guideline, Some(&part.program), &bundle.results, &bundle.waivers, date)
        .map_err(|error| CliError::input(error.to_string()))?;
    Ok(scores.into_iter().next())
}

fn show(context: &Context, score: &CompositeScore) {
    let paint = match score.verdict {
        Verdict::Conformant => Paint::Good,
        Verdict::ConformantWithWaivers | Verdict::Unproven => Paint::Doubt,
        Verdict::NotConformant => Paint::Bad,
    };
    let word = context.data(paint, &format!("{:<15}", score.verdict.as_str()));
    context.say(format!("{word} {}: score {} %", one_line(&score.program), score.score.percent));
    for part in &score.parts {
        let optional = if part.required { "" } else { ", decides nothing" };
        let name = format!("  {} ({}{optional})", one_line(&part.part), part.guideline);
        context.say(context.data(Paint::Bold, &name));
        match &part.score {
            Some(score) => verdict::program(context, score),
            None => context.say(format!("  {}: no bundle of its family", context.data(Paint::Doubt, "unproven"))),
        }
    }
}
