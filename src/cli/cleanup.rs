//! `assize cleanup`: keeps the promises of a run that was cut off.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{self, Journal, Plan, RunOptions};
use crate::report::bundle::names;
use crate::report::rejudge;
use crate::secret::Vault;
use crate::text::one_line;
use crate::transcript::Writer;

use super::args::{CleanupArgs, TargetArgs};
use super::clouds;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::inputs;
use super::kube;

/// The `--set` values of the run.
fn options(inputs: &crate::report::inputs::RunInputs) -> Vec<String> {
    let options = inputs.target["options"].as_object().into_iter().flatten();
    options.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect()
}

/// What the log-in of the run said beside its secrets.
fn fields(login: &serde_json::Value) -> BTreeMap<String, String> {
    let own = |name: &str| name != "username";
    let open =
        |value: &serde_json::Value| value.as_str().filter(|text| !text.starts_with("{{secret:")).map(str::to_owned);
    let members = login.as_object().into_iter().flatten();
    members.filter(|(name, _)| own(name)).filter_map(|(name, value)| Some((name.clone(), open(value)?))).collect()
}

/// What was made in one project cannot be found from another, and would count as gone.
fn same_scope(said: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Result<(), CliError> {
    for key in ["project_id", "project_name", "domain_id", "domain_name"] {
        if let (Some(said), Some(now)) = (said.get(key), now.get(key))
            && said != now
        {
            let message = format!("the run had the {key} `{said}`, and this log-in has `{now}`");
            return Err(CliError::new(Exit::Usage, message).hint("log in as the run did"));
        }
    }
    Ok(())
}

/// Puts back what the journal of a run still promises.
///
/// # Errors
/// When the run folder or the target cannot be used.
pub async fn cleanup(context: &Context, args: &CleanupArgs) -> Result<Exit, CliError> {
    let journal = args.run.join(names::JOURNAL);
    let (inputs, catalogue) = rejudge::open_inputs(&args.run).map_err(|error| {
        CliError::input(error).hint("give the folder of a run: it holds run.json and journal.jsonl")
    })?;
    let base = inputs.target["base"].as_str().unwrap_or_default().to_owned();
    let mut cloud = args.cloud.clone();
    let region = inputs.target["options"]["region"].as_str();
    cloud.os_region_name = cloud.os_region_name.or_else(|| region.map(str::to_owned));
    let given = args.login.username.is_some() || args.login.token_file.is_some() || args.login.client_cert.is_some();
    let of_cloud = inputs.family == clouds::FAMILY && !given;
    let said = fields(&inputs.target["logins"]["main"]);
    let mut kube = args.kube.clone();
    let of_cluster = inputs.family == kube::FAMILY && !given && kube::names(context, &args.kube, &said);
    if of_cluster {
        kube.context = kube.context.or_else(|| said.get("context").cloned());
    }
    let is_named = of_cloud || of_cluster;
    let target = TargetArgs {
        target: Some(if is_named { inputs.family.clone() } else { base.clone() }),
        family: Some(inputs.family.clone()),
        login: args.login.clone(),
        cloud: if of_cloud { cloud } else { args.cloud.clone() },
        kube,
        identity: args.identity.clone(),
        set: options(&inputs),
    };
    let pending = Journal::pending(&journal).map_err(CliError::input)?;
    if pending.is_empty() {
        context.say("Nothing is left to put back.");
        return Ok(Exit::Ok);
    }
    context.tell(format!("{} to keep on {base}", crate::text::plural(pending.len(), "promise")));
    // A cloud or a cluster says itself who logs in.
    let kept = if is_named { BTreeMap::new() } else { said.clone() };
    let target = inputs::target(context, &catalogue, &target, None, kept)?;
    if target.base() != base {
        let (what, option) =
            if of_cluster { ("cluster", "--kubeconfig FILE or --context NAME") } else { ("cloud", "--os-cloud NAME") };
        let message = format!("the run was against {base}, and the {what} is at {}", target.base());
        return Err(CliError::new(Exit::Usage, message).hint(format!("name the {what} of the run with {option}")));
    }
    let vault = Arc::new(Vault::new());
    let mut env = rejudge::env(&inputs, &catalogue);
    env.target = Arc::new(target.view(&vault));
    same_scope(&said, &fields(&env.target["logins"]["main"]))?;
    let known = env.target["identities"].as_array().cloned().unwrap_or_default();
    let had = inputs.target["identities"].as_array().into_iter().flatten();
    for identity in had.filter(|name| is_named && !known.contains(name)) {
        let name = identity.as_str().unwrap_or_default();
        context
            .warn(format!("the run also had the identity `{name}`; what it made needs it again: --identity {name}=…"));
    }
    let (_, id) = super::run::identity(None)?;
    let folder = args.run.join(names::CLEANUP);
    std::fs::create_dir_all(&folder)
        .map_err(|error| CliError::input(format!("cannot create `{}`: {error}", folder.display())))?;
    let writer = Writer::create(&folder.join(format!("{id}.jsonl")), &id).map_err(CliError::input)?;
    let own = Journal::create(&folder.join(format!("{id}.{}", names::JOURNAL)), &id).map_err(CliError::input)?;
    let plan = Plan {
        catalogue: Arc::new(catalogue),
        target: Arc::new(target),
        vault,
        env,
        writer: Arc::new(writer),
        journal: Arc::new(own),
    };
    let mut sink = |cleaned: engine::Cleaned| {
        if cleaned.leaks.is_empty() {
            context.say(format!("{} {}", context.data(Paint::Good, "put back"), cleaned.case));
        }
        for leak in &cleaned.leaks {
            context.say(format!(
                "{} {}: {} ({})",
                context.data(Paint::Bad, "left behind"),
                cleaned.case,
                one_line(&leak.what),
                one_line(&leak.why)
            ));
        }
    };
    let mut options = RunOptions::new(id);
    options.allow = inputs.allow;
    let leaks = engine::cleanup(&journal, plan, &options, &mut sink)
        .await
        .map_err(|error| CliError::new(Exit::Unreachable, error.to_string()))?;
    Ok(if leaks == 0 { Exit::Ok } else { Exit::NotConformant })
}
