//! What real clients and the sandbox said to each other, held against Azure's contracts.
//!
//! `tests/clients/run` has the servers of its stories write records into the folder that `CMK_RECORDS` names.
//! Without the variable there is nothing to read, and the test says so.

use super::contracts::problems_of_record;
use std::collections::BTreeMap;

#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the caller says where the records are; a test that checks nothing has to say so"
)]
fn the_exchanges_of_real_clients_keep_to_the_contracts() {
    let Some(folder) = std::env::var_os("CMK_RECORDS") else {
        eprintln!("skipped: CMK_RECORDS names no folder with records of real clients");
        return;
    };
    let mut lines = 0;
    let mut problems: BTreeMap<String, u64> = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let record = std::fs::read_to_string(entry.expect("a readable entry").path()).expect("a record");
        lines += record.lines().count();
        for problem in problems_of_record(&record) {
            *problems.entry(problem).or_default() += 1;
        }
    }
    assert!(lines > 100, "the stories exchange more than {lines} requests");
    assert!(problems.is_empty(), "{} kinds of problems in {lines} exchanges:\n{problems:#?}", problems.len());
}
