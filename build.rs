//! Lists every file below `suites/` and `capabilities/`, and the recording for the demo, as `include_bytes!`, so that the binary needs no files beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The recorded run that `assize run demo` replays.
const DEMO: &str = "reports/redfish/2026.11/openstack/sushy-tools/2.2.0-plain";

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for directory in ["suites", "capabilities", DEMO] {
        // A directory that is missing is watched as well: when it appears, this runs again.
        println!("cargo::rerun-if-changed={directory}");
        collect(&root.join(directory), &mut files)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    let mut named = Vec::new();
    for path in files {
        let Ok(inside) = path.strip_prefix(&root) else {
            continue;
        };
        let parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        named.push((parts.join("/"), path));
    }
    named.sort();
    let (demo, own): (Vec<_>, Vec<_>) = named.into_iter().partition(|(name, _)| name.starts_with(DEMO));
    let demo = demo.into_iter().filter_map(|(name, path)| {
        let inside = name.strip_prefix(DEMO)?.trim_start_matches('/').to_owned();
        // What is derived from the evidence is made again by the demo.
        let needed = inside.starts_with("suites/")
            || ["run.json", "guideline.json", "transcript.jsonl"].contains(&inside.as_str());
        needed.then_some((inside, path))
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), list(own))?;
    fs::write(out.join("demo.rs"), list(demo))
}

fn list(files: impl IntoIterator<Item = (String, PathBuf)>) -> String {
    let mut code = String::from("&[\n");
    for (name, path) in files {
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?}).as_slice()),", path.display().to_string());
    }
    code.push_str("]\n");
    code
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        // Cargo looks at the times of the files in a directory, but the reference is not explicit about depth.
        println!("cargo::rerun-if-changed={}", path.display());
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
