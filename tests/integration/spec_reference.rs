//! The reference in `docs/spec.md` names what there is.

use cmk::diag::codes;

const REFERENCE: &str = include_str!("../../docs/spec.md");

#[test]
fn the_reference_lists_every_code_of_a_spec_with_its_summary() {
    let rows: String = codes::all()
        .filter(|code| code.id < "CMK200")
        .map(|code| format!("| {} | {} |", code.id, code.summary))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(REFERENCE.contains(&rows), "the table should be:\n{rows}");
}

#[test]
fn the_reference_names_every_field_and_every_word() {
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        if let Some(fields) = value.get("properties").and_then(|fields| fields.as_object()) {
            found.extend(fields.keys().cloned());
        }
        let words = value.get("enum").and_then(|words| words.as_array()).into_iter().flatten();
        found.extend(words.chain(value.get("const")).map(|word| word.to_string().trim_matches('"').to_owned()));
        match value {
            serde_json::Value::Object(map) => map.values().for_each(|inner| names(inner, found)),
            serde_json::Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    names(&cmk::spec::schema(), &mut found);
    assert!(found.len() > 40);
    for name in found {
        assert!(REFERENCE.contains(&format!("`{name}`")), "`{name}` is missing");
    }
}

#[test]
fn the_example_in_the_reference_is_the_quickstart() {
    let strip = |text: &str| -> String {
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
        lines.filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect()
    };
    let quickstart = strip(include_str!("../../specs/quickstart.yaml"));
    assert!(REFERENCE.contains(&format!("```yaml\n{quickstart}```")), "{quickstart}");
}

/// The rows of the table of what can be said: example, planner's test, test of a whole run.
fn coverage() -> Vec<Vec<String>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/spec.md")).unwrap();
    let table = text.split("## What can be said, and what shows it").nth(1).unwrap().split("\n## ").next().unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = table.lines().map(cells).filter(|cells| cells.len() == 5 && cells[2].starts_with('`'));
    rows.map(|cells| cells[2..].iter().map(|cell| cell.trim_matches('`').to_owned()).collect()).collect()
}

#[test]
fn what_can_be_said_has_an_example_and_two_witnesses() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut planner, mut runs) = (String::new(), String::new());
    crate::parity::sources(&root.join("src/plan"), &mut planner);
    crate::parity::sources(&root.join("tests/integration"), &mut runs);
    let rows = coverage();
    assert!(rows.len() >= 11, "{} rows were read", rows.len());
    for row in rows {
        let [example, of_planner, of_run] = row.as_slice() else { panic!("{row:?}") };
        assert!(root.join(example).is_file(), "{example} is no file");
        assert!(planner.contains(&format!("fn {of_planner}(")), "no test of the planner: {of_planner}");
        assert!(runs.contains(&format!("fn {of_run}(")), "no test of a whole run: {of_run}");
    }
}
