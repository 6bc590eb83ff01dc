//! Turns a request step into a concrete request: URL, query, header fields, body. Pure; secrets stay tokens.

use base64::Engine as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::expr::{EvalError, EvalErrorKind, Json, Scope};
use crate::http::{Body, Headers, Request};
use crate::suite::{BodySpec, Identity, Part, RequestStep, Suite};

use super::Env;
use super::world::CallIdentity;

/// Escaped in a query component; `$`, `/`, `:`, `@`, `,`, `(`, `)`, `*`, `'`, `~`, `!` stay readable (RFC 3986 §3.4).
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'=')
    .add(b';')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Why a request could not be built.
pub(super) enum Unbuilt {
    /// A value it needs is not there or has another type: the target's answer lacked it.
    Lacking(String),
    /// Our own limit or defect, or the suite's.
    Broken(String),
    /// The target does not offer the service of that name.
    NoService(String),
}

impl From<EvalError> for Unbuilt {
    fn from(error: EvalError) -> Self {
        match error.kind {
            EvalErrorKind::Missing | EvalErrorKind::Type => Self::Lacking(error.message),
            EvalErrorKind::Limit | EvalErrorKind::Internal => Self::Broken(error.message),
        }
    }
}

/// Builds the request of a step. `services` are the base URLs that the session knows.
pub(super) fn build(
    step: &RequestStep,
    suite: &Suite,
    env: &Env,
    scope: &Scope,
    services: Option<&Json>,
) -> Result<Request, Unbuilt> {
    let service = step.service.as_deref().or(suite.service.as_deref());
    let mut url = absolute(&step.url.render(scope)?, service, env, services)?;
    for (key, value) in &step.query {
        let values = match value.render(scope)? {
            Json::Array(members) => members,
            one => vec![one],
        };
        for value in values {
            let value = match value {
                Json::String(text) => text,
                Json::Null => String::new(),
                other => other.to_string(),
            };
            url.push(if url.contains('?') { '&' } else { '?' });
            url.extend(utf8_percent_encode(key, QUERY));
            if !value.is_empty() {
                url.push('=');
                url.extend(utf8_percent_encode(&value, QUERY));
            }
        }
    }
    let mut headers = Headers::default();
    for (name, value) in &env.headers {
        headers.set(name, value.clone());
    }
    let (body, content_type) = match &step.body {
        Some(spec) => render_body(spec, env, scope)?,
        None => (Vec::new(), None),
    };
    if let Some(content_type) = content_type {
        headers.set("content-type", content_type);
    }
    // What a suite sends is meant for its service.
    let own = step.service.is_none() || step.service == suite.service;
    for (name, value) in suite.headers.iter().filter(|_| own) {
        headers.set(name, value.render(scope)?);
    }
    for (name, value) in &step.headers {
        match value {
            Some(value) => headers.set(name, value.render(scope)?),
            None => headers.remove(name),
        }
    }
    Ok(Request { method: step.method.render(scope)?, url, headers, body: Body::new(body) })
}

/// The identity of a step, rendered.
pub(super) fn identity(identity: Option<&Identity>, scope: &Scope) -> Result<CallIdentity, Unbuilt> {
    Ok(match identity {
        None => CallIdentity::Named("main".to_owned()),
        Some(Identity::Named(name)) => CallIdentity::Named(name.render(scope)?),
        Some(Identity::Basic { username, password }) => {
            CallIdentity::Basic { username: username.render(scope)?, password: password.render(scope)? }
        }
        Some(Identity::Header { name, value }) => {
            CallIdentity::Header { name: name.to_ascii_lowercase(), value: value.render(scope)? }
        }
    })
}

/// Makes a URL absolute: `/path` is appended to the base URL of the service (whose own path stays, as service
/// catalogues expect). A fragment is never sent (RFC 9110 §7.1).
pub(super) fn absolute(
    url: &str,
    service: Option<&str>,
    env: &Env,
    services: Option<&Json>,
) -> Result<String, Unbuilt> {
    let url = url.split('#').next().unwrap_or_default();
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url.to_owned());
    }
    if !url.starts_with('/') {
        return Err(Unbuilt::Lacking(format!("`{url}` is neither an absolute URL nor a path that starts with `/`")));
    }
    let named = |services: Option<&Json>, name: &str| services?.get(name)?.as_str().map(str::to_owned);
    let base = match service {
        // What the operator says wins over what the session found.
        Some(name) => named(env.target.get("services"), name).or_else(|| named(services, name)),
        None => env.target.get("base").and_then(Json::as_str).map(str::to_owned),
    };
    match (base, service, services) {
        (Some(base), _, _) => Ok(format!("{}{url}", base.trim_end_matches('/'))),
        (None, Some(name), Some(_)) => Err(Unbuilt::NoService(name.to_owned())),
        (None, _, _) => {
            Err(Unbuilt::Broken(format!("the target has no base URL for service `{}`", service.unwrap_or(""))))
        }
    }
}

/// Path of a URL, as the variable `path`.
pub(super) fn path_of(url: &str) -> &str {
    let rest = match url.find("://").and_then(|at| url.get(at + 3..)) {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    };
    rest.split(['?', '#']).next().unwrap_or(rest)
}

fn render_body(spec: &BodySpec, env: &Env, scope: &Scope) -> Result<(Vec<u8>, Option<String>), Unbuilt> {
    Ok(match spec {
        BodySpec::Json(template) => {
            let bytes = serde_json::to_vec(&template.render(scope)?).map_err(|e| Unbuilt::Broken(e.to_string()))?;
            (bytes, Some("application/json".to_owned()))
        }
        BodySpec::Text(template) => (template.render(scope)?.into_bytes(), None),
        BodySpec::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (key, value) in fields {
                form.append_pair(key, &value.render(scope)?);
            }
            (form.finish().into_bytes(), Some("application/x-www-form-urlencoded".to_owned()))
        }
        BodySpec::Base64(template) => {
            let text = template.render(scope)?;
            let bytes = base64::prelude::BASE64_STANDARD
                .decode(text)
                .map_err(|e| Unbuilt::Broken(format!("the body is not valid Base64: {e}")))?;
            (bytes, Some("application/octet-stream".to_owned()))
        }
        BodySpec::Random { size } => (random(&env.seed, *size), Some("application/octet-stream".to_owned())),
        BodySpec::Multipart(parts) => multipart(parts, env, scope)?,
        BodySpec::Tar(files) => {
            let mut archive = Vec::new();
            for (path, content) in files {
                tar_member(&mut archive, path, content.render(scope)?.as_bytes())?;
            }
            archive.extend([0_u8; 1024]);
            (archive, Some("application/x-tar".to_owned()))
        }
    })
}

/// Pseudo-random bytes: SHA-256 in counter mode over the run seed, so that a verifier can make them again.
fn random(seed: &str, size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut counter = 0_u64;
    while (bytes.len() as u64) < size {
        let block = Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        bytes.extend_from_slice(&block);
        counter += 1;
    }
    bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    bytes
}

/// `multipart/form-data` (RFC 7578) with a boundary derived from the seed.
fn multipart(parts: &[Part], env: &Env, scope: &Scope) -> Result<(Vec<u8>, Option<String>), Unbuilt> {
    let boundary = format!("assize-{}", crate::canon::digest_bytes(env.seed.as_bytes()).to_string().replace(':', "-"));
    let mut out = Vec::new();
    for part in parts {
        let (body, own_type) = render_body(&part.body, env, scope)?;
        out.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", part.name).as_bytes(),
        );
        if let Some(filename) = &part.filename {
            out.extend_from_slice(format!("; filename=\"{}\"", filename.render(scope)?).as_bytes());
        }
        if let Some(content_type) = part.content_type.clone().or(own_type) {
            out.extend_from_slice(format!("\r\nContent-Type: {content_type}").as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&body);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((out, Some(format!("multipart/form-data; boundary={boundary}"))))
}

/// One regular file in POSIX ustar form (IEEE Std 1003.1, pax utility), with fixed owner, mode and time, so that equal
/// input gives equal bytes.
fn tar_member(archive: &mut Vec<u8>, path: &str, content: &[u8]) -> Result<(), Unbuilt> {
    if path.len() > 100 {
        return Err(Unbuilt::Broken(format!("`{path}` is longer than the 100 bytes of a ustar name")));
    }
    let mut header = vec![0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        for (slot, byte) in header.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
    };
    put(0, path.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (slot, byte) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *slot = byte;
    }
    archive.extend_from_slice(&header);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
    Ok(())
}
