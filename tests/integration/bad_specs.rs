//! A folder of bad specs, each with the message it must give.

use cmk::diag::{self, Source};
use cmk::spec;
use expect_test::expect_file;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bad_specs")
}

fn bad_specs() -> Vec<Source> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let read = |path: PathBuf| Source {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: std::fs::read_to_string(path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_bad_spec_gives_its_message() {
    for source in bad_specs() {
        let (desired, diagnostics) = spec::load(&source);
        assert!(!diagnostics.is_empty(), "{} is not bad", source.name);
        assert_eq!(desired.is_none(), diagnostics.has_errors(), "{}", source.name);
        for diagnostic in &diagnostics {
            assert!(diag::codes::find(diagnostic.code).is_some(), "{}: {}", source.name, diagnostic.code);
            assert!(diagnostic.help.is_some(), "{}: no way out of {}", source.name, diagnostic.message);
        }
        let expected = folder().join(source.name.replace(".yaml", ".txt"));
        expect_file![expected].assert_eq(&diag::render(&source, &diagnostics, false));
    }
}

#[test]
fn there_are_forty_of_them() {
    assert!(bad_specs().len() >= 40, "{}", bad_specs().len());
}

#[test]
fn six_problems_in_six_entries_are_six_diagnostics_at_six_places() {
    let source = bad_specs().into_iter().find(|source| source.name == "six-problems.yaml").unwrap();
    let (_, diagnostics) = spec::load(&source);
    let codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes.len(), 6, "{codes:?}");
    let mut places: Vec<(usize, usize)> =
        diagnostics.iter().map(|diagnostic| diag::place(&source, diagnostic.span.start)).collect();
    places.dedup();
    assert_eq!(places.len(), 6, "{places:?}");
}
