//! One cloud: profile, region, endpoints, TLS; and the target options that it amounts to.

use std::collections::BTreeMap;

use super::Clouds;
use super::auth::Given;
use super::tree::{Item, Origin, Section, Value, lay};
use crate::secret::Secret;
use crate::suite::Family;
use crate::target::{Auth, Login, Place, TargetOptions};
use crate::text::{Diagnostic, Diagnostics};

/// Types of the block storage service, the strongest first.
const BLOCK_STORAGE: [&str; 5] = ["block_storage", "volumev3", "volumev2", "volume", "block_store"];
/// Unquoted words that are truth values in YAML 1.1, which other clients read.
const YES: [&str; 3] = ["true", "yes", "on"];
const NO: [&str; 3] = ["false", "no", "off"];

/// A path that a cloud names, with its place.
#[derive(Debug, Clone)]
struct Named {
    path: String,
    origin: Origin,
}

/// A cloud that was chosen; files that it names are not yet read.
#[derive(Debug)]
pub struct Cloud {
    /// Its name.
    pub name: String,
    /// Who logs in.
    pub login: Login,
    /// URL of the identity service, without version.
    pub url: String,
    /// The region, when one is named.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// Endpoints that replace those of the catalog, by service.
    pub services: BTreeMap<String, String>,
    /// Certificates are not verified.
    pub insecure: bool,
    /// What was not heeded.
    pub warnings: Diagnostics,
    ca_cert: Option<Named>,
    client_cert: Option<Named>,
    client_key: Option<Named>,
}

impl Cloud {
    /// Leaves the certificate authority of the cloud out: the caller has another one.
    pub fn without_ca_cert(&mut self) {
        self.ca_cert = None;
    }

    /// Makes target options; `identities` are further logins of the same place. `read` fetches files, with `~` for the
    /// home folder, relative to the current one.
    ///
    /// # Errors
    /// When a file cannot be read or an identity is of another place.
    pub fn into_options<'f>(
        self,
        family: &'f Family,
        identities: Vec<(String, Self)>,
        read: &mut dyn FnMut(Place<'_>) -> Result<Vec<u8>, String>,
    ) -> Result<TargetOptions<'f>, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut fetch = |named: &Option<Named>, what: &str| {
            let named = named.as_ref()?;
            read(Place::File(&named.path))
                .map_err(|why| {
                    let message = format!("cloud `{}`: {what} `{}` cannot be read: {why}", self.name, named.path);
                    problems.push(named.origin.mark(Diagnostic::error("T012", message), "named here"));
                })
                .ok()
        };
        let ca_certs = fetch(&self.ca_cert, "the certificate authority");
        let mut client = fetch(&self.client_cert, "the client certificate");
        if let (Some(certificate), Some(key)) =
            (&mut client, fetch(&self.client_key, "the key of the client certificate"))
        {
            certificate.push(b'\n');
            certificate.extend(key);
        }
        let mut options = TargetOptions::new(family, self.url.clone());
        for (name, cloud) in identities {
            if cloud.url != self.url {
                let message = format!(
                    "identity `{name}`: cloud `{}` is at {}, cloud `{}` is at {}",
                    cloud.name, cloud.url, self.name, self.url
                );
                problems.push(Diagnostic::error("T010", message).help("all identities of a run log in at one cloud"));
            }
            options.identities.insert(name, cloud.login);
        }
        if problems.has_errors() {
            return Err(problems);
        }
        options.login = self.login;
        // Cases log in; no header is made of these credentials.
        options.auth = Some(Auth::None);
        options.ca_certs = ca_certs.into_iter().collect();
        options.client_identity = client.map(|pem| Secret::new(String::from_utf8_lossy(&pem).into_owned()));
        options.insecure = self.insecure;
        options.services = self.services;
        options.options.insert("interface".to_owned(), self.interface);
        options.options.extend(self.region.map(|region| ("region".to_owned(), region)));
        Ok(options)
    }
}

/// Makes a cloud of what is said about it.
pub(super) fn resolve(clouds: &Clouds, name: &str, item: &Item, region: Option<&str>) -> Result<Cloud, Diagnostics> {
    let Some(own) = item.map() else {
        let problem = Diagnostic::error("T006", format!("cloud `{name}` must be a mapping, it is {}", item.kind()))
            .help("write `auth:` and the like below its name");
        return Err(item.origin.mark(problem, "here").into());
    };
    let mut reader = Reader { name, section: Section::new(), problems: Diagnostics::new() };
    let lost = reader.profile(clouds, own);
    lay(&mut reader.section, own);
    let region = reader.region(region);
    let mut given = Given::new(name, &reader.section, &item.origin, matches!(item.origin, Origin::Default));
    let written = given.auth_url();
    reader.problems.extend(given.take_problems());
    if let Some(lost) = lost {
        // Without a URL the profile would have been needed.
        let weight = if written.is_some() {
            Diagnostic::warning("T013", lost.message)
        } else {
            Diagnostic::error("T007", lost.message)
        };
        reader.report(weight.help(lost.help), &lost.origin);
    }
    let url = written.and_then(|item| reader.url(&item));
    let login = given.login().map_err(|problems| reader.problems.extend(problems)).ok();
    let interface = reader.interface();
    let services = reader.services(login.as_ref());
    let (insecure, trusted) = reader.verification();
    let [ca_cert, client_cert, client_key] = ["cacert", "cert", "key"].map(|key| reader.path(key));
    let ca_cert = if insecure { None } else { ca_cert.or(trusted) };
    reader.not_heeded(client_cert.is_some());
    match (url, login) {
        (Some(url), Some(login)) if !reader.problems.has_errors() => Ok(Cloud {
            name: name.to_owned(),
            login,
            url,
            region,
            interface,
            services,
            insecure,
            warnings: reader.problems,
            ca_cert,
            client_cert,
            client_key,
        }),
        _ => Err(reader.problems),
    }
}

/// A profile that is not there.
struct Lost {
    message: String,
    help: &'static str,
    origin: Origin,
}

struct Reader<'a> {
    name: &'a str,
    section: Section,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn report(&mut self, problem: Diagnostic, origin: &Origin) {
        self.problems.push(origin.mark(problem, "here"));
    }

    fn wrong(&mut self, item: &Item, message: &str, help: &str) {
        let problem = Diagnostic::error("T011", format!("cloud `{}`: {message}", self.name)).help(help);
        self.report(problem, &item.origin);
    }

    fn get(&self, key: &str) -> Option<Item> {
        self.section.get(key).filter(|item| !item.is_blank()).cloned()
    }

    /// Lays the profile of the cloud down first.
    fn profile(&mut self, clouds: &Clouds, own: &Section) -> Option<Lost> {
        let item = own.get("profile").or_else(|| own.get("cloud")).filter(|item| !item.is_blank())?;
        let profile = item.text().unwrap_or_default();
        if profile == clouds.environment {
            return None;
        }
        if let Some(section) = clouds.profiles.get(profile).and_then(Item::map) {
            lay(&mut self.section, section);
            return None;
        }
        Some(Lost {
            message: format!("cloud `{}`: the profile `{profile}` is in no clouds-public.yaml", self.name),
            help: "no profile is built in or fetched; write what it stands for (auth_url, region_name) into clouds.yaml, \
                   or add it to clouds-public.yaml below `public-clouds`",
            origin: item.origin.clone(),
        })
    }

    /// Chooses the region and lays its values over the cloud.
    fn region(&mut self, wanted: Option<&str>) -> Option<String> {
        let regions = self.regions();
        let wanted = wanted.filter(|wanted| !wanted.is_empty());
        let found = match wanted {
            None => regions.first(),
            Some(wanted) => regions.iter().find(|(name, _)| name == wanted),
        };
        if let Some((name, values)) = found {
            lay(&mut self.section, values);
            return Some(name.clone()).filter(|name| !name.is_empty());
        }
        let wanted = wanted?.to_owned();
        if let Some((names, item)) = self
            .get("regions")
            .or_else(|| self.get("region_name"))
            .map(|item| (regions.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "), item))
        {
            self.wrong(&item, &format!("there is no region `{wanted}`"), &format!("regions are {names}; case counts"));
        }
        Some(wanted)
    }

    fn regions(&mut self) -> Vec<(String, Section)> {
        let named = |name: &str| (name.to_owned(), Section::new());
        if let Some(item) = self.get("regions") {
            let Value::List(items) = &item.value else {
                self.wrong(&item, "`regions` must be a list", "write one `- name` a line");
                return Vec::new();
            };
            return items.iter().filter_map(|item| self.region_entry(item)).collect();
        }
        match self.get("region_name") {
            None => Vec::new(),
            Some(Item { value: Value::List(items), .. }) => items.iter().filter_map(Item::text).map(named).collect(),
            Some(item) => item.text().unwrap_or_default().split(',').map(named).collect(),
        }
    }

    fn region_entry(&mut self, item: &Item) -> Option<(String, Section)> {
        if let Some(name) = item.text() {
            return Some((name.to_owned(), Section::new()));
        }
        let entry = item.map().filter(|map| map.keys().all(|key| key == "name" || key == "values"));
        let name = entry.and_then(|map| map.get("name")?.text());
        let (Some(entry), Some(name)) = (entry, name) else {
            self.wrong(item, "a region must be a name, or `name` with `values`", "remove other keys");
            return None;
        };
        let values = entry.get("values").and_then(Item::map).cloned().unwrap_or_default();
        Some((name.to_owned(), values))
    }

    /// Fills `{key}` with what the cloud says under that key; `{{` and `}}` are braces.
    fn filled(&mut self, item: &Item) -> Option<String> {
        let mut rest = item.text()?;
        if !rest.contains(['{', '}']) {
            return Some(rest.to_owned());
        }
        let mut filled = String::new();
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            filled.push_str(before);
            if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                filled.push_str(brace.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let value = inside.and_then(|(key, _)| self.placeholder(key));
            let (Some((_, after)), Some(value)) = (inside, value) else {
                self.wrong(
                    item,
                    "a placeholder cannot be filled",
                    "`{region_name}` and other keys of the cloud can; write `{{` for a brace",
                );
                return None;
            };
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn placeholder(&self, key: &str) -> Option<String> {
        const FILLABLE: [&str; 4] = ["region_name", "interface", "profile", "auth_type"];
        let known = FILLABLE.contains(&key) || key.ends_with("_api_version");
        let default = if key == "interface" { Some("public") } else { None };
        let value = self.section.get(key).filter(|_| known).and_then(Item::text).or(default)?;
        Some(value.to_owned())
    }

    /// The identity service without version: `…/v3`, `…/v2.0` and a slash at the end are cut off.
    fn url(&mut self, item: &Item) -> Option<String> {
        if item.text().is_none() {
            self.wrong(item, "`auth_url` must be text", "write `auth_url: https://…`");
        }
        let text = self.filled(item)?;
        if let Err(error) = crate::target::parse_base(&text, "") {
            let why = match error {
                crate::target::TargetError::Url { why, .. } => why,
                other => other.to_string(),
            };
            self.wrong(
                item,
                &format!("`auth_url` cannot be used: {why}"),
                "it looks like https://cloud.example:5000/v3",
            );
            return None;
        }
        let text = text.trim_end_matches('/');
        let is_version = |last: &str| {
            last.strip_prefix('v').is_some_and(|v| {
                v.starts_with(|c: char| c.is_ascii_digit()) && v.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
        };
        let cut = text.rsplit_once('/').filter(|(front, last)| is_version(last) && !front.ends_with('/'));
        Some(cut.map_or(text, |(front, _)| front).trim_end_matches('/').to_owned())
    }

    fn interface(&mut self) -> String {
        let Some(item) = self.get("endpoint_type").or_else(|| self.get("interface")) else {
            return "public".to_owned();
        };
        let word = item.text().map(|word| word.strip_suffix("URL").unwrap_or(word));
        match word {
            Some(word @ ("public" | "internal" | "admin")) => word.to_owned(),
            _ => {
                self.wrong(
                    &item,
                    "`interface` cannot be used",
                    "one of `public`, `internal`, `admin`; a list is not supported",
                );
                "public".to_owned()
            }
        }
    }

    /// Endpoints that the operator sets: `compute_endpoint_override` and the like.
    fn services(&mut self, login: Option<&Login>) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, (usize, Item)> = BTreeMap::new();
        for (strength, ending) in [(0, "_endpoint_override"), (BLOCK_STORAGE.len(), "_endpoint")] {
            for (key, item) in self.section.iter().filter(|(_, item)| !item.is_blank()) {
                let Some(service) = key.strip_suffix(ending) else { continue };
                let alias = BLOCK_STORAGE.iter().position(|alias| *alias == service);
                let name = if alias.is_some() { "block-storage".to_owned() } else { service.replace('_', "-") };
                let strength = strength + alias.unwrap_or(0);
                if found.get(&name).is_none_or(|(known, _)| strength < *known) {
                    found.insert(name, (strength, item.clone()));
                }
            }
        }
        let mut services = BTreeMap::new();
        for (name, (_, item)) in found {
            services.extend(self.endpoint(&name, &item, login).map(|url| (name, url)));
        }
        services
    }

    fn endpoint(&mut self, name: &str, item: &Item, login: Option<&Login>) -> Option<String> {
        let mut url = self.filled(item)?;
        let known = |key: &str| login.and_then(|login| login.fields.get(key));
        for (mark, key) in
            [("%(project_id)s", "project_id"), ("%(tenant_id)s", "project_id"), ("%(user_id)s", "user_id")]
        {
            if let Some(id) = known(key) {
                url = url.replace(mark, id);
            }
        }
        if url.contains("%(") {
            self.wrong(
                item,
                &format!("the endpoint of `{name}` has an id that is not known before the login"),
                "write the id itself, or give `project_id` to log in",
            );
            return None;
        }
        match crate::target::parse_base(&url, "") {
            Ok(_) => Some(url.trim_end_matches('/').to_owned()),
            Err(_) => {
                self.wrong(
                    item,
                    &format!("the endpoint of `{name}` is not a usable URL"),
                    "it looks like https://cloud.example:8774/v2.1",
                );
                None
            }
        }
    }

    /// Whether certificates are not verified, and the authority that `verify` may name.
    fn verification(&mut self) -> (bool, Option<Named>) {
        let insecure = match self.get("insecure") {
            None => false,
            Some(item) => truth(&item, true).unwrap_or_else(|| {
                self.wrong(
                    &item,
                    "`insecure` is neither `true` nor `false`",
                    "write `insecure: true` only if certificates must not be verified",
                );
                false
            }),
        };
        let Some(item) = self.get("verify") else { return (insecure, None) };
        match (truth(&item, false), item.text()) {
            (Some(verify), _) => (insecure || !verify, None),
            (None, Some(path)) if !is_word(path) => {
                (insecure, Some(Named { path: path.to_owned(), origin: item.origin.clone() }))
            }
            _ => {
                self.wrong(
                    &item,
                    "`verify` is a word in quotes, which other clients take for the name of a file",
                    "write `verify: false` without quotes",
                );
                (insecure, None)
            }
        }
    }

    fn path(&mut self, key: &str) -> Option<Named> {
        let item = self.get(key)?;
        if item.text().is_none() {
            self.wrong(&item, &format!("`{key}` must be a path"), "write the path of a PEM file");
        }
        Some(Named { path: self.filled(&item)?, origin: item.origin })
    }

    fn not_heeded(&mut self, certified: bool) {
        let mut warn = |key: &str, why: &str, help: &str| {
            let Some(item) = self.section.get(key).filter(|item| !item.is_blank()) else { return };
            let problem = Diagnostic::warning("T013", format!("cloud `{}`: `{key}` is not heeded: {why}", self.name));
            self.problems.push(item.origin.mark(problem.help(help), "here"));
        };
        warn("auth_plugin", "its name today is `auth_type`", "write `auth_type`");
        if !certified {
            warn("key", "there is no `cert`", "name the client certificate with `cert`");
        }
    }
}

fn is_word(text: &str) -> bool {
    let word = text.to_lowercase();
    YES.contains(&word.as_str()) || NO.contains(&word.as_str())
}

/// A truth value: an unquoted word; a quoted one or a variable only where `quoted` is allowed.
fn truth(item: &Item, quoted: bool) -> Option<bool> {
    let Value::Scalar { text, plain } = &item.value else { return None };
    let word = text.expose().to_lowercase();
    if *plain {
        return if YES.contains(&word.as_str()) { Some(true) } else { NO.contains(&word.as_str()).then_some(false) };
    }
    match word.as_str() {
        "true" if quoted => Some(true),
        "false" if quoted => Some(false),
        _ => None,
    }
}
