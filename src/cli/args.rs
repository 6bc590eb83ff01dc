//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::inputs::Shard;

use super::diff::DiffArgs;
use super::foundation::{AdmitArgs, ChallengeArgs, FactsArgs, LedgerArgs, SignArgs, TrustArgs};
use super::publish::PublishArgs;
use super::serve::ServeArgs;

/// Interop test suite and conformance checker for infrastructure APIs. A verdict is a pure function of (suite,
/// transcript): what ran live can be recomputed by anyone, offline.
#[derive(Debug, Parser)]
#[command(name = "assize", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Colours: `auto` follows the terminal and NO_COLOR.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXIT_CODES: &str = "Exit codes: 0 conformant or done, 1 not conformant or gate missed, 2 usage, 3 invalid input, \
4 nothing ran, 5 target unreachable or credentials refused, 6 evidence does not support the report, 70 defect of assize";

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the suites against a target, score the results, write a bundle.
    Run(Box<RunArgs>),
    /// List the cases with the capabilities they give evidence for.
    List(ListArgs),
    /// Check suites and guidelines; report all problems at once.
    Lint(LintArgs),
    /// Score the results of a bundle or of another tool against a guideline.
    Score(ScoreArgs),
    /// Show what differs: two runs, a run under another guideline (forecast), two guidelines, the products of a ledger.
    Diff(DiffArgs),
    /// Check a submission to the Kubernetes conformance programme: the folder `vX.Y/<product>`.
    Submission(SubmissionArgs),
    /// Recompute every verdict of a bundle from its evidence, offline; with --trust, check who signed it.
    Verify(VerifyArgs),
    /// Put the bundles of the shards of one run together (`run --shard`).
    Merge(MergeArgs),
    /// Sign a bundle: in-toto statements in DSSE envelopes, beside its manifest.
    Sign(SignArgs),
    /// Show what a bundle says of its target: versions, certificates, digests.
    Facts(FactsArgs),
    /// Decide by rules whether a bundle may come into a ledger, and add it.
    Admit(AdmitArgs),
    /// Issue a nonce: the seed of a run that is to be admitted.
    Challenge(ChallengeArgs),
    /// List the reports of a ledger and check all its files.
    Ledger(LedgerArgs),
    /// Make the site of a ledger: static pages, feed, badges and a JSON API. What did not change is not made again.
    Publish(PublishArgs),
    /// Show the site of a ledger in a browser, from a server on this computer.
    Serve(ServeArgs),
    /// Show that the cases of a bundle can fail: judge each passed one again with falsified answers, offline.
    Audit(AuditArgs),
    /// Put back what a run left behind, from its journal.
    Cleanup(CleanupArgs),
    /// Run the cases as a Rust test binary does: `assize harness TARGET -- --list`.
    Harness(HarnessArgs),
    /// Look into guidelines: lint, show, list their tests, compute score sheets. Foreign ones are read as they are.
    Guideline {
        /// What to do.
        #[command(subcommand)]
        command: GuidelineCommand,
    },
    /// Print the JSON Schema of a file format.
    Schema(SchemaArgs),
}

/// Commands of `assize guideline`.
#[derive(Debug, Subcommand)]
pub enum GuidelineCommand {
    /// Find what is wrong in guidelines and between those given together.
    Lint(GuidelineLintArgs),
    /// Show programs and capabilities with their standing and tests.
    Show(ShowArgs),
    /// Show what differs between two guidelines: programs, capabilities, tests, weights.
    Diff(GuidelineDiffArgs),
    /// Print the tests that a program asks for, as `name[id]`, sorted; as RefStack did.
    Tests(TestsArgs),
    /// Compute the totals of a score sheet, or of the worksheets in a guideline.
    Worksheet(WorksheetArgs),
}

/// `assize guideline lint`.
#[derive(Debug, Args)]
pub struct GuidelineLintArgs {
    /// Guidelines (files, folders or `family/version`); everything built in when left out.
    pub files: Vec<PathBuf>,
    /// An earlier state of one of the guidelines: what may not change once it is approved is an error.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// One JSON document: a list with code, rule, severity, file, line, column, path, message, help.
    #[arg(long)]
    pub json: bool,
}

/// `assize guideline show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Guideline: `family/version` or a file.
    #[arg(value_name = "ID|FILE")]
    pub guideline: String,
    /// Only this program: its name, or its last word, as in `compute`.
    #[arg(long, short = 'p', value_name = "NAME")]
    pub program: Option<String>,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `assize guideline diff`.
#[derive(Debug, Args)]
pub struct GuidelineDiffArgs {
    /// The one before: `family/version` or a file.
    #[arg(value_name = "ID|FILE")]
    pub old: String,
    /// The one after. Left out, the first is a derived guideline and is compared with its parent.
    #[arg(value_name = "ID|FILE")]
    pub new: Option<String>,
    /// A Markdown table.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON document: a list with part, name, kind, note, reason, owner.
    #[arg(long)]
    pub json: bool,
}

/// `assize guideline tests`.
#[derive(Debug, Args)]
pub struct TestsArgs {
    /// Guideline: `family/version` or a file.
    #[arg(value_name = "ID|FILE")]
    pub guideline: String,
    /// The program: its name, or its last word, as in `compute`.
    #[arg(long, short = 'p', value_name = "NAME")]
    pub program: String,
    /// Capabilities of these standings.
    #[arg(long, value_name = "WORD,…", value_delimiter = ',', default_value = "required")]
    pub status: Vec<String>,
    /// The other names of each test too.
    #[arg(long)]
    pub alias: bool,
    /// Flagged tests too.
    #[arg(long)]
    pub flagged: bool,
}

/// `assize guideline worksheet`.
#[derive(Debug, Args)]
pub struct WorksheetArgs {
    /// A score sheet (text), or a guideline: `family/version` or a file (.json).
    #[arg(value_name = "SHEET|ID|FILE")]
    pub file: String,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = SheetFormat::Text)]
    pub format: SheetFormat,
    /// Say for each capability what its total comes from.
    #[arg(long, conflicts_with = "format")]
    pub explain: bool,
    /// Take weights and cut-off from this guideline.
    #[arg(long, short = 'g', value_name = "ID|FILE")]
    pub guideline: Option<String>,
    /// Points that a capability must reach.
    #[arg(long, value_name = "N")]
    pub cutoff: Option<u32>,
}

/// Forms of a score sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SheetFormat {
    /// The sheet with its totals.
    Text,
    /// A line for each capability.
    Csv,
    /// A document.
    Json,
}

/// Where cases come from.
#[derive(Debug, Args, Clone)]
pub struct SuiteArgs {
    /// Folder with suites/ and capabilities/ to use instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
    /// Only cases whose id contains TEXT (may be repeated).
    #[arg(long, value_name = "TEXT")]
    pub case: Vec<String>,
    /// No case whose id contains TEXT (may be repeated).
    #[arg(long, value_name = "TEXT")]
    pub skip: Vec<String>,
}

/// What to run against, and as whom.
#[derive(Debug, Args, Clone)]
pub struct TargetArgs {
    /// `demo` or `demo:FOLDER` (replays a bundle), the URL of a service, a target file (YAML), `openstack`: the cloud that
    /// OS_CLOUD, OS_* variables or a clouds.yaml with one cloud describe, `kubernetes`: the cluster of kubectl's current
    /// context, or `in-cluster`: the one that runs this pod. Left out with --os-cloud, --kubeconfig or --context.
    pub target: Option<String>,
    /// Family of the target; found from the URL's path when left out.
    #[arg(long)]
    pub family: Option<String>,
    /// As whom, and what to trust.
    #[command(flatten)]
    pub login: LoginArgs,
    /// Clouds.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Clusters.
    #[command(flatten)]
    pub kube: KubeArgs,
    /// A further identity (may be repeated): NAME=CLOUD of clouds.yaml; for Kubernetes NAME=CONTEXT, NAME=FILE or
    /// NAME=FILE#CONTEXT.
    #[arg(long, value_name = "NAME=WHO")]
    pub identity: Vec<String>,
    /// Value for the suites, such as `image=http://…/boot.iso` (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Credentials and trust. No run keeps them.
#[derive(Debug, Args, Clone)]
pub struct LoginArgs {
    /// User name.
    #[arg(long, short = 'u', value_name = "NAME", env = "ASSIZE_USERNAME")]
    pub username: Option<String>,
    /// File that holds the password; without it ASSIZE_PASSWORD is read. Never on the command line.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// File that holds a bearer token; without it ASSIZE_TOKEN is read.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificate authority (PEM) to trust instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Client certificate and key (PEM, one file).
    #[arg(long, value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// Do not verify the target's certificate. The report says so.
    #[arg(long)]
    pub insecure: bool,
}

/// Clouds of clouds.yaml: place, credentials and trust in one name.
#[derive(Debug, Args, Clone, Default)]
pub struct CloudArgs {
    /// Cloud of clouds.yaml; OS_CLOUD when left out.
    #[arg(long, help_heading = "OpenStack", value_name = "NAME")]
    pub os_cloud: Option<String>,
    /// Region of the cloud; its first one when left out.
    #[arg(long, help_heading = "OpenStack", value_name = "NAME")]
    pub os_region_name: Option<String>,
}

/// Clusters of kubeconfig files: place, credentials and trust in one name.
#[derive(Debug, Args, Clone, Default)]
pub struct KubeArgs {
    /// This kubeconfig alone; those of KUBECONFIG, else ~/.kube/config, when left out.
    #[arg(long, help_heading = "Kubernetes", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; its current one when left out.
    #[arg(long, help_heading = "Kubernetes", value_name = "NAME")]
    pub context: Option<String>,
}

/// `assize run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Target.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Cases.
    #[command(flatten)]
    pub suites: SuiteArgs,
    /// Guideline: `family/version` or a file. The family's current one when left out.
    #[arg(long, short = 'g', value_name = "ID|FILE")]
    pub guideline: Option<String>,
    /// Only this program (may be repeated); all of the guideline when left out.
    #[arg(long, value_name = "NAME")]
    pub program: Vec<String>,
    /// Only the cases that are evidence for what the programs require.
    #[arg(long)]
    pub required: bool,
    /// Waivers: who excuses which capability or test, why, until when.
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
    /// What cases may do to the target: read only; write, and put back; or also interrupt what runs on it.
    #[arg(long, value_enum, default_value_t = Allow::Disruptive)]
    pub allow: Allow,
    /// Requests at the same time, 1 for one case after the other; the family's default when left out.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// At most N requests a second to the target.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Run a case that did not pass up to N more times; a pass then is shown as flaky for ever.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=5))]
    pub retries: u32,
    /// Only a part of the cases, such as `2/3`: the second of three. `assize merge` puts the parts together again; give
    /// all of them the same --seed.
    #[arg(long, value_name = "I/N", requires = "seed")]
    pub shard: Option<Shard>,
    /// Seed of names and random bytes; random when left out.
    #[arg(long, value_name = "TEXT")]
    pub seed: Option<String>,
    /// Folder for the bundle; `assize-runs/<run id>` when left out. Must not exist or be empty.
    #[arg(long, short = 'o', value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Exit 1 unless this program is conformant (may be repeated).
    #[arg(long, value_name = "PROGRAM")]
    pub gate: Vec<String>,
    /// Exit 1 unless every program that is gated, else every program, scores at least N percent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub min_score: Option<u32>,
    /// Print what would be run and what it may do; send nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Levels of `--allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allow {
    /// Reads only.
    Read,
    /// Creates, changes and removes things, and puts them back.
    Write,
    /// Power, reset, firmware too.
    Disruptive,
}

/// `assize list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this family.
    #[arg(long)]
    pub family: Option<String>,
    /// Cases.
    #[command(flatten)]
    pub suites: SuiteArgs,
    /// Show which upstream tests the cases stand for; with --guideline, which of its required tests are covered.
    #[arg(long)]
    pub covers: bool,
    /// Guideline for --covers: `family/version` or a file.
    #[arg(long, short = 'g', value_name = "ID|FILE", requires = "covers")]
    pub guideline: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `assize lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Suite files (YAML), guidelines (JSON) or folders; everything built in when left out.
    pub paths: Vec<PathBuf>,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `assize score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Folder of a bundle, a report.json, or results of another tool: subunit v1 or v2, JUnit XML, go test -json, RefStack
    /// JSON, a list of the names of passed tests, a Sonobuoy archive, or a folder with junit_01.xml. Several bundles, one for
    /// each family, for a composite guideline.
    #[arg(required = true)]
    pub results: Vec<PathBuf>,
    /// Guideline: `family/version`, a file, or the file of a composite guideline. That of the report when left out.
    #[arg(long, short = 'g', value_name = "ID|FILE")]
    pub guideline: Option<String>,
    /// Only this program (may be repeated): its name, or its last word, as in `compute`.
    #[arg(long, value_name = "NAME")]
    pub program: Vec<String>,
    /// Waivers.
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
    /// Count as RefStack did: names, aliases, flags, a test in two capabilities twice.
    #[arg(long)]
    pub defcore_rules: bool,
    /// Show every capability with all its tests, not only what is missing.
    #[arg(long, conflicts_with_all = ["json", "defcore_rules"])]
    pub explain: bool,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// Folder with suites/ and capabilities/ to use instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
}

/// `assize submission`.
#[derive(Debug, Args)]
pub struct SubmissionArgs {
    /// Folder of the submission: `vX.Y/<product>` with README.md, PRODUCT.yaml, e2e.log and junit_01.xml.
    pub folder: PathBuf,
    /// The `conformance.yaml` of the claimed Kubernetes release. Without it no test is known to be required.
    #[arg(long, short = 'g', value_name = "FILE")]
    pub guideline: Option<PathBuf>,
    /// Title of the pull request.
    #[arg(long)]
    pub title: Option<String>,
    /// The newest Kubernetes release: two minor releases before it are accepted.
    #[arg(long, value_name = "VERSION")]
    pub latest: Option<String>,
    /// Number of commits of the pull request.
    #[arg(long, value_name = "N")]
    pub commits: Option<u32>,
    /// Every file that the pull request touches, from the root of the repository, one by one.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub files: Vec<String>,
    /// The day on which the results are used first. Today when left out.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<jiff::civil::Date>,
    /// Show the rules that hold, too.
    #[arg(long)]
    pub all: bool,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `assize verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// Signatures.
    #[command(flatten)]
    pub trust: TrustArgs,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `assize merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Folders of the bundles, one for each shard.
    #[arg(required = true, num_args = 2..)]
    pub bundles: Vec<PathBuf>,
    /// Folder for the merged bundle. Must not exist or be empty.
    #[arg(long, short = 'o', value_name = "DIR")]
    pub output_dir: PathBuf,
}

/// `assize audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// Only cases whose id contains TEXT (may be repeated).
    #[arg(long, value_name = "TEXT")]
    pub case: Vec<String>,
    /// A Markdown table instead of lines.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `assize cleanup`.
#[derive(Debug, Args)]
pub struct CleanupArgs {
    /// Folder of the run.
    pub run: PathBuf,
    /// Credentials are needed again, since no run keeps them; the URL comes from the run.
    #[command(flatten)]
    pub login: LoginArgs,
    /// Clouds.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Clusters.
    #[command(flatten)]
    pub kube: KubeArgs,
    /// A further identity of the run, as it was given there (may be repeated).
    #[arg(long, value_name = "NAME=WHO")]
    pub identity: Vec<String>,
}

/// `assize harness`.
#[derive(Debug, Args)]
pub struct HarnessArgs {
    /// Target.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Folder with suites/ and capabilities/ to use instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
    /// What cases may do to the target.
    #[arg(long, value_enum, default_value_t = Allow::Disruptive)]
    pub allow: Allow,
    /// Arguments of a Rust test binary: FILTER, --exact, --skip, --list, --format, --test-threads …
    #[arg(last = true)]
    pub libtest: Vec<String>,
}

/// `assize schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which format.
    #[arg(value_enum)]
    pub format: SchemaOf,
}

/// Formats with a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Suite files.
    Suite,
    /// Guidelines.
    Guideline,
    /// report.json.
    Report,
    /// Product records of a ledger.
    Product,
    /// Admission records of a ledger.
    Admission,
    /// Admission rules.
    Rules,
    /// Challenges.
    Challenge,
    /// Revocations.
    Revocation,
    /// Triage notes.
    Triage,
    /// Waivers.
    Waivers,
    /// Composite guidelines.
    Composite,
    /// The predicate of signed statements.
    Conformance,
    /// What `diff --json` prints.
    Diff,
    /// The JSON API of a published site.
    Site,
}
