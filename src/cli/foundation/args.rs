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

/// `assize admit`.
#[derive(Debug, Args)]
pub struct AdmitArgs {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// The ledger: a folder with rules.yaml.
    #[arg(long, value_name = "DIR")]
    pub ledger: PathBuf,
    /// The product record. When the bundle lies in the ledger, the one beside it: `<version>.product.yaml`.
    #[arg(long, value_name = "FILE")]
    pub product: Option<PathBuf>,
    /// Other rules than those of the ledger.
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// As of this day instead of today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<Date>,
    /// Add the report to the ledger when it is admitted.
    #[arg(long)]
    pub write: bool,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
    /// One JSON document: admitted, identity, problems, notes, labels, added.
    #[arg(long)]
    pub json: bool,
    /// Write the labels for a pull request to this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

/// `assize challenge`.
#[derive(Debug, Args)]
pub struct ChallengeArgs {
    /// The ledger.
    #[arg(long, value_name = "DIR")]
    pub ledger: PathBuf,
    /// Id of the vendor.
    #[arg(long, value_name = "ID")]
    pub vendor: String,
    /// Id of the product.
    #[arg(long, value_name = "ID")]
    pub product: String,
    /// Version of the product; any when left out.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// For how many days a run may begin.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub days: u32,
}

/// `assize ledger`.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// The ledger.
    pub ledger: PathBuf,
    /// One JSON document a line: one for each report.
    #[arg(long)]
    pub json: bool,
}
