//! Signatures of other tools, of our own, and what does not count.

use std::io::{Cursor, Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::signature::Ed25519KeyPair;
use ssh_encoding::{Decode as _, Encode as _};

use super::*;
use crate::secret::Secret;

/// Throw-away keys with the signature that `ssh-keygen -Y sign -n assize-attestation` made of the text `hello`.
const BY_SSH_KEYGEN: [(&str, &str); 4] = [
    (
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID2JCzLXsqJtYikQmdQVsj3mlxU+Xop+RG6QtbPmNWrj",
        "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgPYkLMteyom1iKRCZ1BWyPeaXFT5ein5EbpC1s+Y1auMAAAASYXNzaXplLWF0dGVzdGF0aW9uAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5AAAAQJWhB3Jo9WPlyZdswKwCrIc2mW6rEcOymHiakElLa+bHcPcQjlvtMyPTds3T0H2DYDvXoOFXc3fHp3O9o39GMAQ=",
    ),
    (
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBL7JawOnasf7qjrAqulfQlTazgHcrPFmDgoshmEVEjaWZDFCKn+rWZfuA0PCi3HDm2LyajMQeZKHmBEly+F1bKw=",
        "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAEEEvslrA6dqx/uqOsCq6V9CVNrOAdys8WYOCiyGYRUSNpZkMUIqf6tZl+4DQ8KLccObYvJqMxB5koeYESXL4XVsrAAAABJhc3NpemUtYXR0ZXN0YXRpb24AAAAAAAAABnNoYTUxMgAAAGQAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAgCCed82glS8rN11kR36hAMkVznx10ohnGIwRB0vGrv4UAAAAhAOHEbYIm44Vp92J8RmEJDDfJonOs+kkDBOBpXiNWJSHm",
    ),
    (
        "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBPyRnjkoDigl9ldL0l4c8gnao1KzkoEEAx2suR5XG0wraCKIUaGobio79mAyYEDL08n9TQdE9d0CqlxcsMJRbBIGQO1ALp6F0iBckFUYlHyGo7NJU/9HsaNAGiRFkgUCfQ==",
        "U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAGEE/JGeOSgOKCX2V0vSXhzyCdqjUrOSgQQDHay5HlcbTCtoIohRoahuKjv2YDJgQMvTyf1NB0T13QKqXFywwlFsEgZA7UAunoXSIFyQVRiUfIajs0lT/0exo0AaJEWSBQJ9AAAAEmFzc2l6ZS1hdHRlc3RhdGlvbgAAAAAAAAAGc2hhNTEyAAAAhQAAABNlY2RzYS1zaGEyLW5pc3RwMzg0AAAAagAAADEA0vnq/VwiMrykmKN5ubHS9UMK3b1ZWmJOMY/NLLLdnS9QRsIYdK3lCw1kKe5XqJ06AAAAMQCaL6+GyId8DrRFoXvKPtESEoEBaJpSI/tQWaMk9O9MbGxD235mcQdXQfkptem7xgU=",
    ),
    (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDO+j9pcVp/tUjGeh4M3nFS9O/pxlsnIKJetDhsnpUSbodvzWb+PHtX+l07POQzXG8kx8HciKW7LcrD0AvnnytyZMhdcgZvnhWw4nctk6vBEaPfbsLA7eOh+D+1q0IHRF0/q0huqLRRxS9XpcjPPmBA8LcvXVzISiwXyAdBT2bKMfJQssbYNhS4oqriQWzPZuhzfaDBnANxRawhcAoww/Qevkf3UtObd5K0o3jKw9qrg886CEAZ14xhaohW3vsvrmZnc6eLWW7OWMIFpCgUJRBMf2O8lsoBQm6tBLx5D3NzvbFU3nW/qsbOf4Y+QX0N71UGyQ2q98tZvrmrt0Ub+qyx",
        "U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAM76P2lxWn+1SMZ6HgzecVL07+nGWycgol60OGyelRJuh2/NZv48e1f6XTs85DNcbyTHwdyIpbstysPQC+efK3JkyF1yBm+eFbDidy2Tq8ERo99uwsDt46H4P7WrQgdEXT+rSG6otFHFL1elyM8+YEDwty9dXMhKLBfIB0FPZsox8lCyxtg2FLiiquJBbM9m6HN9oMGcA3FFrCFwCjDD9B6+R/dS05t3krSjeMrD2quDzzoIQBnXjGFqiFbe+y+uZmdzp4tZbs5YwgWkKBQlEEx/Y7yWygFCbq0EvHkPc3O9sVTedb+qxs5/hj5BfQ3vVQbJDar3y1m+uau3RRv6rLEAAAASYXNzaXplLWF0dGVzdGF0aW9uAAAAAAAAAAZzaGE1MTIAAAEUAAAADHJzYS1zaGEyLTUxMgAAAQDB3gW6vuk8LWdoFa7Bl5q/x0bLjEdpKbsNf/ciyKcDjbvWQ3J22sHxuAoJZNcdcIbp8sCerzFLh90k30cETdTjKb9LgXFHMc0vN7og11k4usnw8Qaa5C2Y95/O4lFUzrvzuM7Jb5tyiPDvX4jG5bFtMDeLrW1GbDrzWrP3uUpogATkTzGKA3jEMIg/t64D7+3i+Qt1LqAAG10rtTkSk9vGkq1gRLGnzDI/y+/SiOqQL0tByc7lUXgsXa4/2kB3giEDxJ40F7FfSdMhNLR4713Zrf0CpKt8qQw3Y8QhDPj05bd8jKJ1utAeyHIUcIf4OCBJojBZyRfJIwB7vuAIEUvy",
    ),
];

/// A key that is the same in every test.
fn ssh_key(seed: u8) -> (Secret, PublicKey) {
    let pair = ssh_key::private::Ed25519Keypair {
        public: ssh_key::public::Ed25519PublicKey(public_of(seed)),
        private: ssh_key::private::Ed25519PrivateKey::from_bytes(&[seed; 32]),
    };
    let key = ssh_key::PrivateKey::new(pair.into(), "test").unwrap();
    (Secret::new(key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_str()), PublicKey::ed25519(public_of(seed)))
}

fn public_of(seed: u8) -> [u8; 32] {
    use ring::signature::KeyPair as _;
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap().public_key().as_ref().try_into().unwrap()
}

/// The same key as PKCS#8 (RFC 8410 §7) in PEM.
fn pem_key(seed: u8) -> Secret {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der)))
}

fn pem_public(seed: u8) -> String {
    let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &public_of(seed)].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der))
}

fn trusted(text: &str) -> TrustedKeys {
    TrustedKeys::read("keys", text).unwrap()
}

#[test]
fn signatures_of_ssh_keygen_hold() {
    for (key, signature) in BY_SSH_KEYGEN {
        let key = PublicKey::from_openssh(key).unwrap();
        let signature = BASE64_STANDARD.decode(signature).unwrap();
        assert_eq!(key.verify(b"hello", &signature), Ok(()), "{}", key.algorithm());
        assert_eq!(key.verify(b"hallo", &signature), Err(VerifyError::Wrong));
        let mut damaged = signature.clone();
        let last = damaged.len() - 3;
        damaged[last] ^= 1;
        assert!(key.verify(b"hello", &damaged).is_err(), "{}", key.algorithm());
        assert!(key.verify(b"hello", &signature[..signature.len() - 1]).is_err());
        assert!(key.verify(b"hello", &[&signature[..], &[0]].concat()).is_err(), "nothing may follow");
        let other = PublicKey::ed25519(public_of(9));
        assert_eq!(other.verify(b"hello", &signature), Err(VerifyError::OtherKey(key.id())));
    }
}

#[test]
fn one_key_has_one_id_in_all_files() {
    let (ssh, public) = ssh_key(7);
    let from_ssh = PrivateKey::read(&ssh).unwrap();
    let from_pem = PrivateKey::read(&pem_key(7)).unwrap();
    assert_eq!(from_ssh.public(), &public);
    assert_eq!(from_pem.public(), &public);
    assert_eq!(PublicKey::from_pem(&pem_public(7)).unwrap(), public);
    assert_eq!(PublicKey::from_openssh(&public.to_openssh()).unwrap(), public);
    assert!(public.id().as_str().starts_with("SHA256:"));
}

#[test]
fn what_is_signed_is_checked() {
    let (ssh, public) = ssh_key(1);
    let keys = trusted(&format!("acme {}", public.to_openssh()));
    for key in [ssh, pem_key(1)] {
        let mut signer = PrivateKey::read(&key).unwrap();
        let envelope = Envelope::sign("text/x", b"payload", &mut signer).unwrap();
        let again = Envelope::read(&serde_json::to_vec(&envelope).unwrap()).unwrap();
        let checked = again.check("text/x", &keys).unwrap();
        assert_eq!((checked.payload.as_slice(), checked.signers[0].name.as_str()), (&b"payload"[..], "acme"));
        assert!(matches!(again.check("text/y", &keys), Err(EnvelopeError::Type(_))));
        let other = Envelope { payload: BASE64_STANDARD.encode("other"), ..envelope.clone() };
        assert!(matches!(other.check("text/x", &keys), Err(EnvelopeError::Forged { .. })));
        let stranger = trusted(&PublicKey::ed25519(public_of(2)).to_openssh());
        assert!(matches!(envelope.check("text/x", &stranger), Err(EnvelopeError::Unknown(_))));
        let mut claimed = envelope.clone();
        claimed.signatures[0].keyid = PublicKey::ed25519(public_of(2)).id().to_string();
        assert!(matches!(claimed.check("text/x", &stranger), Err(EnvelopeError::Forged { .. })));
        let unsigned = Envelope { signatures: Vec::new(), ..envelope.clone() };
        assert_eq!(unsigned.check("text/x", &keys).unwrap_err(), EnvelopeError::Unsigned);
        let mut two = envelope;
        two.signatures.push(claimed.signatures[0].clone());
        assert!(two.check("text/x", &keys).is_err(), "a second signature that does not hold spoils the envelope");
    }
}

#[test]
fn a_signature_for_another_purpose_does_not_count() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let public = PublicKey::ed25519(public_of(1));
    let signed = ssh_key::SshSig::signed_data("git", ssh_key::HashAlg::Sha512, b"hello").unwrap();
    let signature = ssh_key::Signature::new(ssh_key::Algorithm::Ed25519, pair.sign(&signed).as_ref()).unwrap();
    let whole = ssh_key::SshSig::new(public.data().clone(), "git", ssh_key::HashAlg::Sha512, signature).unwrap();
    let mut bytes = Vec::new();
    whole.encode(&mut bytes).unwrap();
    assert_eq!(public.verify(b"hello", &bytes), Err(VerifyError::Namespace("git".to_owned())));
}

#[test]
fn what_is_no_private_key_is_refused_without_showing_it() {
    let (ssh, public) = ssh_key(3);
    let text = ssh.expose().to_owned();
    let middle = text.lines().nth(1).unwrap().to_owned();
    let cases = [
        (public.to_openssh(), KeyError::Public),
        (pem_public(3), KeyError::Public),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned(),
            KeyError::Encrypted,
        ),
        (text.replace(&middle, "AAAA"), KeyError::Damaged),
        ("nothing".to_owned(), KeyError::Unknown),
        (String::new(), KeyError::Unknown),
    ];
    for (text, wanted) in cases {
        let found = PrivateKey::read(&Secret::new(text)).err();
        assert_eq!(found.as_ref(), Some(&wanted));
        assert!(!wanted.to_string().contains(&middle) && !wanted.remedy().is_empty());
    }
}

#[test]
fn files_of_trusted_keys() {
    let (one, two, three) = (public_of(1), public_of(2), public_of(3));
    let ssh = |bytes| PublicKey::ed25519(bytes).to_openssh();
    let text = format!(
        "# The keys of Acme\n\nacme namespaces=\"git,assize-attestation\",valid-after=\"20260101\",valid-before=\"20270101Z\" {} a remark\n\
         restrict {} someone@example\n# The foundation\n{}\n{}",
        ssh(one),
        ssh(two),
        pem_public(3),
        ssh(public_of(4))
    );
    let keys = trusted(&text);
    let names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
    let fourth = PublicKey::ed25519(public_of(4)).id().to_string();
    assert_eq!(names, ["acme", "someone@example", "The foundation", fourth.as_str()]);
    let acme = keys.find(PublicKey::ed25519(one).id().as_str()).unwrap();
    assert!(acme.may_attest && acme.held_at("2026-06-01T00:00:00Z".parse().unwrap()));
    assert!(!acme.held_at("2025-12-31T23:59:59Z".parse().unwrap()));
    assert!(!acme.held_at("2027-01-01T00:00:00Z".parse().unwrap()));
    assert!(keys.find(PublicKey::ed25519(three).id().as_str()).is_some());
    let other = trusted(&format!("x namespaces=\"git\" {}", ssh(one)));
    assert!(!other.iter().next().unwrap().may_attest);
    for (bad, word) in [
        ("hello".to_owned(), "no key"),
        ("acme ssh-ed25519".to_owned(), "cut off"),
        ("acme ssh-ed25519 AAAA".to_owned(), "not an OpenSSH public key"),
        (format!("acme valid-before=never {}", ssh(one)), "is no time"),
        (format!("acme cert-authority {}", ssh(one)), "authorities"),
        (format!("acme surprise=1 {}", ssh(one)), "`surprise` is not known"),
        (format!("acme \"x {}", ssh(one)), "quotation mark"),
        (pem_key(1).expose().to_owned(), "private key"),
        ("a sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAID2JCzLXsqJtYikQmdQVsj3mlxU+Xop+RG6QtbPmNWrjAAAABHNzaDo=".to_owned(), "not supported"),
    ] {
        let error = TrustedKeys::read("k", &format!("\n{bad}")).unwrap_err().to_string();
        assert!(error.starts_with("k:2: ") && error.contains(word), "{error}");
    }
}

/// An agent with one key, in memory.
struct Held {
    pair: Ed25519KeyPair,
    key: PublicKey,
    refuses: bool,
    asked: Vec<u8>,
    answer: Cursor<Vec<u8>>,
}

impl Held {
    fn new(seed: u8, refuses: bool) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = PublicKey::ed25519(public_of(seed));
        Self { pair, key, refuses, asked: Vec::new(), answer: Cursor::default() }
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match request[0] {
            11 => {
                out.push(12);
                2_u32.encode(&mut out).unwrap();
                // A key of a kind that cannot be used comes first.
                b"odd".as_slice().encode(&mut out).unwrap();
                "odd".encode(&mut out).unwrap();
                self.key.to_wire().encode(&mut out).unwrap();
                "held".encode(&mut out).unwrap();
            }
            13 if !self.refuses => {
                let mut rest = &request[1..];
                assert_eq!(Vec::<u8>::decode(&mut rest).unwrap(), self.key.to_wire());
                let signed = Vec::<u8>::decode(&mut rest).unwrap();
                let signature =
                    ssh_key::Signature::new(ssh_key::Algorithm::Ed25519, self.pair.sign(&signed).as_ref()).unwrap();
                out.push(14);
                Vec::<u8>::try_from(signature).unwrap().encode(&mut out).unwrap();
            }
            _ => out.push(5),
        }
        out
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.asked.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let asked = std::mem::take(&mut self.asked);
        let answer = self.answer(&asked[4..]);
        let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
        self.answer = Cursor::new([&length[..], &answer].concat());
        Ok(())
    }
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.answer.read(buffer)
    }
}

#[test]
fn an_agent_signs_with_the_key_that_is_wanted() {
    let wanted = PublicKey::ed25519(public_of(5));
    let mut agent = Agent::with_key(Held::new(5, false), &wanted).unwrap();
    let envelope = Envelope::sign("text/x", b"payload", &mut agent).unwrap();
    envelope.check("text/x", &trusted(&wanted.to_openssh())).unwrap();
    let error = Agent::with_key(Held::new(6, false), &wanted).err().unwrap().to_string();
    let other = PublicKey::ed25519(public_of(6)).id().to_string();
    assert!(error.contains(wanted.id().as_str()) && error.contains(&other), "{error}");
    let mut refusing = Agent::with_key(Held::new(5, true), &wanted).unwrap();
    let error = Envelope::sign("text/x", b"payload", &mut refusing).unwrap_err().to_string();
    assert!(error.contains("refuses"), "{error}");
}
