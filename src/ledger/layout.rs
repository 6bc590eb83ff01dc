//! Where things lie in a ledger, and the walk over it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::admission::Identity;
use super::{Admission, Challenge, Document, Product, Revocation, Revocations, Rules, Triage, document};
use crate::capability::Family;
use crate::guideline::worksheet::Sheet;
use crate::guideline::{Waivers, waivers};
use crate::sign::{TrustError, TrustedKeys};
use crate::text::Diagnostics;

/// Largest document of a ledger, bundles aside.
const LARGEST: u64 = 4 << 20;

/// What is wrong in a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A document is wrong.
    #[error("{0}")]
    Document(Diagnostics),
    /// A file of keys is wrong.
    #[error(transparent)]
    Keys(#[from] TrustError),
    /// Something is not where it belongs.
    #[error("{path}: {why}", path = .path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the remedy.
        why: String,
    },
}

/// Whether a text may name a folder of a ledger: lower-case letters, digits, dots, plus signs and hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-".contains(&byte);
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    first && text.len() <= 80 && text.bytes().all(inner) && !text.ends_with('.')
}

/// A ledger: a folder.
#[derive(Debug, Clone)]
pub struct Ledger {
    root: PathBuf,
}

/// Where a report lies, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    version: String,
}

impl Place {
    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.folder.join(&self.version)
    }

    /// The product record.
    #[must_use]
    pub fn product(&self) -> PathBuf {
        self.beside("product.yaml")
    }

    /// The admission record.
    #[must_use]
    pub fn admission(&self) -> PathBuf {
        self.beside("admission.json")
    }

    /// The folder of triage notes.
    #[must_use]
    pub fn triage(&self) -> PathBuf {
        self.beside("triage")
    }

    fn beside(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.version))
    }
}

/// One report of a ledger. Only names were read.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it belongs.
    pub identity: Identity,
    place: Place,
}

impl Entry {
    /// The folder of the bundle.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.place.bundle()
    }

    /// Where its files lie.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The record of its admission; `None` when it was put there by hand.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn admission(&self) -> Result<Option<Admission>, LedgerError> {
        let path = self.place.admission();
        let Some(bytes) = maybe(&path)? else { return Ok(None) };
        // Written by the tool, and there may be many: the schema is asked only to explain what is wrong.
        match serde_json::from_slice::<Admission>(&bytes) {
            Ok(admission) if admission.format == Admission::FORMAT => Ok(Some(admission)),
            _ => parsed(&path, &bytes).map(Some),
        }
    }

    /// The product record; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn product(&self) -> Result<Option<Product>, LedgerError> {
        let path = self.place.product();
        maybe(&path)?.map(|bytes| parsed(&path, &bytes)).transpose()
    }

    /// Its triage notes, in the order of their names.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn triage(&self) -> Result<Vec<Triage>, LedgerError> {
        let files = listed(&self.place.triage())?.into_iter().filter(|path| is_yaml(path));
        files.map(|path| parsed(&path, &bounded(&path)?)).collect()
    }
}

impl Ledger {
    /// The ledger in a folder.
    ///
    /// # Errors
    /// When it is no folder.
    pub fn open(root: &Path) -> Result<Self, LedgerError> {
        if !root.is_dir() {
            let why = "there is no such folder; a ledger is a folder with rules.yaml".to_owned();
            return Err(LedgerError::Place { path: root.to_owned(), why });
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a report belongs.
    ///
    /// # Errors
    /// When a part of its identity cannot be the name of a folder.
    pub fn place(&self, identity: &Identity) -> Result<Place, LedgerError> {
        let Identity { family, guideline, vendor, product, version } = identity;
        for part in [guideline, vendor, product, version] {
            if !is_slug(part) || part.ends_with(".triage") {
                let why = format!("`{part}` cannot name a folder: use lower-case letters, digits, dots and hyphens");
                return Err(LedgerError::Place { path: self.root.clone(), why });
            }
        }
        let folder = self.root.join(family.as_str()).join(guideline).join(vendor).join(product);
        Ok(Place { folder, version: version.clone() })
    }

    /// All reports, in the order of their names. Reads folders, no files.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = Vec::new();
        for family in Family::ALL {
            for guideline in folders(&self.root.join(family.as_str()))? {
                for vendor in folders(&guideline.path)? {
                    for product in folders(&vendor.path)? {
                        for version in folders(&product.path)? {
                            if !version.path.join("bundle.json").is_file() {
                                continue;
                            }
                            let identity = Identity {
                                family: *family,
                                guideline: guideline.name.clone(),
                                vendor: vendor.name.clone(),
                                product: product.name.clone(),
                                version: version.name.clone(),
                            };
                            let place = Place { folder: product.path.clone(), version: version.name };
                            entries.push(Entry { identity, place });
                        }
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Its rules.
    ///
    /// # Errors
    /// When there are none or they cannot be read.
    pub fn rules(&self) -> Result<Rules, LedgerError> {
        let path = self.root.join("rules.yaml");
        parsed(&path, &bounded(&path)?)
    }

    /// Its revocations.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn revocations(&self) -> Result<Revocations, LedgerError> {
        let files = listed(&self.root.join("revocations"))?.into_iter().filter(|path| is_yaml(path));
        let all: Result<Vec<Revocation>, _> = files.map(|path| parsed(&path, &bounded(&path)?)).collect();
        Ok(Revocations(all?))
    }

    /// Its score sheets by name, in order: `worksheets/<name>.txt`.
    ///
    /// # Errors
    /// When one cannot be read, has a name that cannot be one of a page, or holds no row.
    pub fn worksheets(&self) -> Result<Vec<(String, Sheet)>, LedgerError> {
        let files = listed(&self.root.join("worksheets"))?.into_iter().filter(|path| has_extension(path, "txt"));
        files.map(|path| sheet(&path)).collect()
    }

    /// The challenge with that nonce.
    ///
    /// # Errors
    /// When it cannot be read, or is not the one that its file is named after.
    pub fn challenge(&self, nonce: &str) -> Result<Option<Challenge>, LedgerError> {
        if !nonce.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Ok(None);
        }
        let path = self.challenge_file(nonce);
        let Some(bytes) = maybe(&path)? else { return Ok(None) };
        let challenge: Challenge = parsed(&path, &bytes)?;
        if challenge.nonce != nonce {
            let why = format!("it holds the nonce `{}`; name the file after it", challenge.nonce);
            return Err(LedgerError::Place { path, why });
        }
        Ok(Some(challenge))
    }

    /// All challenges, in the order of their nonces.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn challenges(&self) -> Result<Vec<Challenge>, LedgerError> {
        let files = listed(&self.root.join("challenges"))?.into_iter().filter(|path| is_yaml(path));
        files.map(|path| parsed(&path, &bounded(&path)?)).collect()
    }

    /// Whether a challenge was issued for a product.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn has_challenge(&self, vendor: &str, product: &str) -> Result<bool, LedgerError> {
        Ok(self.challenges()?.iter().any(|one| one.vendor == vendor && one.product == product))
    }

    /// Where the challenge with that nonce lies.
    #[must_use]
    pub fn challenge_file(&self, nonce: &str) -> PathBuf {
        self.root.join("challenges").join(format!("{nonce}.yaml"))
    }

    /// The waivers that were granted to a vendor.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn waivers(&self, vendor: &str) -> Result<Waivers, LedgerError> {
        let mut all = Waivers::none();
        if is_slug(vendor) {
            for path in listed(&self.root.join("waivers").join(vendor))?.into_iter().filter(|path| is_yaml(path)) {
                let read = waivers::read(&path.display().to_string(), &bounded(&path)?);
                all.0.extend(read.map_err(LedgerError::Document)?.0.0);
            }
        }
        Ok(all)
    }

    /// The keys of a vendor; `None` when it is not registered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn vendor_keys(&self, vendor: &str) -> Result<Option<TrustedKeys>, LedgerError> {
        if !is_slug(vendor) {
            return Ok(None);
        }
        self.keys(&self.root.join("vendors").join(format!("{vendor}.keys")))
    }

    /// The keys of the foundation; `None` when it has none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn foundation_keys(&self) -> Result<Option<TrustedKeys>, LedgerError> {
        self.keys(&self.root.join("foundation.keys"))
    }

    fn keys(&self, path: &Path) -> Result<Option<TrustedKeys>, LedgerError> {
        let Some(bytes) = maybe(path)? else { return Ok(None) };
        let name = path.display().to_string();
        Ok(Some(TrustedKeys::read(&name, &String::from_utf8_lossy(&bytes))?))
    }
}

struct Folder {
    name: String,
    path: PathBuf,
}

/// The folders in a folder whose names can be parts of an identity, sorted; none when it does not exist.
fn folders(path: &Path) -> Result<Vec<Folder>, LedgerError> {
    let failed = |source| LedgerError::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        if let Some(name) = entry.file_name().to_str().filter(|name| is_folder && is_slug(name)) {
            found.push(Folder { name: name.to_owned(), path: entry.path() });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The files in a folder, sorted; none when it does not exist.
fn listed(path: &Path) -> Result<Vec<PathBuf>, LedgerError> {
    let failed = |source| LedgerError::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let files: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = files.map_err(failed)?;
    files.sort();
    Ok(files)
}

fn is_yaml(path: &Path) -> bool {
    has_extension(path, "yaml")
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// A score sheet with its name.
fn sheet(path: &Path) -> Result<(String, Sheet), LedgerError> {
    let wrong = |why: &str| LedgerError::Place { path: path.to_owned(), why: why.to_owned() };
    let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|name| is_slug(name)) else {
        return Err(wrong("its name is that of a page: use lower-case letters, digits, dots and hyphens"));
    };
    let text = String::from_utf8(bounded(path)?).map_err(|_| wrong("it is not UTF-8 text; save it as UTF-8"))?;
    let sheet = Sheet::parse(&text);
    if sheet.rows().next().is_none() {
        return Err(wrong("no line is a row; one looks like `name: [1,0,1] [1,1,1] [0,1,0] [0,1,1] [1] [0]`"));
    }
    Ok((name.to_owned(), sheet))
}

fn maybe(path: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    match bounded(path) {
        Err(LedgerError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// A regular file of bounded size.
fn bounded(path: &Path) -> Result<Vec<u8>, LedgerError> {
    let failed = |source| LedgerError::Io { path: path.to_owned(), source };
    let facts = fs::symlink_metadata(path).map_err(failed)?;
    if !facts.is_file() || facts.len() > LARGEST {
        let why = format!("it is no regular file of at most {LARGEST} bytes");
        return Err(LedgerError::Place { path: path.to_owned(), why });
    }
    fs::read(path).map_err(failed)
}

fn parsed<T: Document>(path: &Path, bytes: &[u8]) -> Result<T, LedgerError> {
    document::read(&path.display().to_string(), bytes).map_err(LedgerError::Document)
}
