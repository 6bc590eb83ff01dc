//! Files that commands take in: the catalogue, guidelines, waivers, targets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::guideline::{Guideline, Origin, Waivers, waivers};
use crate::suite::{Catalogue, Family, StoredFile, SuiteFile, embedded, embedded_suites};
use crate::target::{Login, Place, Target, TargetFile, TargetOptions};
use crate::text::{Diagnostics, SourceFile, did_you_mean};

use super::args::TargetArgs;
use super::clouds;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::kube;

/// Largest suite, guideline or waiver file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Files by name. They are those of the catalogue, not copies.
pub type Texts = BTreeMap<String, SuiteFile>;

/// Files by their names below `suites/`.
pub fn texts(files: impl IntoIterator<Item = (String, String)>) -> Texts {
    let file = |(name, text)| (format!("suites/{name}"), name, text);
    files
        .into_iter()
        .map(file)
        .map(|(shown, name, text)| (name, SuiteFile::Text(SourceFile::new(shown, text))))
        .collect()
}

/// A catalogue with the texts it was read from, which a bundle carries along.
pub struct Loaded {
    /// The suites.
    pub catalogue: Catalogue,
    /// Every suite and family file by its name below `suites/`.
    pub texts: Texts,
    /// Folder that was given instead of the built-in files.
    pub folder: Option<PathBuf>,
}

/// A guideline with the bytes it was read from.
pub struct LoadedGuideline {
    /// The document.
    pub guideline: Guideline,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads a file of bounded size.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        let message = format!("`{}` has {length} bytes, more than the {LARGEST} that are read", path.display());
        return Err(CliError::input(message));
    }
    std::fs::read(path).map_err(failed)
}

/// Turns diagnostics into an error, or prints the warnings among them.
///
/// # Errors
/// When there is an error among them.
pub fn heed(context: &Context, problems: &Diagnostics, what: &str) -> Result<(), CliError> {
    if problems.has_errors() {
        let text = problems.render(context.colored_talk());
        return Err(CliError::new(Exit::InvalidInput, format!("{what} cannot be used\n\n{text}")));
    }
    if !problems.is_empty() {
        context.tell(problems.render(context.colored_talk()));
    }
    Ok(())
}

/// The built-in suites, or those of a folder that has `suites/` (or is itself such a folder).
///
/// # Errors
/// When a file cannot be read or is not a suite.
pub fn catalogue(context: &Context, folder: Option<&Path>) -> Result<Loaded, CliError> {
    let texts = match folder {
        None => texts(embedded_suites().map(|(name, text)| (below_suites(name).to_owned(), text.to_owned()))),
        Some(folder) => {
            let root = if folder.join("suites").is_dir() { folder.join("suites") } else { folder.to_owned() };
            let mut files = BTreeMap::new();
            collect(&root, &root, &mut files)?;
            files
        }
    };
    if texts.is_empty() {
        let place = folder.map_or_else(|| "this build".to_owned(), |folder| format!("`{}`", folder.display()));
        return Err(CliError::input(format!("there is no suite in {place}"))
            .hint("a folder for --suites holds suites/<family>/family.yaml and suites/<family>/<name>.yaml"));
    }
    let (catalogue, problems) = Catalogue::read(texts.values().cloned());
    heed(context, &problems, "the suites")?;
    Ok(Loaded { catalogue, texts, folder: folder.map(Path::to_owned) })
}

fn below_suites(name: &str) -> &str {
    name.strip_prefix("suites/").unwrap_or(name)
}

fn collect(root: &Path, folder: &Path, texts: &mut Texts) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", folder.display()));
    let mut entries: Vec<_> = std::fs::read_dir(folder).map_err(failed)?.filter_map(Result::ok).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let bytes = std::fs::metadata(&path).map_err(failed)?.len();
            let name: Vec<_> =
                path.strip_prefix(root).unwrap_or(&path).iter().map(|part| part.to_string_lossy()).collect();
            let name = name.join("/");
            let file = StoredFile { name: format!("suites/{name}"), path, bytes };
            texts.insert(name, SuiteFile::Stored(Arc::new(file)));
        }
    }
    Ok(())
}

/// A guideline by `family/version` or by file.
///
/// # Errors
/// When there is none of that name, or it is invalid.
pub fn guideline(context: &Context, loaded: &Loaded, name: &str) -> Result<LoadedGuideline, CliError> {
    let (bytes, shown) = guideline_bytes(loaded.folder.as_deref(), name)?;
    let guideline = read_guideline(context, &shown, &bytes)?;
    Ok(LoadedGuideline { guideline, bytes })
}

/// A guideline for which no suites are needed.
///
/// # Errors
/// When there is none of that name, or it is invalid.
pub fn guideline_alone(context: &Context, name: &str) -> Result<Guideline, CliError> {
    let (bytes, shown) = guideline_bytes(None, name)?;
    read_guideline(context, &shown, &bytes)
}

fn read_guideline(context: &Context, shown: &str, bytes: &[u8]) -> Result<Guideline, CliError> {
    let (guideline, problems) = Guideline::read(shown, bytes).map_err(|problems| {
        let text = problems.render(context.colored_talk());
        CliError::new(Exit::InvalidInput, format!("the guideline cannot be used\n\n{text}"))
    })?;
    // A foreign document is not for its reader to repair.
    if guideline.metadata.origin != Origin::Assize && !problems.is_empty() && !problems.has_errors() {
        let odd = crate::text::plural(problems.len(), "odd thing");
        context.tell(format!("{odd} in {shown}: `assize guideline lint` shows them"));
        return Ok(guideline);
    }
    heed(context, &problems, "the guideline")?;
    Ok(guideline)
}

/// The bytes of a guideline and the name to show for it.
///
/// # Errors
/// When there is none of that name.
pub fn guideline_bytes(folder: Option<&Path>, name: &str) -> Result<(Vec<u8>, String), CliError> {
    let file = format!("capabilities/{name}.json");
    if let Some(folder) = folder {
        let path = folder.join(&file);
        if path.is_file() {
            return Ok((read(&path)?, path.display().to_string()));
        }
    }
    if let Some((_, bytes)) = embedded().find(|(known, _)| *known == file) {
        return Ok((bytes.to_vec(), file));
    }
    let path = Path::new(name);
    if path.is_file() {
        return Ok((read(path)?, name.to_owned()));
    }
    let mut known: Vec<String> = embedded()
        .filter_map(|(known, _)| Some(known.strip_prefix("capabilities/")?.strip_suffix(".json")?.to_owned()))
        .collect();
    if let Some(folder) = folder {
        known.extend(guidelines_below(&folder.join("capabilities")));
    }
    let error = CliError::input(format!("there is no guideline `{name}`: neither known nor a file"));
    Err(match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(close) => error.hint(format!("did you mean `{close}`?")),
        None => error.hint(format!("known: {}", known.join(", "))),
    })
}

/// `family/version` of every guideline in a folder; none when it cannot be read.
fn guidelines_below(folder: &Path) -> Vec<String> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |path: &Path| {
        let (version, family) = (path.file_name()?.to_str()?, path.parent()?.file_name()?.to_str()?);
        Some(format!("{family}/{}", version.strip_suffix(".json")?))
    };
    let files = entries(folder).flat_map(|family| entries(&family.path()));
    let mut names: Vec<String> = files.filter_map(|file| name(&file.path())).collect();
    names.sort();
    names
}

/// Waivers from a file, with its bytes.
///
/// # Errors
/// When the file is invalid.
pub fn waivers_of(context: &Context, path: Option<&Path>) -> Result<(Waivers, Option<Vec<u8>>), CliError> {
    let Some(path) = path else { return Ok((Waivers::none(), None)) };
    let bytes = read(path)?;
    let (waivers, problems) = waivers::read(&path.display().to_string(), &bytes).map_err(|problems| {
        let text = problems.render(context.colored_talk());
        CliError::new(Exit::InvalidInput, format!("the waivers cannot be used\n\n{text}"))
    })?;
    heed(context, &problems, "the waivers")?;
    Ok((waivers, Some(bytes)))
}

/// Whether the family that was named, if one was, is the only one that such a target has.
///
/// # Errors
/// When it is another one.
pub fn of_family(named: Option<&str>, own: &str, what: &str) -> Result<(), CliError> {
    match named {
        Some(other) if other != own => {
            Err(CliError::new(Exit::Usage, format!("{what} is of the family `{own}`, not `{other}`"))
                .hint("leave --family out"))
        }
        _ => Ok(()),
    }
}

/// The family of a URL: the one named, else the one whose path prefix the URL has.
///
/// # Errors
/// When there is no such family.
pub fn family<'c>(catalogue: &'c Catalogue, named: Option<&str>, url: &str) -> Result<&'c Family, CliError> {
    let known = || catalogue.families().iter().map(|family| family.id.as_str());
    if let Some(name) = named {
        return catalogue.family(name).ok_or_else(|| {
            let error = CliError::new(Exit::Usage, format!("there is no family `{name}`"));
            match did_you_mean(name, known()) {
                Some(close) => error.hint(format!("did you mean `{close}`?")),
                None => error.hint(format!("known families: {}", known().collect::<Vec<_>>().join(", "))),
            }
        });
    }
    let path = url::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
    let fits = |family: &&Family| !family.path.is_empty() && family.path != "/" && path.starts_with(&family.path);
    catalogue.families().iter().find(fits).ok_or_else(|| {
        let list = known().collect::<Vec<_>>().join("|");
        CliError::new(Exit::Usage, format!("the URL `{url}` does not tell the family of the target"))
            .hint(format!("add --family {list}"))
    })
}

/// The target that the arguments describe. `fields` are what an earlier run said for its log-in, beside the secrets.
///
/// # Errors
/// When a file cannot be read or the target cannot be used.
pub fn target(
    context: &Context,
    catalogue: &Catalogue,
    args: &TargetArgs,
    rate: Option<u32>,
    fields: BTreeMap<String, String>,
) -> Result<Target, CliError> {
    let of_cluster = kube::wanted(args)?;
    let of_cloud = !of_cluster && clouds::wanted(context, args)?;
    let place = args.target.as_deref().unwrap_or_default();
    let is_named = of_cluster || of_cloud;
    let is_url = !is_named && (place.starts_with("http://") || place.starts_with("https://"));
    let mut options = if of_cluster {
        kube::options(context, catalogue, args)?
    } else if of_cloud {
        clouds::options(context, catalogue, args)?
    } else if is_url {
        TargetOptions::new(family(catalogue, args.family.as_deref(), place)?, place)
    } else {
        from_file(context, catalogue, args, place)?
    };
    if !is_named {
        replace_login(context, args, is_url, &mut options)?;
    }
    options.login.fields.extend(fields);
    if let Some(path) = &args.login.ca_cert {
        options.ca_certs.push(read(path)?);
    }
    if let Some(path) = &args.login.client_cert {
        options.client_identity = Some(crate::secret::Secret::new(String::from_utf8_lossy(&read(path)?).into_owned()));
    }
    kube::own_certificate(&mut options);
    options.insecure |= args.login.insecure;
    if let Some(rate) = rate {
        options.rate = Some(f64::from(rate));
    }
    for pair in &args.set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(CliError::new(Exit::Usage, format!("`--set {pair}` has no `=`")).hint("write --set KEY=VALUE"));
        };
        options.options.insert(key.to_owned(), value.to_owned());
    }
    Target::from_options(options).map_err(|error| CliError::new(Exit::Usage, error.to_string()))
}

fn replace_login(
    context: &Context,
    args: &TargetArgs,
    is_url: bool,
    options: &mut TargetOptions<'_>,
) -> Result<(), CliError> {
    let login = Login {
        username: args.login.username.clone(),
        password: context.secret(args.login.password_file.as_deref(), "ASSIZE_PASSWORD")?,
        token: context.secret(args.login.token_file.as_deref(), "ASSIZE_TOKEN")?,
        ..Login::default()
    };
    // What stands in a target file is replaced only by what is said here.
    if login.username.is_some() || (is_url && login.token.is_some()) {
        options.login = login;
    } else if login.password.is_some() && is_url {
        return Err(CliError::new(Exit::Usage, "a password is given, but no user name").hint("add --username NAME"));
    }
    Ok(())
}

fn from_file<'c>(
    context: &Context,
    catalogue: &'c Catalogue,
    args: &TargetArgs,
    place: &str,
) -> Result<TargetOptions<'c>, CliError> {
    let path = Path::new(place);
    if !path.is_file() {
        return Err(CliError::new(Exit::Usage, format!("`{place}` is neither a URL nor a target file")).hint(
            "give `demo`, a URL that starts with http:// or https://, the path of a target file, `kubernetes`, or \
             --os-cloud NAME",
        ));
    }
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let source: Arc<SourceFile> = SourceFile::new(place, text);
    let invalid = |problems: Diagnostics| {
        CliError::new(
            Exit::InvalidInput,
            format!("the target file cannot be used\n\n{}", problems.render(context.colored_talk())),
        )
    };
    let file = TargetFile::parse(&source).map_err(invalid)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut resolve = |place: Place<'_>| match place {
        Place::File(name) => std::fs::read(folder.join(name)).map_err(|error| error.to_string()),
        Place::Variable(name) => {
            context.variable(name).map(String::into_bytes).ok_or_else(|| "it is not set".to_owned())
        }
    };
    let family = family(catalogue, args.family.as_deref().or(file.family.as_deref()), &file.url)?;
    file.into_options(family, &mut resolve).map_err(invalid)
}
