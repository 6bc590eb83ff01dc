//! Whether a request means this server. A page elsewhere can have a name that leads here (DNS rebinding), and would then read what is
//! served; so a name is taken only when nobody else can have it.

use std::net::IpAddr;

use hyper::Uri;
use hyper::header::{self, HeaderMap};
use hyper::http::uri::Authority;

/// What is wrong with the host of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is none, there are several, or it is none.
    Unclear,
    /// It is somebody else's.
    Foreign,
}

/// Looks at the host that a request names, in its header and in its target. `local` is the address that the client connected to, `names`
/// are others of our own. The port does not matter: the client may have come through a tunnel.
pub(super) fn check(headers: &HeaderMap, target: &Uri, local: IpAddr, names: &[String]) -> Result<(), Refused> {
    let mut given = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (given.next(), given.next()) else { return Err(Refused::Unclear) };
    let host: Authority = host.to_str().ok().and_then(|host| host.parse().ok()).ok_or(Refused::Unclear)?;
    for authority in std::iter::once(&host).chain(target.authority()) {
        if authority.as_str().contains('@') {
            return Err(Refused::Unclear);
        }
        if !is_own(authority.host(), local, names) {
            return Err(Refused::Foreign);
        }
    }
    Ok(())
}

fn is_own(host: &str, local: IpAddr, names: &[String]) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address == local.to_canonical()
        }
        Err(_) => host.eq_ignore_ascii_case("localhost") || names.iter().any(|name| name.eq_ignore_ascii_case(host)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(host: &str, target: &str) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        let names = ["preview.example".to_owned()];
        check(&headers, &target.parse().unwrap(), "192.0.2.7".parse().unwrap(), &names)
    }

    #[test]
    fn own_names_and_addresses_are_taken() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "127.1.2.3:1",
            "[::1]:8080",
            "[::1]",
            "localhost:9",
            "LocalHost",
            "192.0.2.7:8080",
            "[::ffff:192.0.2.7]:80",
            "preview.example",
            "Preview.Example:443",
        ] {
            assert_eq!(checked(host, "/"), Ok(()), "{host}");
        }
        assert_eq!(checked("localhost", "http://127.0.0.1:80/index.html"), Ok(()));
    }

    #[test]
    fn others_are_refused() {
        for host in [
            "evil.example",
            "192.0.2.8",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "localhost.",
            "0.0.0.0",
            "[::]",
            "127.1",
            "2130706433",
            "0x7f.1",
            "xpreview.example",
        ] {
            assert_eq!(checked(host, "/"), Err(Refused::Foreign), "{host}");
        }
        for host in ["", "evil@localhost", "localhost@evil.example", "localhost, evil.example", "a b", "localhost/"] {
            assert!(checked(host, "/").is_err(), "{host}");
        }
        // The target names the host too.
        assert_eq!(checked("localhost", "http://evil.example/index.html"), Err(Refused::Foreign));
        let mut headers = HeaderMap::new();
        let local = "127.0.0.1".parse().unwrap();
        assert_eq!(check(&headers, &"/".parse().unwrap(), local, &[]), Err(Refused::Unclear));
        headers.append(header::HOST, "localhost".parse().unwrap());
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert_eq!(check(&headers, &"/".parse().unwrap(), local, &[]), Err(Refused::Unclear));
    }
}
