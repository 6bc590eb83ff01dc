//! `assize run`: target, suites and guideline in; bundle and verdict out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::engine::{self, Clock, Journal, Plan, RunEvent, RunOptions, RunSummary};
use crate::guideline::{Guideline, Places};
use crate::report::assemble::{Collected, selected};
use crate::report::bundle::names;
use crate::report::document::Summary;
use crate::report::inputs::{FORMAT, RunInputs, Selection};
use crate::report::rejudge;
use crate::score::Verdict;
use crate::secret::Vault;
use crate::suite::{InstanceRef, Risk};
use crate::target::Target;
use crate::text::did_you_mean;
use crate::transcript::Writer;

use super::args::{Allow, RunArgs, SuiteArgs};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded, LoadedGuideline};
use super::progress::Progress;
use super::signals::Signals;
use super::{covers, output, plan, verdict};

/// The selection that `--case` and `--skip` make.
#[must_use]
pub fn selection(args: &SuiteArgs) -> Selection {
    Selection { include: args.case.clone(), exclude: args.skip.clone(), ..Selection::default() }
}

impl From<Allow> for Risk {
    fn from(allow: Allow) -> Self {
        match allow {
            Allow::Read => Self::Read,
            Allow::Write => Self::Write,
            Allow::Disruptive => Self::Disruptive,
        }
    }
}

/// What is needed to run, before anything is sent or written.
pub struct Prepared {
    /// Suites.
    pub loaded: Loaded,
    /// Endpoint.
    pub target: Target,
    /// Secrets.
    pub vault: Arc<Vault>,
    /// Inputs, as `run.json` will have them.
    pub inputs: RunInputs,
    /// Time: a demo has its own.
    pub clock: Clock,
}

/// Runs.
///
/// # Errors
/// When the arguments, the inputs or the target cannot be used.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    if super::demo::is_demo(args.target.target.as_deref()) {
        return super::demo::run(context, args).await;
    }
    let loaded = inputs::catalogue(context, args.suites.suites.as_deref())?;
    let target = inputs::target(context, &loaded.catalogue, &args.target, args.rate, BTreeMap::new())?;
    let (seed, id) = identity(args.seed.as_deref())?;
    let prepared = prepare(args, loaded, target, seed, id, Clock::System)?;
    go(context, args, prepared).await
}

/// Seed and id of a run.
///
/// # Errors
/// When the system gives no random bytes.
pub fn identity(seed: Option<&str>) -> Result<(String, String), CliError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| CliError::new(Exit::Bug, format!("no random bytes: {error}")))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, second) = hex.split_at(16);
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    Ok((seed.map_or_else(|| first.to_owned(), str::to_owned), format!("{time}-{}", second.get(..6).unwrap_or(second))))
}

/// Makes the inputs of a run.
///
/// # Errors
/// When the family of the target has no suites.
pub fn prepare(
    args: &RunArgs,
    loaded: Loaded,
    target: Target,
    seed: String,
    id: String,
    clock: Clock,
) -> Result<Prepared, CliError> {
    let Some(family) = loaded.catalogue.family(target.family()) else {
        return Err(CliError::new(Exit::Usage, format!("there is no family `{}`", target.family())));
    };
    let vault = Arc::new(Vault::new());
    let now = match clock {
        Clock::System => jiff::Timestamp::now().as_millisecond(),
        Clock::Virtual { start_ms } => start_ms,
    };
    let date = jiff::Timestamp::from_millisecond(now).map(|time| time.strftime("%Y-%m-%d").to_string());
    let of_family = loaded.catalogue.suites().iter().filter(|suite| suite.family == family.id);
    let mut suites: std::collections::BTreeMap<_, _> = of_family
        .map(|suite| (suite.source.name.trim_start_matches("suites/").to_owned(), suite.digest.to_string()))
        .collect();
    let family_file = format!("{}/family.yaml", family.id);
    if let Some(file) = loaded.texts.get(&family_file) {
        let source = file.source().map_err(|error| CliError::input(format!("{}: {error}", file.name())))?;
        suites.insert(family_file, crate::canon::digest_bytes(source.text.as_bytes()).to_string());
    }
    let guideline = args.guideline.clone().or_else(|| Some(family.guideline.clone()).filter(|id| !id.is_empty()));
    let inputs = RunInputs {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        id,
        seed,
        family: family.id.clone(),
        target: target.view(&vault),
        headers: family.headers.clone(),
        selection: Selection { shard: args.shard, ..selection(&args.suites) },
        allow: args.allow.into(),
        attempts: args.retries + 1,
        guideline,
        programs: args.program.clone(),
        suites,
        started_at_ms: now,
        date: date.unwrap_or_default(),
        finished_at_ms: None,
        interrupted: None,
        shards: Vec::new(),
    };
    Ok(Prepared { loaded, target, vault, inputs, clock })
}

/// Runs what was prepared.
///
/// # Errors
/// When the target cannot be used or files cannot be written.
pub async fn go(context: &Context, args: &RunArgs, prepared: Prepared) -> Result<Exit, CliError> {
    let Prepared { loaded, target, vault, mut inputs, clock } = prepared;
    let mut guideline = match &inputs.guideline {
        Some(name) => Some(inputs::guideline(context, &loaded, name)?),
        None => None,
    };
    check_family(&inputs.family, guideline.as_ref().map(|loaded| &loaded.guideline))?;
    check_programs(args, guideline.as_ref().map(|loaded| &loaded.guideline))?;
    if args.required {
        let Some(guideline) = &guideline else {
            return Err(CliError::new(Exit::Usage, "--required needs a guideline").hint("add --guideline"));
        };
        let mut needed = covers::needed(&loaded.catalogue, &guideline.guideline, &inputs.programs)?;
        let (whole, shard) = (Selection { shard: None, ..inputs.selection.clone() }, inputs.selection.shard);
        needed.retain(|id| whole.takes(id));
        if needed.is_empty() {
            return Err(CliError::new(Exit::NothingRan, "no selected case is evidence for what the programs require"));
        }
        inputs.selection = Selection { include: needed, exclude: Vec::new(), exact: true, shard };
    }
    let (waivers, waiver_bytes) = inputs::waivers_of(context, args.waivers.as_deref())?;
    let instances: Arc<[InstanceRef]> = selected(&loaded.catalogue, &inputs).collect();
    if instances.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "no case is selected").hint("`assize list` shows all cases"));
    }
    let family = loaded.catalogue.family(&inputs.family);
    let jobs = args.jobs.or_else(|| family.map(|family| family.concurrency)).unwrap_or(4);
    if args.dry_run {
        return Ok(plan::dry_run(context, &loaded.catalogue, &inputs, &instances));
    }
    let path = family.map(|family| family.probe.clone().unwrap_or_else(|| family.path.clone())).unwrap_or_default();
    reach(&target, &path).await?;

    let folder = folder(args, &inputs)?;
    let texts = &loaded.texts;
    output::begin(&folder, &inputs, texts, guideline.as_ref().map(|g| g.bytes.as_slice()), waiver_bytes.as_deref())?;
    // Nobody asks any more what the file of the guideline said where.
    if let Some(LoadedGuideline { guideline, bytes }) = &mut guideline {
        (guideline.places, *bytes) = (Places::default(), Vec::new());
    }
    let writer = Writer::create(&folder.join(names::TRANSCRIPT), &inputs.id).map_err(CliError::input)?;
    let journal = Journal::create(&folder.join(names::JOURNAL), &inputs.id).map_err(CliError::input)?;
    let cancel = CancellationToken::new();
    let signals = tokio::spawn(listen(cancel.clone()));

    let Loaded { catalogue, .. } = loaded;
    let catalogue = Arc::new(catalogue);
    let (summary, kept) = {
        let start = inputs.clone();
        let mut collected = Collected::of(&catalogue, &start, Arc::clone(&instances));
        let mut progress = Progress::new(context, instances.len());
        let engine_plan = Plan {
            catalogue: catalogue.clone(),
            target: Arc::new(target),
            vault,
            env: rejudge::env(&inputs, &catalogue),
            writer: Arc::new(writer),
            journal: Arc::new(journal),
        };
        let mut options = RunOptions::new(inputs.id.clone());
        options.jobs = jobs as usize;
        options.retries = args.retries;
        options.allow = inputs.allow;
        options.clock = clock;
        options.cancel = cancel;
        options.plan = plan::announce(context, &catalogue, &inputs, &instances);
        let mut sink = |event: RunEvent| {
            progress.event(context, &event);
            take(&mut collected, event);
        };
        let ordered = plan::order(&catalogue, &instances, jobs);
        let summary = engine::run(engine_plan, ordered.into_iter(), options, &mut sink).await;
        progress.end();
        (summary, collected.into_kept())
    };
    signals.abort();
    let broken = match &summary {
        Ok(RunSummary { refused: Some(why), .. }) => Some(format!("the log-in failed: {why}")),
        Ok(summary) if summary.unreachable => Some("the target stopped answering".to_owned()),
        Ok(summary) if summary.cancelled => Some("interrupted by the operator".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    inputs.interrupted = broken;
    let end =
        if matches!(clock, Clock::System) { jiff::Timestamp::now().as_millisecond() } else { inputs.started_at_ms };
    inputs.finished_at_ms = Some(end);
    let collected = Collected::resume(&catalogue, &inputs, kept);
    let programs = collected
        .programs(guideline.as_ref().map(|loaded| &loaded.guideline), &waivers)
        .map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
    let exit = collected.with_report(programs, |report| {
        output::finish(context, &folder, report)?;
        verdict::print(context, report);
        let programs = report.programs.iter().map(|p| (p.program.as_str(), p.verdict, p.score.percent.tenths()));
        Ok::<_, CliError>(judge_exit(context, args, &report.summary, programs))
    })?;
    context.say(format!("\nBundle: {}", folder.display()));
    match summary {
        Err(error) => {
            Err(CliError::new(Exit::Bug, error.to_string()).hint("what was recorded until then is in the bundle"))
        }
        Ok(RunSummary { refused: Some(why), .. }) => {
            Err(CliError::new(Exit::Unreachable, format!("the log-in failed, so no case was run: {why}"))
                .hint("are user, password, project and domains right?"))
        }
        Ok(summary) if summary.unreachable => {
            Err(CliError::new(Exit::Unreachable, "the target stopped answering; the cases left are `not-run`"))
        }
        Ok(summary) if summary.cancelled => Ok(Exit::NotConformant),
        Ok(_)
            if super::demo::is_demo(args.target.target.as_deref())
                && args.gate.is_empty()
                && args.min_score.is_none() =>
        {
            Ok(Exit::Ok)
        }
        Ok(_) => Ok(exit),
    }
}

/// Hands an event to the collection. Results without evidence are left to it: it derives them as a verifier does.
pub fn take(collected: &mut Collected<'_>, event: RunEvent) {
    match event {
        RunEvent::CaseDone(done) if done.start_at_ms.is_some() => {
            let mut attempts = done.earlier;
            attempts.push(done.result);
            collected.case(done.instance, attempts, done.start_at_ms);
        }
        RunEvent::FixtureDone { id, result, leaks } => {
            let mut result = *result;
            result.leaks = leaks;
            collected.fixture(&id, result);
        }
        _ => {}
    }
}

/// Whether the gates hold. Without any, every program that was scored must be conformant; without a guideline, every
/// case that was run must pass.
fn judge_exit<'p>(
    context: &Context,
    args: &RunArgs,
    counts: &Summary,
    programs: impl ExactSizeIterator<Item = (&'p str, Verdict, u16)>,
) -> Exit {
    let missed = counts.fail + counts.gap + counts.error + counts.not_run;
    if counts.pass + missed == 0 {
        context.tell("no case was run: the operator allowed none of those selected");
        return Exit::NothingRan;
    }
    let mut ok = programs.len() > 0 || missed == 0;
    for (name, verdict, tenths) in programs {
        let gated = args.gate.is_empty() || args.gate.iter().any(|gate| gate == name);
        if !gated {
            continue;
        }
        let must_conform = !args.gate.is_empty() || args.min_score.is_none();
        if must_conform && verdict != Verdict::Conformant {
            if !args.gate.is_empty() {
                context.tell(format!("gate missed: {name} is {verdict}"));
            }
            ok = false;
        }
        if let Some(least) = args.min_score
            && u32::from(tenths) < least * 10
        {
            context.tell(format!("gate missed: {name} scores {}.{} %, less than {least} %", tenths / 10, tenths % 10));
            ok = false;
        }
    }
    if ok { Exit::Ok } else { Exit::NotConformant }
}

fn check_family(family: &str, guideline: Option<&Guideline>) -> Result<(), CliError> {
    match guideline.map(|guideline| guideline.metadata.family.as_str()) {
        Some(other) if other != family => {
            let message = format!("the guideline is for family `{other}`, the target is of family `{family}`");
            Err(CliError::new(Exit::Usage, message).hint("choose another --guideline or --family"))
        }
        _ => Ok(()),
    }
}

fn check_programs(args: &RunArgs, guideline: Option<&Guideline>) -> Result<(), CliError> {
    for name in args.program.iter().chain(&args.gate) {
        let Some(guideline) = guideline else {
            return Err(
                CliError::new(Exit::Usage, format!("program `{name}` needs a guideline")).hint("add --guideline")
            );
        };
        if guideline.program(name).is_none() {
            let known = || guideline.programs.iter().map(|program| program.name.as_str());
            let error = CliError::new(Exit::Usage, format!("the guideline has no program `{name}`"));
            return Err(match did_you_mean(name, known()) {
                Some(close) => error.hint(format!("did you mean `{close}`?")),
                None => error.hint(format!("programs: {}", known().collect::<Vec<_>>().join(", "))),
            });
        }
    }
    if let Some(gate) = args.gate.iter().find(|gate| !args.program.is_empty() && !args.program.contains(gate)) {
        return Err(CliError::new(Exit::Usage, format!("--gate `{gate}` is not among the --program that are scored")));
    }
    if args.min_score.is_some() && guideline.is_none() {
        return Err(CliError::new(Exit::Usage, "--min-score needs a guideline").hint("add --guideline"));
    }
    Ok(())
}

async fn reach(target: &Target, path: &str) -> Result<(), CliError> {
    let answer =
        engine::preflight(target, path).await.map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
    let place = format!("{}{path}", target.base());
    match answer {
        Err(failure) => {
            let word = failure.class.word();
            let error =
                CliError::new(Exit::Unreachable, format!("{place} cannot be reached ({word}): {}", failure.detail));
            Err(match failure.class {
                // What came back is no TLS record at all.
                crate::http::FailureClass::Tls if failure.detail.contains("InvalidContentType") => {
                    error.hint(format!("no TLS is spoken there; is it {}?", place.replacen("https:", "http:", 1)))
                }
                crate::http::FailureClass::Tls => {
                    error.hint("trust its authority with --ca-cert FILE, or, knowing the risk, --insecure")
                }
                crate::http::FailureClass::Connect => error.hint("is the service up, and the port right?"),
                _ => error,
            })
        }
        Ok(401 | 403) => {
            let known = target.credential(crate::target::MAIN);
            let given = matches!(known, crate::target::IdentityUse::Known(_));
            let message = if given {
                format!("{place} refuses the credentials")
            } else {
                format!("{place} asks for credentials and none were given")
            };
            Err(CliError::new(Exit::Unreachable, message).hint(if target.family() == super::kube::FAMILY {
                "is the token or the certificate of the context still good? `kubectl get --raw /api` tells"
            } else {
                "--username NAME with --password-file FILE or the variable ASSIZE_PASSWORD"
            }))
        }
        Ok(_) => Ok(()),
    }
}

fn folder(args: &RunArgs, inputs: &RunInputs) -> Result<PathBuf, CliError> {
    let folder = args.output_dir.clone().unwrap_or_else(|| PathBuf::from("assize-runs").join(&inputs.id));
    empty_folder(&folder)?;
    Ok(folder)
}

/// Whether a bundle can be written there.
///
/// # Errors
/// When something is there already.
pub fn empty_folder(folder: &Path) -> Result<(), CliError> {
    if folder.exists() && !folder.is_dir() {
        return Err(CliError::new(Exit::Usage, format!("`{}` is not a folder", folder.display())));
    }
    let taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(CliError::new(Exit::Usage, format!("`{}` is not empty", folder.display()))
            .hint("a bundle is never overwritten: choose another --output-dir"));
    }
    Ok(())
}

/// First interrupt: end in order. Second: the process ends at once; the journal knows what is left.
async fn listen(cancel: CancellationToken) {
    let Some(mut signals) = Signals::new() else { return };
    signals.next().await;
    cancel.cancel();
    signals.next().await;
    std::process::exit(130);
}
