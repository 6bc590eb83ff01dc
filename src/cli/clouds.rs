//! Targets by the name of a cloud: finds the clouds files, reads them, hands them to `target`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::suite::Catalogue;
use crate::target::{Cloud, CloudFile, CloudSettings, Clouds, Place, TargetOptions, config_folders};
use crate::text::{Diagnostics, SourceFile};

use super::args::TargetArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{family, heed, of_family, read};

/// The family of clouds, and the word for a target that the environment describes.
pub const FAMILY: &str = "openstack";

/// Whether the target is a cloud.
///
/// # Errors
/// When the arguments contradict each other, or name no target at all.
pub fn wanted(context: &Context, args: &TargetArgs) -> Result<bool, CliError> {
    let usage = |message: &str, hint: &str| Err(CliError::new(Exit::Usage, message).hint(hint));
    let cloud = &args.cloud;
    let given = |name: &str| context.variable(name).is_some_and(|value| !value.is_empty());
    match args.target.as_deref() {
        Some(FAMILY) => {}
        Some(_) if cloud.os_cloud.is_some() => {
            return usage("a target and --os-cloud are both given", "keep one of them; the cloud says where it is");
        }
        Some(_) if !args.identity.is_empty() || cloud.os_region_name.is_some() => {
            return usage(
                "--identity and --os-region-name are for clouds and clusters that have a name",
                "write `identities:` into the target file, or give --os-cloud NAME or --context NAME instead of a target",
            );
        }
        Some(_) => return Ok(false),
        None if cloud.os_cloud.is_some() || given("OS_CLOUD") || given("OS_AUTH_URL") => {}
        None => {
            return usage(
                "no target is given",
                "give `demo`, the URL of a service, a target file, `kubernetes` (the cluster of kubectl), or --os-cloud NAME \
                 (a cloud of clouds.yaml); without one OS_CLOUD or OS_AUTH_URL must be set",
            );
        }
    }
    if args.login.username.is_some() || args.login.password_file.is_some() || args.login.token_file.is_some() {
        return usage(
            "--username, --password-file and --token-file do not go with a cloud",
            "the log-in stands in clouds.yaml, secure.yaml or OS_* variables; is ASSIZE_USERNAME set?",
        );
    }
    of_family(args.family.as_deref(), FAMILY, "a cloud").map(|()| true)
}

/// The options that a cloud and further identities stand for.
///
/// # Errors
/// When a file cannot be used or a cloud does not say how to log in.
pub fn options<'c>(
    context: &Context,
    catalogue: &'c Catalogue,
    args: &TargetArgs,
) -> Result<TargetOptions<'c>, CliError> {
    let invalid = |problems: Diagnostics| {
        let text = problems.render(context.colored_talk());
        CliError::new(Exit::InvalidInput, format!("the cloud cannot be used\n\n{text}"))
    };
    let clouds = Clouds::parse(&settings(context)?).map_err(invalid)?;
    let region = args.cloud.os_region_name.as_deref();
    let choose = |name: Option<&str>| -> Result<Cloud, CliError> {
        let cloud = clouds.choose(name, region).map_err(invalid)?;
        heed(context, &cloud.warnings, "the cloud")?;
        Ok(cloud)
    };
    let mut main = choose(args.cloud.os_cloud.as_deref())?;
    if args.login.ca_cert.is_some() {
        main.without_ca_cert();
    }
    let mut identities = Vec::new();
    for pair in &args.identity {
        let (name, cloud) = named(pair, "CLOUD", identities.iter().map(|(name, _)| name))?;
        identities.push((name.to_owned(), choose(Some(cloud))?));
    }
    let mut resolve = |place: Place<'_>| match place {
        Place::File(name) => std::fs::read(expand(context, name)).map_err(|error| error.to_string()),
        Place::Variable(name) => {
            context.variable(name).map(String::into_bytes).ok_or_else(|| "it is not set".to_owned())
        }
    };
    main.into_options(family(catalogue, Some(FAMILY), "")?, identities, &mut resolve).map_err(invalid)
}

/// Name and rest of `--identity`.
///
/// # Errors
/// When it has another form, or the name is taken.
pub fn named<'p>(
    pair: &'p str,
    what: &str,
    mut known: impl Iterator<Item = impl AsRef<str>>,
) -> Result<(&'p str, &'p str), CliError> {
    let Some((name, rest)) = pair.split_once('=').filter(|(name, rest)| !name.is_empty() && !rest.is_empty()) else {
        return Err(CliError::new(Exit::Usage, format!("`--identity {pair}` is not of the form NAME={what}"))
            .hint(format!("write for instance --identity alt={what}")));
    };
    if known.any(|known| known.as_ref() == name) {
        return Err(CliError::new(Exit::Usage, format!("--identity {name} is given twice")).hint("keep one"));
    }
    Ok((name, rest))
}

fn settings(context: &Context) -> Result<CloudSettings, CliError> {
    let folders = config_folders(Path::new(""), &|name| context.variable(name));
    let find = |file| find(context, &folders, file);
    Ok(CloudSettings {
        clouds: find(CloudFile::Clouds)?,
        secure: find(CloudFile::Secure)?,
        profiles: find(CloudFile::Profiles)?,
        variables: context.variables("OS_"),
    })
}

/// The first file that is there and may be read. One that a variable names must be there.
fn find(context: &Context, folders: &[PathBuf], file: CloudFile) -> Result<Option<Arc<SourceFile>>, CliError> {
    let named = file.variable().and_then(|name| Some((name, context.variable(name).filter(|path| !path.is_empty())?)));
    if let Some((name, path)) = named {
        let failed = |error: CliError| CliError { message: format!("{name}: {}", error.message), ..error };
        return source(Path::new(&path)).map(Some).map_err(failed);
    }
    for path in folders.iter().flat_map(|folder| file.names().map(|name| folder.join(name))) {
        let denied = || std::fs::File::open(&path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
        if path.is_file() && !denied() {
            return source(&path).map(Some);
        }
    }
    Ok(None)
}

fn source(path: &Path) -> Result<Arc<SourceFile>, CliError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|_| CliError::input(format!("`{}` is not UTF-8 text", path.display())))?;
    Ok(SourceFile::new(path.display().to_string(), text))
}

/// `~/` is the home folder.
fn expand(context: &Context, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), context.variable("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}
