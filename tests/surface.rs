//! The operation table as a reviewer reads it in a diff.

use std::fmt::Write as _;

use sandbox_client::operations;

#[test]
fn the_operation_table_is_as_recorded() {
    let mut table = String::new();
    for operation in operations() {
        let repeat = if operation.idempotent { "repeatable" } else { "once" };
        let credential = format!("{:?}", operation.credential);
        let line = format!(
            "{:<32} {credential:<13} {repeat:<10} {:<4} {}",
            operation.id, operation.method, operation.path
        );
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    let recorded = include_str!("surface/operations.txt").replace("\r\n", "\n");
    assert!(
        table == recorded,
        "the operation table has changed; if that is meant, write this to tests/surface/operations.txt:\n{table}"
    );
}
