//! The house has one way that data travels: every module may use only the rooms that its row allows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and what it may use of the crate. `docs/architecture.md` says why.
const ROWS: [(&str, &[&str]); 11] = [
    ("model", &[]),
    ("diag", &[]),
    ("spec", &["model", "diag"]),
    ("plan", &["model"]),
    ("azure", &["model"]),
    ("observe", &["model", "azure"]),
    ("apply", &["model", "plan", "observe", "azure"]),
    ("report", &["model", "diag", "plan", "apply"]),
    ("sandbox", &[]),
    ("cli", &["model", "diag", "spec", "plan", "azure", "observe", "apply", "report", "sandbox"]),
    ("lib.rs", &[]),
];

#[test]
fn every_module_uses_only_what_its_row_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong: Vec<String> = vec![];
    let mut read = 0;
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).unwrap();
        let Some(module) = path.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned())
        else {
            continue;
        };
        let allowed = ROWS.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        for used in uses(&fs::read_to_string(&file).unwrap()) {
            read += 1;
            let fine = used == module || allowed.is_some_and(|allowed| allowed.contains(&used.as_str()));
            if !fine && module != "main.rs" {
                wrong.push(format!("{}: uses crate::{used}, which the row of {module} does not allow", path.display()));
            }
        }
    }
    assert!(read > 50, "the test reads the sources, and found only {read} uses");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first names after `crate::` in a source text, in code and in links of the documentation alike.
fn uses(text: &str) -> BTreeSet<String> {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
