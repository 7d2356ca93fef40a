//! The committed JSON schema is the one that the types give.

use expect_test::expect_file;

#[test]
fn the_committed_schema_is_current() {
    let text = format!("{:#}\n", cmk::spec::schema());
    expect_file!["../../docs/cmk.schema.json"].assert_eq(&text);
}
