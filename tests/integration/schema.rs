//! The committed JSON schemas are the ones that the types give.

use expect_test::expect_file;

#[test]
fn the_committed_schema_of_specs_is_current() {
    let text = format!("{:#}\n", cmk::spec::schema());
    expect_file!["../../docs/cmk.schema.json"].assert_eq(&text);
}

#[test]
fn the_committed_schema_of_plans_is_current() {
    let text = format!("{:#}\n", cmk::report::json::schema());
    expect_file!["../../docs/plan.schema.json"].assert_eq(&text);
}
