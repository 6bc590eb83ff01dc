//! `assize list`.

use crate::suite::Case;

use super::args::ListArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs;

/// Lists the selected cases.
///
/// # Errors
/// When the suites cannot be used or nothing is selected.
pub fn list(context: &Context, args: &ListArgs) -> Result<Exit, CliError> {
    let loaded = inputs::catalogue(context, args.suites.suites.as_deref())?;
    let (mut count, mut suite_shown) = (0_usize, String::new());
    for instance in loaded.catalogue.instances() {
        let Some((suite, case)) = loaded.catalogue.get(instance) else { continue };
        let id = loaded.catalogue.id(instance);
        let family = args.family.as_ref().is_none_or(|family| *family == suite.family);
        if !family || !super::run::selection(&args.suites).takes(&id) {
            continue;
        }
        count += 1;
        if args.json {
            context.say(line(&id, case, &suite.family).to_string());
        } else {
            if suite_shown != suite.id {
                suite_shown.clone_from(&suite.id);
                context.say(format!("{} {}", context.data(Paint::Bold, &suite.id), suite.title));
            }
            let capabilities: Vec<_> = case.capabilities.iter().map(ToString::to_string).collect();
            context.say(format!("  {id}  {}", case.title));
            let risk = format!("{:?}", case.risk).to_lowercase();
            context.say(context.data(Paint::Dim, &format!("      {} · risk {risk}", capabilities.join(", "))));
        }
    }
    if count == 0 {
        return Err(CliError::new(Exit::NothingRan, "no case is selected").hint("`assize list` shows all cases"));
    }
    context.tell(crate::text::plural(count, "case"));
    Ok(Exit::Ok)
}

fn line(id: &str, case: &Case, family: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id,
        "title": case.title,
        "family": family,
        "capabilities": case.capabilities.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "spec": case.spec,
        "covers": case.covers,
        "risk": case.risk,
        "serial": case.serial,
    })
}
