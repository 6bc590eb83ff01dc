//! From the keys of a cloud to a login: which of several spellings counts, which domain, which scope.

use std::collections::BTreeMap;

use super::tree::{Item, Origin, Section};
use crate::secret::Secret;
use crate::target::Login;
use crate::text::{Diagnostic, Diagnostics, did_you_mean};

/// Keys with several names, the later ones stronger; outside of `auth` they are stronger than inside.
const OUTER_FIRST: [(&str, &[&str]); 10] = [
    ("domain_id", &["domain_id"]),
    ("domain_name", &["domain_name"]),
    ("user_domain_id", &["user_domain_id"]),
    ("user_domain_name", &["user_domain_name"]),
    ("project_domain_id", &["project_domain_id"]),
    ("project_domain_name", &["project_domain_name"]),
    ("token", &["auth_token", "token"]),
    ("passcode", &["passcode"]),
    ("project_id", &["tenant_id", "project_id"]),
    ("project_name", &["tenant_name", "project_name"]),
];
/// Keys that are stronger inside of `auth`; the second name is an older one.
const INNER_FIRST: [(&str, &str); 12] = [
    ("auth_url", "auth_url"),
    ("username", "user_name"),
    ("user_id", "user_id"),
    ("password", "password"),
    ("system_scope", "system_scope"),
    ("trust_id", "trust_id"),
    ("default_domain_id", "default_domain_id"),
    ("default_domain_name", "default_domain_name"),
    ("application_credential_id", "application_credential_id"),
    ("application_credential_name", "application_credential_name"),
    ("application_credential_secret", "application_credential_secret"),
    ("default_domain", "default_domain"),
];
const SUPPORTED: &str = "supported are password, v3password, token, v3token and v3applicationcredential";

/// What a cloud says about logging in, one name for each thing.
pub(super) struct Given<'c> {
    cloud: &'c str,
    /// Where to point when something is missing.
    origin: Origin,
    from_variables: bool,
    kind: Option<Item>,
    values: BTreeMap<&'static str, Item>,
    /// Keys in `auth` that mean nothing.
    unknown: Vec<(String, Origin)>,
    problems: Diagnostics,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    Token,
    ApplicationCredential,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::ApplicationCredential => "application_credential",
        }
    }
}

impl<'c> Given<'c> {
    /// Gathers the keys. `cloud` is its name, `whole` where it stands.
    pub(super) fn new(cloud: &'c str, section: &Section, whole: &Origin, from_variables: bool) -> Self {
        let auth_item = section.get("auth");
        let nothing = Section::new();
        let auth = auth_item.and_then(Item::map).unwrap_or(&nothing);
        let mut problems = Diagnostics::new();
        if let Some(item) = auth_item.filter(|item| !item.is_blank() && item.map().is_none()) {
            let problem = Diagnostic::error("T006", format!("`auth` must be a mapping, it is {}", item.kind()))
                .help("write `auth_url`, `username` and so on below it");
            problems.push(item.origin.mark(problem, "here"));
        }
        let mut values = BTreeMap::new();
        for (key, names) in OUTER_FIRST {
            let places = names.iter().flat_map(|name| [auth.get(*name), section.get(*name)]);
            values.extend(places.flatten().rfind(|item| !item.is_blank()).map(|item| (key, item.clone())));
        }
        for (key, older) in INNER_FIRST {
            let mut places = [auth.get(key), auth.get(older), section.get(key), section.get(older)].into_iter();
            values.extend(places.by_ref().flatten().find(|item| !item.is_blank()).map(|item| (key, item.clone())));
        }
        let known = |key: &str| {
            OUTER_FIRST.iter().any(|(_, names)| names.contains(&key))
                || INNER_FIRST.iter().any(|(name, older)| key == *name || key == *older)
        };
        let unknown = auth.iter().filter(|(key, item)| !known(key) && !item.is_blank());
        let unknown = unknown.map(|(key, item)| (key.clone(), item.origin.clone())).collect();
        let origin = auth_item.map_or(whole, |item| &item.origin).clone();
        Self { cloud, origin, from_variables, kind: section.get("auth_type").cloned(), values, unknown, problems }
    }

    /// The URL of the identity service, as written.
    pub(super) fn auth_url(&mut self) -> Option<Item> {
        let url = self.values.get("auth_url").cloned();
        if url.is_none() {
            self.missing("auth_url", "the URL of the identity service, such as https://cloud.example:5000/v3");
        }
        url
    }

    /// The login.
    pub(super) fn login(mut self) -> Result<Login, Diagnostics> {
        let kind = self.kind();
        self.share_domain();
        let mut login = Login::default();
        if let Some(kind) = kind {
            login.fields.insert("auth_type".to_owned(), kind.word().to_owned());
            self.refuse(kind);
            match kind {
                Kind::Password => self.password(&mut login),
                Kind::Token => login.token = self.secret("token", "the token to log in with"),
                Kind::ApplicationCredential => self.application_credential(&mut login),
            }
            if kind != Kind::ApplicationCredential {
                self.scope(&mut login);
            }
        }
        if self.problems.has_errors() { Err(self.problems) } else { Ok(login) }
    }

    fn kind(&mut self) -> Option<Kind> {
        let Some(item) = self.kind.clone() else { return Some(Kind::Password) };
        let word = item.text().unwrap_or("none");
        let why = match word {
            "password" | "v3password" => return Some(Kind::Password),
            "token" | "v3token" => return Some(Kind::Token),
            "v3applicationcredential" => return Some(Kind::ApplicationCredential),
            "v3totp" | "v3multifactor" => "a one-time passcode is used up by the first login, and a run logs in again",
            "none" | "None" | "http_basic" | "admin_token" | "token_endpoint" => {
                "cases need a token of the identity service"
            }
            word if word.starts_with("v2") => "version 2 of the identity API is no longer served",
            _ => "it needs another service or a person to log in",
        };
        let message = format!("cloud `{}`: auth_type `{word}` is not supported: {why}", self.cloud);
        let help = format!("{SUPPORTED}; for unattended runs an application credential is the usual way");
        self.report(Diagnostic::error("T009", message).help(help), &item.origin);
        None
    }

    /// One domain for user and project, when the login is for a project; then the default domains, at last the one that
    /// the `openstack` command assumes, `default`.
    fn share_domain(&mut self) {
        let project = self.has("project_id") || self.has("project_name");
        for (domain, user, of_project) in [
            ("domain_id", "user_domain_id", "project_domain_id"),
            ("domain_name", "user_domain_name", "project_domain_name"),
        ] {
            if !project {
                continue;
            }
            let Some(item) = self.values.remove(domain) else { continue };
            self.values.entry(user).or_insert_with(|| item.clone());
            self.values.entry(of_project).or_insert(item);
        }
        for (id, name) in [("user_domain_id", "user_domain_name"), ("project_domain_id", "project_domain_name")] {
            for (default, key) in [("default_domain_id", id), ("default_domain_name", name)] {
                if let (Some(item), false) = (self.values.get(default).cloned(), self.has(key)) {
                    self.values.insert(key, item);
                }
            }
            if !self.has(id) && !self.has(name) {
                let item = self.values.get("default_domain").cloned();
                self.values.insert(id, item.unwrap_or_else(|| Item::variable("OS_DEFAULT_DOMAIN", "default")));
            }
        }
    }

    /// What does not go with this kind of login.
    fn refuse(&mut self, kind: Kind) {
        for (key, why, help) in [
            (
                "passcode",
                "a one-time passcode is used up by the first login, and a run logs in again",
                "use an application credential",
            ),
            (
                "trust_id",
                "a login by trust is not supported",
                "log in to the project itself, or use an application credential",
            ),
        ] {
            if let Some(origin) = self.origin_of(key) {
                let message = format!("cloud `{}`: `{key}` cannot be used: {why}", self.cloud);
                self.report(Diagnostic::error("T009", message).help(help), &origin);
            }
        }
        let foreign: &[&str] = match kind {
            Kind::Password => {
                &["token", "application_credential_id", "application_credential_name", "application_credential_secret"]
            }
            Kind::Token => {
                &["application_credential_id", "application_credential_name", "application_credential_secret"]
            }
            Kind::ApplicationCredential => {
                &["token", "project_id", "project_name", "domain_id", "domain_name", "system_scope"]
            }
        };
        for key in foreign {
            let Some(origin) = self.origin_of(key) else { continue };
            let message =
                format!("cloud `{}`: `{key}` does not go with auth_type `{}`", self.cloud, self.kind_word(kind));
            let help = match *key {
                "token" => "set auth_type to `token`, or remove the token",
                _ if kind == Kind::ApplicationCredential => {
                    "remove it: an application credential is bound to its project already"
                }
                _ => "set auth_type to `v3applicationcredential`, or remove it",
            };
            self.report(Diagnostic::error("T010", message).help(help), &origin);
        }
        for (key, origin) in std::mem::take(&mut self.unknown) {
            let known = OUTER_FIRST.iter().map(|(key, _)| *key).chain(INNER_FIRST.iter().map(|(key, _)| *key));
            let bare = key.strip_prefix("os_").unwrap_or(&key);
            let help = match did_you_mean(bare, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it, or move it out of `auth`".to_owned(),
            };
            let message = format!("cloud `{}`: `auth` has the unknown key `{key}`", self.cloud);
            self.report(Diagnostic::error("T010", message).help(help), &origin);
        }
    }

    fn kind_word(&self, kind: Kind) -> String {
        self.kind.as_ref().and_then(Item::text).unwrap_or(kind.word()).to_owned()
    }

    fn password(&mut self, login: &mut Login) {
        self.user(login);
        login.password = self.secret("password", "the password of the user");
    }

    /// Who logs in: by id, or by name and domain.
    fn user(&mut self, login: &mut Login) {
        if self.copy("user_id", login) {
            return;
        }
        login.username = self.text("username");
        if login.username.is_none() {
            self.missing("username", "the name of the user, with `user_domain_name`, or its `user_id`");
        } else if !self.copy("user_domain_id", login) {
            self.copy("user_domain_name", login);
        }
    }

    fn application_credential(&mut self, login: &mut Login) {
        if !self.copy("application_credential_id", login) {
            if self.copy("application_credential_name", login) {
                self.user(login);
            } else {
                self.missing("application_credential_id", "or `application_credential_name` with its user");
            }
        }
        let key = "application_credential_secret";
        let secret = self.secret(key, "what was shown once when the credential was made");
        login.secrets.extend(secret.map(|secret| (key.to_owned(), secret)));
    }

    /// To what the token is for: exactly one of project, domain, system.
    fn scope(&mut self, login: &mut Login) {
        let of = |keys: &[&str], given: &Self| keys.iter().find_map(|key| given.origin_of(key));
        let scopes = [
            ("a project", of(&["project_id", "project_name"], self)),
            ("a domain", of(&["domain_id", "domain_name"], self)),
            ("the system", of(&["system_scope"], self)),
        ];
        let chosen: Vec<_> = scopes.into_iter().filter_map(|(what, origin)| Some((what, origin?))).collect();
        match chosen.as_slice() {
            [] => self.missing(
                "project_name",
                "cases work in a project; a login without one (unscoped) can do almost nothing",
            ),
            [_] => {}
            [.., (what, origin)] => {
                let message = format!("cloud `{}`: a login is for one thing, and this names {what} too", self.cloud);
                let origin = origin.clone();
                self.report(Diagnostic::error("T010", message).help("keep the project, remove the other"), &origin);
            }
        }
        if self.copy("project_id", login) || self.copy("domain_id", login) || self.copy("domain_name", login) {
            return;
        }
        if self.copy("project_name", login) {
            if !self.copy("project_domain_id", login) {
                self.copy("project_domain_name", login);
            }
        } else if self.copy("system_scope", login) && self.text("system_scope").as_deref() != Some("all") {
            let origin = self.origin_of("system_scope").unwrap_or(Origin::Default);
            let message = format!("cloud `{}`: `system_scope` can only be `all`", self.cloud);
            self.report(Diagnostic::error("T011", message).help("write `system_scope: all`"), &origin);
        }
    }

    fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    fn origin_of(&self, key: &str) -> Option<Origin> {
        self.values.get(key).map(|item| item.origin.clone())
    }

    /// A value; reports one that is not text.
    fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.values.get(key)?;
        if let Some(text) = item.text() {
            return Some(text.to_owned());
        }
        let (message, origin) =
            (format!("cloud `{}`: `{key}` is {}, not text", self.cloud, item.kind()), item.origin.clone());
        self.report(Diagnostic::error("T006", message).help("a value with special characters needs quotes"), &origin);
        None
    }

    /// Copies a value to the fields of the login; false when it is not there.
    fn copy(&mut self, key: &'static str, login: &mut Login) -> bool {
        let text = self.text(key);
        login.fields.extend(text.map(|text| (key.to_owned(), text)));
        self.has(key)
    }

    fn secret(&mut self, key: &'static str, what: &str) -> Option<Secret> {
        let text = self.text(key);
        if !self.has(key) {
            self.missing(key, what);
        }
        text.map(Secret::new)
    }

    fn missing(&mut self, key: &str, what: &str) {
        let message = format!("cloud `{}`: `{key}` is missing", self.cloud);
        let variable = format!("OS_{}", key.to_uppercase());
        let secret = matches!(key, "password" | "token" | "application_credential_secret");
        let other = match key {
            "password" | "username"
                if self.has("application_credential_id") || self.has("application_credential_secret") =>
            {
                Some(("auth_type", "v3applicationcredential"))
            }
            "password" | "username" if self.has("token") => Some(("auth_type", "token")),
            _ => None,
        };
        let help = match (other, self.from_variables) {
            (Some((key, word)), true) => {
                format!("set OS_{}={word}; without it a password is expected", key.to_uppercase())
            }
            (Some((key, word)), false) => format!("set `{key}: {word}`; without it a password is expected"),
            (None, true) => format!("set {variable}: {what}"),
            (None, false) if secret => format!("add it below `auth`, here or in secure.yaml: {what}"),
            (None, false) => format!("add it below `auth`: {what}"),
        };
        let origin = self.origin.clone();
        self.report(Diagnostic::error("T008", message).help(help), &origin);
    }

    fn report(&mut self, problem: Diagnostic, origin: &Origin) {
        self.problems.push(origin.mark(problem, "here"));
    }

    /// Problems so far, for the caller's own.
    pub(super) fn take_problems(&mut self) -> Diagnostics {
        std::mem::take(&mut self.problems)
    }
}
