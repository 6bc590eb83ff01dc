//! Why a bundle, a signature or a claim is refused: stable codes, each with the rule that it stands for. The page
//! `docs/attest.md` shows this table; a test holds them together. A code keeps its meaning for ever.

use serde::Serialize;

use crate::text::codes;

codes! {
    "A101" "the files of the bundle are those of its manifest"
    "A102" "the report is what follows from the evidence"
    "A103" "the suites are those of a release that is known"
    "A104" "the guideline is the one that is known under its id"
    "A105" "the bundle can be read"
    "A201" "the bundle is signed"
    "A202" "the key that signed is trusted"
    "A203" "the signature holds"
    "A204" "the key was valid when it signed"
    "A205" "the statement is about this bundle"
    "A206" "the statement is about this endpoint"
    "A207" "the statement says what the evidence says"
    "A208" "the signature was made after the run, and its time is not over"
    "A209" "an attestation is a statement of a kind that is known"
    "A210" "the statements of one signer are all there"
    "A211" "the foundation has signed, where its rules ask for it"
    "A301" "the product record is complete and says what it must"
    "A302" "the record, the bundle and the place in the ledger speak of the same product"
    "A303" "the guideline has the program that is claimed"
    "A304" "the program that is claimed is conformant"
    "A305" "the endpoint says of itself what the record says"
    "A306" "the record names something that the endpoint says of itself"
    "A307" "the endpoint is the one of the record"
    "A308" "the record names every version that the endpoint states"
    "A309" "no case was left out"
    "A310" "no case was tried more often than allowed"
    "A401" "the results are not too old"
    "A402" "the run is not in the future"
    "A403" "the guideline is open for reports"
    "A404" "a challenge was issued for the run"
    "A405" "the seed of the run is the nonce of a challenge for this product"
    "A406" "the run began while its challenge was open"
    "A407" "names made from the seed come back in the answers"
    "A408" "the run is not in the ledger yet"
    "A409" "the challenge is not used yet"
    "A410" "what was recorded happened during the run"
    "A411" "the clock of the target is not far from that of the run"
    "A501" "a waiver that excuses something is still valid"
    "A502" "a waiver that excuses something was granted"
    "A504" "the bundle is not revoked"
    "A505" "the key is not revoked"
    "A506" "the product is not revoked"
    "A507" "the suites are not revoked"
    "A601" "the version is not in the ledger yet"
    "A602" "the vendor is registered"
    "A603" "the key that signed is one of this vendor"
}

/// The rule of a code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static str> {
    CODES.iter().find(|one| one.code == code).map(|one| one.rule)
}

/// Something that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code.
    pub code: &'static str,
    /// The rule that is broken.
    pub rule: &'static str,
    /// What is wrong here.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

impl Problem {
    /// A problem of a code of the table.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self { code, rule: rule(code).unwrap_or_default(), message: message.into(), help }
    }
}
