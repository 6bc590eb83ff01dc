//! Clouds as OpenStack's own clients know them: `clouds.yaml`, `secure.yaml`, `clouds-public.yaml` and `OS_*` variables.
//!
//! ```text
//! CloudSettings ──parse──► Clouds ──choose──► Cloud ──into_options──► TargetOptions
//! ```
//!
//! The rules are those of openstacksdk; `cases.yaml` beside this file is the table of what it was compared in. Deliberately
//! different: what the SDK skips or guesses is an error here (a broken file, a file named by a variable that is not
//! there, an unknown key in `auth`, a login without a scope), values stay as they are written (`0123` is text), and no
//! profile is built in or fetched. Files and variables are read by the caller; no request is sent.
//!
//! | code | meaning |
//! | --- | --- |
//! | T006 | a clouds file is not of the expected shape |
//! | T007 | no cloud is chosen, or there is none of that name |
//! | T008 | something that is needed to log in is missing |
//! | T009 | a way to log in that is not supported |
//! | T010 | keys contradict each other |
//! | T011 | a value that cannot be used |
//! | T012 | a file that a cloud names cannot be read |
//! | T013 | something that is not heeded (a warning) |

mod auth;
mod cloud;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::text::{Diagnostic, Diagnostics, SourceFile, did_you_mean};
use tree::{Item, Origin, Section, Value};

pub use cloud::Cloud;

/// A file that is searched for in the folders of [`config_folders`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudFile {
    /// `clouds.yaml`: the clouds.
    Clouds,
    /// `secure.yaml`: laid over `clouds.yaml`, by convention the passwords.
    Secure,
    /// `clouds-public.yaml`: profiles that clouds refer to.
    Profiles,
}

impl CloudFile {
    /// The environment variable that names the file, when there is one.
    #[must_use]
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Self::Clouds => Some("OS_CLIENT_CONFIG_FILE"),
            Self::Secure => Some("OS_CLIENT_SECURE_FILE"),
            Self::Profiles => None,
        }
    }

    /// The names it may have, the first found counts.
    #[must_use]
    pub fn names(self) -> [&'static str; 3] {
        match self {
            Self::Clouds => ["clouds.yaml", "clouds.yml", "clouds.json"],
            Self::Secure => ["secure.yaml", "secure.yml", "secure.json"],
            Self::Profiles => ["clouds-public.yaml", "clouds-public.yml", "clouds-public.json"],
        }
    }
}

/// The folders in which clouds files are searched, in order.
#[must_use]
pub fn config_folders(current: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let given = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = given("HOME");
    let mut folders = vec![current.to_owned()];
    if cfg!(target_os = "macos") {
        folders.extend(home.as_ref().map(|home| home.join("Library/Application Support/openstack")));
    } else {
        let config = given("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        folders.extend(config.map(|config| config.join("openstack")));
    }
    folders.extend(given("SNAP_REAL_HOME").or(home).map(|home| home.join(".config/openstack")));
    if cfg!(target_os = "macos") {
        folders.push("/Library/Application Support/openstack".into());
    } else {
        let site = variable("XDG_CONFIG_DIRS").filter(|value| !value.is_empty()).unwrap_or_else(|| "/etc/xdg".into());
        folders.extend(site.split(':').filter(|folder| !folder.is_empty()).map(|f| Path::new(f).join("openstack")));
    }
    folders.push("/etc/openstack".into());
    folders
}

/// What the caller read.
#[derive(Debug, Clone, Default)]
pub struct CloudSettings {
    /// Text of `clouds.yaml`.
    pub clouds: Option<Arc<SourceFile>>,
    /// Text of `secure.yaml`.
    pub secure: Option<Arc<SourceFile>>,
    /// Text of `clouds-public.yaml`.
    pub profiles: Option<Arc<SourceFile>>,
    /// The variables of the environment whose names begin with `OS_`.
    pub variables: BTreeMap<String, String>,
}

/// All clouds that are known.
#[derive(Debug)]
pub struct Clouds {
    clouds: Section,
    profiles: Section,
    /// Name of the cloud that `OS_*` variables make, whether there is one or not.
    environment: String,
    /// `OS_CLOUD`, else the cloud of the environment, else the only one.
    default: Option<String>,
    file: Option<String>,
}

/// Variables that choose, but make no cloud by themselves.
const SELECTORS: [&str; 5] =
    ["OS_CLOUD", "OS_REGION_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_CLOUD_NAME"];
/// Variables of other tools.
const FOREIGN: [&str; 3] = ["OS_TEST", "OS_STD", "OS_LOG"];

impl Clouds {
    /// Reads the files and the variables.
    ///
    /// # Errors
    /// When a file is not what it should be.
    pub fn parse(settings: &CloudSettings) -> Result<Self, Diagnostics> {
        let read = |file: &Option<Arc<SourceFile>>| file.as_ref().map_or_else(|| Ok(Section::new()), tree::read);
        let mut root = read(&settings.clouds)?;
        tree::merge(&mut root, read(&settings.secure)?);
        let mut clouds = section(&mut root, "clouds")?;
        let profiles = section(&mut read(&settings.profiles)?, "public_clouds")?;
        let variable = |name: &str| settings.variables.get(name).filter(|value| !value.is_empty()).cloned();
        let environment = variable("OS_CLOUD_NAME").unwrap_or_else(|| "envvars".to_owned());
        if let Some(item) = clouds.get(&environment) {
            let problem =
                Diagnostic::error("T010", format!("`{environment}` is the name of the cloud of the OS_* variables"))
                    .help("rename this cloud, or name the other one with OS_CLOUD_NAME");
            return Err(item.origin.mark(problem, "a cloud of the same name").into());
        }
        let only = match clouds.keys().collect::<Vec<_>>().as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        };
        let made = cloud_of(&settings.variables);
        let default = variable("OS_CLOUD").or_else(|| made.as_ref().map(|_| environment.clone())).or(only);
        if let Some(made) = made {
            clouds.insert(environment.clone(), made);
        }
        let file = settings.clouds.as_ref().or(settings.secure.as_ref()).map(|file| file.name.clone());
        Ok(Self { clouds, profiles, environment, default, file })
    }

    /// The cloud of that name, else the one that is chosen otherwise.
    ///
    /// # Errors
    /// When there is none, or it does not say how to log in.
    pub fn choose(&self, name: Option<&str>, region: Option<&str>) -> Result<Cloud, Diagnostics> {
        let Some(name) = name.or(self.default.as_deref()) else {
            let (what, help) = match self.file {
                None => (
                    "no cloud is known: there is no clouds.yaml and no OS_AUTH_URL",
                    "write clouds.yaml here, in ~/.config/openstack or /etc/openstack, or load an openrc file"
                        .to_owned(),
                ),
                Some(_) if self.clouds.is_empty() => {
                    ("the clouds file holds no cloud", "add one below `clouds:`".to_owned())
                }
                Some(_) => {
                    ("no cloud is chosen", format!("add --os-cloud NAME or set OS_CLOUD; there are {}", self.known()))
                }
            };
            return Err(Diagnostic::error("T007", what).help(help).into());
        };
        let Some(item) = self.clouds.get(name) else {
            let problem = Diagnostic::error("T007", format!("there is no cloud `{name}`"));
            let names = self.clouds.keys().map(String::as_str);
            let help = match (did_you_mean(name, names), &self.file) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, None) => "no clouds.yaml was found here, in ~/.config/openstack or in /etc/openstack; \
                                 OS_CLIENT_CONFIG_FILE names one elsewhere"
                    .to_owned(),
                (None, Some(file)) => format!("`{file}` has {}", self.known()),
            };
            return Err(problem.help(help).into());
        };
        cloud::resolve(self, name, item, region)
    }

    fn known(&self) -> String {
        let names: Vec<_> = self.clouds.keys().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

/// Takes a mapping out of a root; absent and empty are the same.
fn section(root: &mut Section, key: &str) -> Result<Section, Diagnostics> {
    match root.remove(key) {
        None | Some(Item { value: Value::Null, .. }) => Ok(Section::new()),
        Some(Item { value: Value::Map(section), .. }) => Ok(section),
        Some(item) => {
            let problem = Diagnostic::error("T006", format!("this must be a mapping of names, it is {}", item.kind()));
            Err(item.origin.mark(problem, "here").into())
        }
    }
}

/// The cloud that variables make.
fn cloud_of(variables: &BTreeMap<String, String>) -> Option<Item> {
    let ours = |name: &str| name.starts_with("OS_") && !FOREIGN.iter().any(|foreign| name.starts_with(foreign));
    let found: Vec<_> = variables.iter().filter(|(name, _)| ours(name)).collect();
    if found.iter().all(|(name, _)| SELECTORS.contains(&name.as_str())) {
        return None;
    }
    let entry = |(name, value): (&String, &String)| {
        (name.trim_start_matches("OS_").to_lowercase(), Item::variable(name, value))
    };
    let mut section: Section = found.into_iter().map(entry).collect();
    // It chooses a cloud; in a file the same key would name a profile.
    section.remove("cloud");
    Some(Item { value: Value::Map(section), origin: Origin::Default })
}

#[cfg(test)]
mod tests;
