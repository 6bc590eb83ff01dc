//! Conformance tests of Kubernetes that were renamed or moved in such a way that not even their words stayed the same. What
//! changed in tags, capitals or references only is found by [`sentence_key`] and is not listed.
//!
//! A name is here without its tags. Names of one line are one test, oldest first. A name that was dropped without a successor is
//! not here, nor one whose successor asks for something else.

use crate::capability::sentence_key;

/// The names of one test.
pub(super) static RENAMED: &[&[&str]] = &[
    // 1.20 to 1.34: the runtime is no longer named.
    &[
        "Docker Containers should be able to override the image's default arguments (docker cmd)",
        "Containers should be able to override the image's default arguments (container cmd)",
    ],
    &[
        "Docker Containers should be able to override the image's default command (docker entrypoint)",
        "Containers should be able to override the image's default command (container entrypoint)",
    ],
    &[
        "Docker Containers should be able to override the image's default command and arguments",
        "Containers should be able to override the image's default command and arguments",
    ],
    &[
        "Docker Containers should use the image defaults if command and args are blank",
        "Containers should use the image defaults if command and args are blank",
    ],
    // Another image.
    &[
        "Kubelet when scheduling a busybox Pod with hostAliases should write entries to /etc/hosts",
        "Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts",
    ],
    // Moved to a file of its own.
    &[
        "Kubectl client Kubectl logs should be able to retrieve and filter logs",
        "Kubectl logs logs should be able to retrieve and filter logs",
    ],
    &[
        "SchedulerPredicates validates that there is no conflict between pods with same hostPort but different hostIP and protocol",
        "HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol",
    ],
    // 1.34 to 1.35: Endpoints and EndpointSlices were told apart.
    &[
        "EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified",
        "EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods",
    ],
    &[
        "EndpointSlice should have Endpoints and EndpointSlices pointing to API Server",
        "API Server should have Endpoints and EndpointSlices pointing to API Server",
    ],
    &["Services should provide secure master service", "API Server should provide secure master service"],
    &["Services should test the lifecycle of an Endpoint", "Endpoints should test the lifecycle of an Endpoint"],
];

/// Other names of the test with these words.
pub(super) fn others(key: &str) -> impl Iterator<Item = &'static str> {
    let is = |name: &str| sentence_key(name).as_deref() == Some(key);
    let line = RENAMED.iter().find(|line| line.iter().any(|name| is(name)));
    let key = key.to_owned();
    line.into_iter().copied().flatten().copied().filter(move |name| sentence_key(name).as_deref() != Some(key.as_str()))
}
