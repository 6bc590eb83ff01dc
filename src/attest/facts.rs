//! What an endpoint says of itself, by family. Where it stands is fixed, so that two tools find the same.

use crate::capability::Family;
use crate::http::Exchange;

/// One thing that endpoints of a family say of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its name in fingerprints and product records.
    pub name: &'static str,
    /// The end of the path of the URL; `*` stands for one segment.
    pub path: &'static str,
    /// JSON pointer into the body.
    pub pointer: &'static str,
    /// Whether it is a version that a claim must not leave out.
    pub is_version: bool,
}

const fn fact(name: &'static str, path: &'static str, pointer: &'static str) -> Fact {
    Fact { name, path, pointer, is_version: false }
}

const fn version(name: &'static str, path: &'static str, pointer: &'static str) -> Fact {
    Fact { name, path, pointer, is_version: true }
}

/// The facts of a family.
#[must_use]
pub fn facts_of(family: Family) -> &'static [Fact] {
    match family {
        Family::Redfish => {
            const {
                &[
                    version("redfish-version", "redfish/v1", "/RedfishVersion"),
                    fact("service-uuid", "redfish/v1", "/UUID"),
                    fact("service-vendor", "redfish/v1", "/Vendor"),
                    fact("service-product", "redfish/v1", "/Product"),
                    version("manager-firmware", "redfish/v1/Managers/*", "/FirmwareVersion"),
                    fact("manager-model", "redfish/v1/Managers/*", "/Model"),
                ]
            }
        }
        Family::OpenStack => {
            const {
                &[
                    version("identity-version", "v3", "/version/id"),
                    version("compute-version", "v2.1", "/version/version"),
                    version("block-storage-version", "v3", "/versions/0/version"),
                ]
            }
        }
        Family::Kubernetes => {
            const {
                &[
                    version("kubernetes-version", "version", "/gitVersion"),
                    fact("git-commit", "version", "/gitCommit"),
                    fact("platform", "version", "/platform"),
                ]
            }
        }
        Family::Ironic => {
            const { &[version("bare-metal-version", "v1", "/version/version"), fact("api-status", "v1", "/version/status")] }
        }
        Family::ContainerEngine => {
            const { &[version("engine-version", "version", "/Version"), fact("api-version", "version", "/ApiVersion")] }
        }
        Family::DigitalRebar => const { &[version("server-version", "api/v3/info", "/version")] },
        Family::OciRegistry => &[],
    }
}

/// Longest text that is taken for a fact.
const LONGEST: usize = 200;

/// What an exchange shows: plain reads that were answered with success only.
pub(super) fn shown(facts: &'static [Fact], exchange: &Exchange) -> Vec<(&'static str, String)> {
    let Some(response) = exchange.response.as_ref().filter(|response| (200..300).contains(&response.status)) else {
        return Vec::new();
    };
    if exchange.request.method != "GET" {
        return Vec::new();
    }
    let path = path_of(&exchange.request.url);
    let wanted: Vec<&Fact> = facts.iter().filter(|fact| ends_with(path, fact.path)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(response.body.bytes()) else { return Vec::new() };
    let text = |fact: &&Fact| {
        let text = body.pointer(fact.pointer)?.as_str().filter(|text| !text.is_empty() && text.len() <= LONGEST)?;
        Some((fact.name, text.to_owned()))
    };
    wanted.iter().filter_map(text).collect()
}

/// The path of a URL without slashes at its ends.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    path.split(['?', '#']).next().unwrap_or_default().trim_matches('/')
}

fn ends_with(path: &str, pattern: &str) -> bool {
    let mut have = path.rsplit('/');
    pattern
        .rsplit('/')
        .all(|wanted| have.next().is_some_and(|part| wanted == "*" && !part.is_empty() || wanted == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_with_patterns() {
        assert_eq!(path_of("https://h:1/compute/v2.1/?x=/y#z"), "compute/v2.1");
        assert_eq!(path_of("https://h"), "");
        assert!(ends_with("compute/v2.1", "v2.1") && ends_with("v2.1", "v2.1"));
        assert!(!ends_with("compute/xv2.1", "v2.1") && !ends_with("v1", "redfish/v1"));
        assert!(ends_with("redfish/v1/Managers/BMC", "redfish/v1/Managers/*"));
        assert!(!ends_with("redfish/v1/Managers", "redfish/v1/Managers/*"));
    }

    #[test]
    fn names_of_facts_are_unique_in_a_family() {
        for family in Family::ALL {
            let mut names: Vec<_> = facts_of(*family).iter().map(|fact| fact.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{family}");
        }
    }
}
