//! What was published before, so that only what changed is made again; and the writer of the site's files.
//!
//! A unit is a group of pages that depend on the same things. Its key is a digest of these; while key and files are as
//! they were, nothing of it is made. A file is written only when its bytes change, and removed when no unit has it any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::SiteError;
use super::facts::{Facts, Lists};
use crate::canon::{Digest, digest_bytes};

/// The file, below the folder of the site.
pub const FILE: &str = ".assize-site.json";
const FORMAT: &str = "assize-site-state/1";

/// The state of a site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    format: String,
    /// Lists of ids that reports share.
    pub lists: Lists,
    /// Units by name.
    pub units: BTreeMap<String, Unit>,
    /// Folders of the site that were found to be folders, and no links.
    #[serde(skip)]
    folders: Mutex<BTreeSet<PathBuf>>,
}

/// A group of pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unit {
    /// Digest of what it depends on.
    pub key: Digest,
    /// Its files: path below the site, bytes, digest.
    pub files: Vec<Written>,
    /// What a report gives to other pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Arc<Facts>>,
}

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Path below the site.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Digest of its content.
    pub digest: Digest,
}

/// A file to be.
#[derive(Debug)]
pub struct Output {
    /// Path below the site, with slashes.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl State {
    /// The state of what is in the folder; an empty one for an empty or missing folder.
    ///
    /// # Errors
    /// When the folder holds something else than a site.
    pub fn open(site: &Path) -> Result<Self, SiteError> {
        let path = site.join(FILE);
        match fs::read(&path) {
            // Of another version of the tool, or damaged: all is made again, and what is in the way is written over.
            Ok(bytes) => Ok(serde_json::from_slice::<Self>(&bytes)
                .ok()
                .filter(|state| state.format == FORMAT && state.is_inside())
                .unwrap_or_else(Self::empty)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let empty = match fs::read_dir(site) {
                    Ok(mut entries) => entries.next().is_none(),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                    Err(error) => return Err(SiteError::io(site)(error)),
                };
                if empty { Ok(Self::empty()) } else { Err(SiteError::NotASite(site.to_owned())) }
            }
            Err(error) => Err(SiteError::io(&path)(error)),
        }
    }

    fn empty() -> Self {
        Self { format: FORMAT.to_owned(), ..Self::default() }
    }

    /// No path leads out of the site.
    fn is_inside(&self) -> bool {
        let files = self.units.values().flat_map(|unit| &unit.files);
        files.map(|file| file.path.as_str()).all(|path| {
            !path.starts_with('/')
                && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\\'))
        })
    }

    /// The unit of that name, when it is up to date.
    pub fn fresh(&self, site: &Path, name: &str, key: &Digest) -> Option<&Unit> {
        let there = |file: &Written| fs::metadata(site.join(&file.path)).is_ok_and(|facts| facts.len() == file.bytes);
        self.units.get(name).filter(|unit| unit.key == *key && unit.files.iter().all(there))
    }

    /// Writes the files of a unit, those whose bytes are others than before.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, site: &Path, name: &str, outputs: Vec<Output>) -> Result<(Vec<Written>, u32), SiteError> {
        let before = self.units.get(name).map_or(&[][..], |unit| unit.files.as_slice());
        let mut changed = 0;
        let mut files = Vec::with_capacity(outputs.len());
        for output in outputs {
            let written =
                Written { digest: digest_bytes(&output.bytes), bytes: output.bytes.len() as u64, path: output.path };
            let path = site.join(&written.path);
            let same = before.contains(&written) && fs::metadata(&path).is_ok_and(|facts| facts.len() == written.bytes);
            if !same {
                self.settle(site, &written.path)?;
                write(&path, &output.bytes)?;
                changed += 1;
            }
            files.push(written);
        }
        Ok((files, changed))
    }

    /// Makes sure that a path below the site leads through no link, and to none: nothing is written or removed elsewhere.
    fn settle(&self, site: &Path, path: &str) -> Result<(), SiteError> {
        let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|facts| facts.is_symlink());
        let refuse = |path: PathBuf| SiteError::Report {
            path,
            why: "it is a link, and leads out of the site; remove it".to_owned(),
        };
        let mut known = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let mut folder = site.to_owned();
        for part in Path::new(path).parent().into_iter().flatten() {
            folder.push(part);
            if !known.contains(&folder) {
                if is_link(&folder) {
                    return Err(refuse(folder));
                }
                known.insert(folder.clone());
            }
        }
        drop(known);
        let file = site.join(path);
        if is_link(&file) { Err(refuse(file)) } else { Ok(()) }
    }

    /// Removes what was published before and is not any more, and keeps the new state.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn close(&self, site: &Path, mut new: State) -> Result<u32, SiteError> {
        FORMAT.clone_into(&mut new.format);
        let kept: BTreeSet<&str> =
            new.units.values().flat_map(|unit| &unit.files).map(|file| file.path.as_str()).collect();
        let mut removed = 0;
        let old = self.units.values().flat_map(|unit| &unit.files).map(|file| file.path.as_str());
        for path in old.filter(|path| !kept.contains(path)) {
            self.settle(site, path)?;
            remove(site, path)?;
            removed += 1;
        }
        let bytes = serde_json::to_vec(&new).map_err(|error| SiteError::io(site)(io::Error::other(error)))?;
        write(&site.join(FILE), &bytes)?;
        Ok(removed)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SiteError> {
    if let Err(error) = fs::write(path, bytes) {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(SiteError::io(path)(error));
        }
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        fs::create_dir_all(&folder).map_err(SiteError::io(&folder))?;
        fs::write(path, bytes).map_err(SiteError::io(path))?;
    }
    Ok(())
}

/// Removes a file, and the folders that it leaves empty.
fn remove(site: &Path, path: &str) -> Result<(), SiteError> {
    let full = site.join(path);
    match fs::remove_file(&full) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SiteError::io(&full)(error)),
    }
    let mut folder = full.as_path();
    while let Some(above) = folder.parent().filter(|above| *above != site) {
        if fs::remove_dir(above).is_err() {
            break;
        }
        folder = above;
    }
    Ok(())
}
