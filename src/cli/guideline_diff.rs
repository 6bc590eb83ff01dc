//! `assize guideline diff`: what differs between two guidelines, or between a derived one and its parent.

use serde_json::json;

use crate::guideline::{ChangeKind, DerivedChange, Difference, differences};
use crate::text::{one_line, plural};

use super::args::GuidelineDiffArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs;

/// Shows the differences.
///
/// # Errors
/// When a guideline cannot be used, or there is nothing to compare with.
pub fn diff(context: &Context, args: &GuidelineDiffArgs) -> Result<Exit, CliError> {
    let first = inputs::guideline_alone(context, &args.old)?;
    let (old, new) = match &args.new {
        Some(name) => (first, inputs::guideline_alone(context, name)?),
        None => {
            let Some(derived) = &first.metadata.derived else {
                return Err(CliError::new(Exit::Usage, format!("`{}` is no derived guideline", args.old))
                    .hint("give two guidelines: the one before and the one after"));
            };
            (inputs::guideline_alone(context, &derived.parent)?, first)
        }
    };
    let all = differences(&old, &new);
    let changes = new.metadata.derived.as_ref().map(|derived| derived.changes.as_slice()).unwrap_or_default();
    let why = |one: &Difference| changes.iter().find(|change| change.kind == one.kind && change.what == one.name);
    if args.json {
        let list: Vec<_> = all
            .iter()
            .map(|one| {
                let why = why(one);
                json!({
                    "part": one.part, "name": one.name, "kind": one.kind, "note": one.note,
                    "reason": why.map(|why| &why.reason), "owner": why.map(|why| &why.owner),
                })
            })
            .collect();
        context.say(serde_json::Value::from(list).to_string());
        return Ok(Exit::Ok);
    }
    let heading = format!("{} → {}", old.full_id(), new.full_id());
    if args.markdown {
        context.say(markdown(&heading, &all, why));
    } else {
        context.say(context.data(Paint::Bold, &heading));
        for one in &all {
            context.say(line(context, one, why(one)));
        }
    }
    context.tell(if all.is_empty() { "no differences".to_owned() } else { plural(all.len(), "difference") });
    Ok(Exit::Ok)
}

fn line(context: &Context, one: &Difference, why: Option<&DerivedChange>) -> String {
    let (sign, paint) = match one.kind {
        ChangeKind::Add => ("+", Paint::Good),
        ChangeKind::Drop => ("-", Paint::Bad),
        ChangeKind::Flag => ("!", Paint::Doubt),
        ChangeKind::Change => ("~", Paint::Doubt),
    };
    let sign = context.data(paint, sign);
    let mut text = format!("  {sign} {} {}: {}", one.part.as_str(), one.name, one_line(&one.note));
    if let Some(why) = why {
        let why = format!("      {} ({})", one_line(&why.reason), one_line(&why.owner));
        text.push_str(&format!("\n{}", context.data(Paint::Dim, &why)));
    }
    text
}

fn markdown<'w>(heading: &str, all: &[Difference], why: impl Fn(&Difference) -> Option<&'w DerivedChange>) -> String {
    let cell = |text: &str| one_line(text).replace('|', "\\|");
    let mut text =
        format!("## {heading}\n\n| | part | name | what | why | owner |\n| --- | --- | --- | --- | --- | --- |");
    for one in all {
        let (reason, owner) = why(one).map_or(("", ""), |why| (why.reason.as_str(), why.owner.as_str()));
        let (kind, part) = (one.kind.as_str(), one.part.as_str());
        text.push_str(&format!(
            "\n| {kind} | {part} | `{}` | {} | {} | {} |",
            cell(&one.name),
            cell(&one.note),
            cell(reason),
            cell(owner)
        ));
    }
    text
}
