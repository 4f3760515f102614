//! The document of `openapi/`: its rules, its examples, and every operation of
//! it; with the tables of operations and cases that reviewers read.

mod case_table;
mod code_table;
#[cfg(feature = "cli")]
#[path = "../support/command.rs"]
#[allow(dead_code)] // tests of single commands use more
mod command;
mod contract;
// The build script's own code, at the paths by which it knows itself.
#[path = "../../build/codes.rs"]
#[allow(dead_code)] // the table itself is for the build script
mod codes;
#[path = "../../build/dialect.rs"]
mod dialect;
#[path = "../../build/document.rs"]
mod document;
#[path = "../../build/envelope.rs"]
#[allow(dead_code)] // the expanded document is for the build script
mod envelope;
#[cfg(feature = "cli")]
mod every_operation;
mod independent_mock;
mod manifest;
mod nic_failures;
#[path = "../../build/operations.rs"]
#[allow(dead_code)] // the operation table is for the build script
mod operations;
mod provider_schemas;
mod requests;
mod rules;
#[path = "../support/document.rs"]
mod samples;
mod surface;
mod tolerance;
