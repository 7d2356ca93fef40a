//! The house has one way that data travels: every module may use only the rooms that its row allows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and what it may use of the crate. `docs/architecture.md` says why.
const ROWS: [(&str, &[&str]); 16] = [
    ("model", &[]),
    ("diag", &[]),
    ("spec", &["model", "diag"]),
    ("plan", &["model"]),
    ("azure", &["model"]),
    ("observe", &["model", "azure"]),
    ("material", &["model"]),
    ("apply", &["model", "plan", "observe", "azure", "material"]),
    ("verify", &["model"]),
    ("status", &["model", "plan"]),
    ("import", &["model", "diag", "spec", "plan", "azure", "observe", "apply"]),
    ("report", &["model", "diag", "plan", "apply", "verify", "status"]),
    ("sandbox", &[]),
    ("prove", &["model", "spec", "plan", "azure", "observe", "apply", "import", "sandbox", "material"]),
    (
        "cli",
        &[
            "model", "diag", "spec", "plan", "azure", "observe", "apply", "verify", "status", "import", "report",
            "sandbox", "prove", "material",
        ],
    ),
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
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => names_in_group(group),
            None => vec![name_at(rest)],
        })
        .collect()
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The outermost names of `{a, b::c, d::{e, f}}`, from after its first brace.
fn names_in_group(group: &str) -> Vec<String> {
    let mut depth = 1;
    let outermost: String = group
        .chars()
        .take_while(|c| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth > 0
        })
        .scan(1, |depth, c| {
            *depth += i32::from(c == '{') - i32::from(c == '}');
            Some(if *depth == 1 { c } else { ' ' })
        })
        .collect();
    outermost.split(',').map(|item| name_at(item.trim())).filter(|name| !name.is_empty()).collect()
}

#[test]
fn a_group_of_imports_is_read_by_its_outermost_names() {
    let text = "use crate::{diag, plan::{Plan, Step}, spec::x};\nuse crate::model::Seen;";
    let names: Vec<String> = uses(text).into_iter().collect();
    assert_eq!(names, ["diag", "model", "plan", "spec"]);
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
