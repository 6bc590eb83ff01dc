//! PRODUCT.yaml.

use std::collections::BTreeMap;

use url::Url;

use crate::text::SourceFile;
use crate::text::yaml::{self, Node};

use super::{Judged, Submission};

const NEEDED: [&str; 8] =
    ["vendor", "name", "version", "type", "description", "website_url", "documentation_url", "contact_email_address"];
const OPTIONAL: [&str; 2] = ["repo_url", "product_logo_url"];
const TYPES: [&str; 3] = ["distribution", "hosted platform", "installer"];
/// The rules that need the document.
const CODES: [&str; 7] = ["C009", "C010", "C012", "C114", "C115", "C116", "C117"];

pub(super) fn check(submission: &Submission, judged: &mut BTreeMap<&'static str, Judged>) {
    judged.insert("C011", Judged::not("nothing is fetched"));
    let without = |judged: &mut BTreeMap<_, _>, why: &str| {
        CODES.iter().for_each(|code| drop(judged.insert(*code, Judged::not(why))));
    };
    let Some(bytes) = &submission.product else {
        judged.insert("C004", Judged::not("there is no PRODUCT.yaml"));
        return without(judged, "there is no PRODUCT.yaml");
    };
    let source = SourceFile::new("PRODUCT.yaml", String::from_utf8_lossy(bytes));
    let root = match yaml::parse(&source) {
        Ok(root) if root.as_map().is_some() => root,
        Ok(root) => {
            let wrong = format!("it is {}, not a mapping of fields", root.kind_name());
            judged.insert("C004", Judged::Checked(vec![wrong]));
            return without(judged, "PRODUCT.yaml cannot be read");
        }
        Err(problems) => {
            let at = |one: &crate::text::Diagnostic| one.position().map_or(0, |(line, _)| line);
            let wrong = problems.iter().map(|one| format!("line {}: {}", at(one), one.message));
            judged.insert("C004", Judged::Checked(wrong.collect()));
            return without(judged, "PRODUCT.yaml cannot be read");
        }
    };
    judged.insert("C004", Judged::Checked(Vec::new()));
    fields(&root, judged);
}

fn fields(root: &Node, judged: &mut BTreeMap<&'static str, Judged>) {
    let value = |key: &str| root.get(key).map(text).filter(|text| !text.is_empty());
    let missing = NEEDED.iter().filter(|key| value(key).is_none());
    judged.insert("C009", Judged::Checked(missing.map(|key| format!("{key} is missing or empty")).collect()));
    let keys = || root.as_map().unwrap_or_default().iter();
    let unknown =
        keys().filter(|(key, _)| !NEEDED.contains(&key.text.as_str()) && !OPTIONAL.contains(&key.text.as_str()));
    judged.insert("C114", Judged::Checked(unknown.map(|(key, _)| format!("{} is no field", key.text)).collect()));
    let odd = keys().filter(|(_, node)| node.as_str().is_none() && !node.is_null());
    let odd = odd.map(|(key, node)| format!("{} is {}, not a text", key.text, node.kind_name()));
    judged.insert("C115", Judged::Checked(odd.collect()));

    let (mut wrong, mut plain) = (Vec::new(), Vec::new());
    for key in ["website_url", "documentation_url", "repo_url", "product_logo_url"] {
        let Some(address) = value(key) else { continue };
        match Url::parse(&address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                if url.scheme() == "http" {
                    plain.push(format!("{key}: {address}"));
                }
            }
            _ => wrong.push(format!("{key}: `{address}` is no address of a page")),
        }
    }
    if let Some(address) = value("contact_email_address").filter(|address| !is_mail(address)) {
        wrong.push(format!("contact_email_address: `{address}` is no address"));
    }
    judged.insert("C010", Judged::Checked(wrong));
    judged.insert("C117", Judged::Checked(plain));
    judged.insert(
        "C012",
        match value("type") {
            None => Judged::not("there is no type"),
            Some(word) => Judged::when(!TYPES.contains(&word.to_lowercase().as_str()), || format!("it is `{word}`")),
        },
    );
    judged.insert(
        "C116",
        match value("product_logo_url") {
            None => Judged::not("there is no logo"),
            Some(address) => {
                let path = Url::parse(&address).map_or_else(|_| address.clone(), |url| url.path().to_owned());
                let extension =
                    path.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
                let vector = ["svg", "eps", "ai", "pdf"].contains(&extension.as_str());
                Judged::when(!vector, || format!("product_logo_url: {address}"))
            }
        },
    );
}

fn text(node: &Node) -> String {
    match node.to_json() {
        serde_json::Value::String(text) => text.trim().to_owned(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// One address, perhaps with a name before it, as `Name <x@y.z>`.
fn is_mail(text: &str) -> bool {
    let bare = text.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(text);
    let Some((name, domain)) = bare.split_once('@') else { return false };
    let odd = |part: &str| {
        part.is_empty() || part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@' || c == ',')
    };
    !odd(name) && !odd(domain) && !domain.starts_with('.') && !domain.ends_with('.')
}
