//! The files of one run in a folder, as other tools leave them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::results::is_member;

/// Deepest folder that is looked into.
const DEEPEST: usize = 12;

/// A file that is opened when it is read.
pub struct Lazy {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        file.read(buffer)
    }
}

/// The files below a folder that say something, with their paths in it, in order. Links are not followed.
pub fn below(folder: &Path) -> Vec<(String, Lazy)> {
    let mut found = Vec::new();
    walk(folder, "", 0, &mut found);
    found.into_iter().map(|(name, path)| (name, Lazy { path, file: None })).collect()
}

/// Whether there is any such file.
pub fn any(folder: &Path) -> bool {
    !below(folder).is_empty()
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(kind) = entry.file_type() else { continue };
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if kind.is_dir() && depth < DEEPEST {
            walk(&entry.path(), &format!("{name}/"), depth + 1, found);
        } else if kind.is_file() && is_member(&name) {
            found.push((name, entry.path()));
        }
    }
}
