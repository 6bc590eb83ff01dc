//! Targets by kubeconfig or service account: finds the files, reads them, runs credential plugins, hands all to `target`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::secret::{Secret, Vault};
use crate::suite::Catalogue;
use crate::target::{
    KubeContext, KubeFile, Kubeconfig, Machine, Plugin, PluginMode, TargetOptions, in_cluster, kubeconfig_files,
};
use crate::text::{Diagnostics, SourceFile};

use super::args::{KubeArgs, TargetArgs};
use super::clouds::named;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{family, heed, of_family, read};

/// The family of clusters, and the word for a target that kubectl's files describe.
pub const FAMILY: &str = "kubernetes";
/// The word for the cluster that runs this pod.
const IN_CLUSTER: &str = "in-cluster";
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A plugin that asks nobody is given up after this long.
const PLUGIN_LIMIT: Duration = Duration::from_secs(60);
/// A plugin has ended, and what it began still holds its output.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(10);
/// No more of an output is read.
const PLUGIN_OUTPUT: u64 = 1 << 20;
/// No more of what a plugin complains is shown, in characters.
const PLUGIN_COMPLAINT: usize = 2000;

/// Whether the target is a cluster of a kubeconfig, or the one that runs this pod.
///
/// # Errors
/// When the arguments contradict each other.
pub fn wanted(args: &TargetArgs) -> Result<bool, CliError> {
    let usage = |message: &str, hint: &str| Err(CliError::new(Exit::Usage, message).hint(hint));
    let by_option = args.kube.kubeconfig.is_some() || args.kube.context.is_some();
    match args.target.as_deref() {
        Some(FAMILY) => {}
        Some(IN_CLUSTER) if by_option => {
            return usage("`in-cluster` and a kubeconfig are both given", "keep one of them");
        }
        Some(IN_CLUSTER) => {}
        Some(_) if by_option => {
            return usage(
                "a target and --kubeconfig or --context are both given",
                "keep one of them; the kubeconfig says where the cluster is",
            );
        }
        None if by_option => {}
        _ => return Ok(false),
    }
    if args.cloud.os_cloud.is_some() || args.cloud.os_region_name.is_some() {
        return usage("a cloud and a cluster are both given", "keep one of them");
    }
    let login = &args.login;
    if login.username.is_some()
        || login.password_file.is_some()
        || login.token_file.is_some()
        || login.client_cert.is_some()
    {
        return usage(
            "--username, --password-file, --token-file and --client-cert do not go with a kubeconfig",
            "the log-in stands in the kubeconfig; is ASSIZE_USERNAME set?",
        );
    }
    of_family(args.family.as_deref(), FAMILY, "a cluster").map(|()| true)
}

/// Whether a run that is to be cleaned up is found again by a kubeconfig: options say so, or the run had a context.
pub fn names(context: &Context, args: &KubeArgs, said: &BTreeMap<String, String>) -> bool {
    let by_option = args.kubeconfig.is_some() || args.context.is_some();
    let by_token = context.variable("ASSIZE_TOKEN").is_some_and(|token| !token.is_empty());
    by_option || said.contains_key("context") || !by_token
}

/// A client certificate says who one is; it is no entrance that all identities share.
pub fn own_certificate(options: &mut TargetOptions<'_>) {
    if options.family.id == FAMILY
        && let Some(certificate) = options.client_identity.take()
    {
        options.login.client_identity.get_or_insert(certificate);
    }
}

/// The options that a context and further identities stand for.
///
/// # Errors
/// When a file cannot be used, a plugin fails, or a context does not say how to log in.
pub fn options<'c>(
    context: &Context,
    catalogue: &'c Catalogue,
    args: &TargetArgs,
) -> Result<TargetOptions<'c>, CliError> {
    let invalid = |problems: Diagnostics| {
        let text = problems.render(context.colored_talk());
        CliError::new(Exit::InvalidInput, format!("the kubeconfig cannot be used\n\n{text}"))
    };
    let family = family(catalogue, Some(FAMILY), "")?;
    let machine: Arc<dyn Machine> = Arc::new(Host { context: context.clone() });
    let account = || {
        let variable = |name| context.variable(name).filter(|value| !value.is_empty());
        variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"))
    };
    if args.target.as_deref() == Some(IN_CLUSTER) {
        let Some((host, port)) = account() else {
            return Err(CliError::input("this is no pod of a cluster: KUBERNETES_SERVICE_HOST and _PORT are not set")
                .hint("give --kubeconfig FILE, or `kubernetes` for the current context of kubectl"));
        };
        return in_cluster(family, &host, &port, &machine).map_err(invalid);
    }
    let config = default_config(context, args.kube.kubeconfig.as_deref(), &invalid)?;
    let unsaid = args.kube.kubeconfig.is_none() && args.kube.context.is_none() && args.identity.is_empty();
    if unsaid
        && config.is_empty()
        && Path::new(TOKEN).exists()
        && let Some((host, port)) = account()
    {
        context.tell("there is no kubeconfig: the service account of this pod is used");
        return in_cluster(family, &host, &port, &machine).map_err(invalid);
    }
    let choose = |config: &Kubeconfig, name: Option<&str>| -> Result<KubeContext, CliError> {
        let chosen = config.choose(name).map_err(invalid)?;
        let mut warnings = chosen.warnings.clone();
        warnings.extend(chosen.withheld());
        heed(context, &warnings, "the kubeconfig")?;
        Ok(chosen)
    };
    let mut main = choose(&config, args.kube.context.as_deref())?;
    if args.login.ca_cert.is_some() {
        main.without_authority();
    }
    let mut identities: Vec<(String, KubeContext)> = Vec::new();
    for pair in &args.identity {
        let (name, who) = named(pair, "CONTEXT", identities.iter().map(|(name, _)| name))?;
        let chosen = match who.split_once('#') {
            Some((file, context_name)) => choose(&one_config(Path::new(file), &invalid)?, Some(context_name))?,
            None if !config.has(who) && Path::new(who).is_file() => {
                choose(&one_config(Path::new(who), &invalid)?, None)?
            }
            None => choose(&config, Some(who))?,
        };
        identities.push((name.to_owned(), chosen));
    }
    main.into_options(family, identities, &machine).map_err(invalid)
}

fn default_config(
    context: &Context,
    file: Option<&Path>,
    invalid: &dyn Fn(Diagnostics) -> CliError,
) -> Result<Kubeconfig, CliError> {
    if let Some(file) = file {
        return one_config(file, invalid);
    }
    let variable = |name| context.variable(name);
    let files = kubeconfig_files(variable("KUBECONFIG").as_deref(), variable("HOME").as_deref());
    // Those that are not there are as if they were empty.
    let there = files.iter().filter(|path| !is_missing(path));
    let files = there.map(|path| kube_file(path)).collect::<Result<Vec<_>, _>>()?;
    Kubeconfig::parse(&files).map_err(invalid)
}

fn is_missing(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn one_config(path: &Path, invalid: &dyn Fn(Diagnostics) -> CliError) -> Result<Kubeconfig, CliError> {
    Kubeconfig::parse(&[kube_file(path)?]).map_err(invalid)
}

fn kube_file(path: &Path) -> Result<KubeFile, CliError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|_| CliError::input(format!("`{}` is not UTF-8 text", path.display())))?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    Ok(KubeFile { source: SourceFile::new(path.display().to_string(), text), folder })
}

/// This machine.
struct Host {
    context: Context,
}

impl Machine for Host {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn run(&self, plugin: &Plugin) -> Result<Vec<u8>, String> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let interactive = match plugin.mode {
            PluginMode::Never => false,
            PluginMode::IfAvailable => terminal,
            PluginMode::Always if terminal => true,
            PluginMode::Always => return Err("it asks a person, and there is no terminal".to_owned()),
        };
        let mut command = Command::new(&plugin.command);
        command
            .args(plugin.args.iter().map(Secret::expose))
            .envs(plugin.env.iter().map(|(name, value)| (name, value.expose())))
            .env("KUBERNETES_EXEC_INFO", plugin.exec_info(interactive))
            .stdout(Stdio::piped());
        if interactive {
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => "it is not installed".to_owned(),
            _ => format!("it cannot be started: {error}"),
        })?;
        let answer = child.stdout.take().map(collect);
        let complaint = child.stderr.take().map(collect);
        let ended = wait(&mut child, (!interactive).then_some(PLUGIN_LIMIT))?;
        let drain = |output: Option<mpsc::Receiver<Vec<u8>>>| {
            output.and_then(|output| output.recv_timeout(DRAIN_LIMIT).ok()).unwrap_or_default()
        };
        let (answer, complaint) = (drain(answer), drain(complaint));
        let complaint = shown(&complaint, plugin, &answer);
        match ended {
            Some(status) if status.success() => {
                if !complaint.is_empty() {
                    self.context.tell(&complaint);
                }
                Ok(answer)
            }
            Some(status) => Err(with(&format!("it ended with {status}"), &complaint)),
            None => Err(with(&format!("it did not end within {} s", PLUGIN_LIMIT.as_secs()), &complaint)),
        }
    }
}

fn collect(source: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until then is of use, too.
        let _ = source.take(PLUGIN_OUTPUT).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for the end; `None` when it took too long.
fn wait(child: &mut Child, limit: Option<Duration>) -> Result<Option<ExitStatus>, String> {
    let failed = |error: std::io::Error| error.to_string();
    let Some(limit) = limit else { return child.wait().map(Some).map_err(failed) };
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(GLANCE);
    }
}

/// What the plugin wrote to its standard error, without the secrets that it was given or that it answered.
fn shown(complaint: &[u8], plugin: &Plugin, answer: &[u8]) -> String {
    let vault = Vault::new();
    for secret in given_secrets(plugin) {
        vault.learn("plugin", &Secret::new(secret));
    }
    if let Ok(answer) = serde_json::from_slice::<serde_json::Value>(answer) {
        for (name, value) in answer["status"].as_object().into_iter().flatten() {
            if let Some(value) = value.as_str().filter(|_| name != "expirationTimestamp") {
                vault.learn("credential", &Secret::new(value));
            }
        }
    }
    let text = String::from_utf8_lossy(complaint);
    let text = vault.redact(text.trim()).into_owned();
    match text.char_indices().nth(PLUGIN_COMPLAINT) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// What a plugin was given that is a secret by the name it has: `--oidc-client-secret=…`, `--password …`, `AZURE_CLIENT_SECRET`.
fn given_secrets(plugin: &Plugin) -> Vec<&str> {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["secret", "password", "token", "key"].iter().any(|word| name.contains(word))
    };
    let mut found: Vec<&str> =
        plugin.env.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.expose()).collect();
    let mut follows = false;
    for argument in plugin.args.iter().map(Secret::expose) {
        match argument.strip_prefix('-').map(|option| option.split_once('=')) {
            Some(Some((name, value))) if is_secret(name) => found.push(value),
            None if follows => found.push(argument),
            _ => {}
        }
        follows = argument.starts_with('-') && !argument.contains('=') && is_secret(argument);
    }
    found.retain(|secret| !secret.is_empty());
    found
}

fn with(what: &str, complaint: &str) -> String {
    if complaint.is_empty() { format!("{what} and said nothing") } else { format!("{what}: {complaint}") }
}
