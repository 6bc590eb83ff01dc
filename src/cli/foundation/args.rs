//! Arguments of these commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::attest::Role;

/// `assize sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// The key: Ed25519 as PKCS#8 in PEM, or an OpenSSH private key. With --agent the public key, `FILE.pub`.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Have the SSH agent at SSH_AUTH_SOCK sign, so that no private key is read. Any Ed25519, ECDSA or RSA key it holds.
    #[arg(long)]
    pub agent: bool,
    /// As whom: the vendor who claims, or the foundation that counter-signs what it has verified.
    #[arg(long = "as", value_enum, default_value_t = AsRole::Vendor)]
    pub role: AsRole,
    /// For how many days the signature counts.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub valid_days: u32,
    /// Time of the signature, as in 2026-11-28T10:00:00Z; now when left out.
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
}

/// As whom one signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AsRole {
    /// Who made the run.
    Vendor,
    /// Who has verified it.
    Foundation,
}

impl From<AsRole> for Role {
    fn from(role: AsRole) -> Self {
        match role {
            AsRole::Vendor => Self::Vendor,
            AsRole::Foundation => Self::Foundation,
        }
    }
}

/// Which suites and guidelines are taken for the published ones.
#[derive(Debug, Args, Clone, Default)]
pub struct KnownArgs {
    /// Folder with suites/ and capabilities/ that are known, instead of those of this release.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
    /// A further set of suites that is known, by the digest that `assize facts` prints (may be repeated).
    #[arg(long, value_name = "sha256:…")]
    pub accept_suites: Vec<String>,
}

/// Signatures in `assize verify`.
#[derive(Debug, Args, Clone, Default)]
pub struct TrustArgs {
    /// Public keys that are trusted: allowed_signers, authorized_keys or PEM (may be repeated). Then the bundle must be
    /// signed by one of them, and be of suites and a guideline that are known.
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
    /// As of this day instead of today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<Date>,
}

/// `assize facts`.
#[derive(Debug, Args)]
pub struct FactsArgs {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}
