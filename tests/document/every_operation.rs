//! Every operation of the document through the command line, whatever family
//! it is of, without a line of code for any of them.

use std::thread;

use sandbox_client::{Operation, operations};
use serde_json::Value;

use crate::{
    command::Home,
    samples::{Sample, payload},
};

fn call(home: &Home, operation: &'static Operation) {
    let sample = Sample::of(operation);
    // Writes ask before they are sent.
    let mut arguments =
        vec!["--mock".to_owned(), "api".to_owned(), operation.id.to_owned(), "--yes".to_owned()];
    let mut secret = String::new();
    for (name, value) in sample.parameters {
        if operation.parameters.iter().any(|known| known.name == name && known.secret) {
            value.clone_into(&mut secret);
        } else {
            arguments.extend(["--param".to_owned(), format!("{name}={value}")]);
        }
    }
    if let Some(body) = sample.body {
        arguments.extend(["--body".to_owned(), body.to_string()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = home.run_with(&arguments, &secret).succeeds();
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(payload(operation, &answer).is_some(), "{}: {answer}", operation.id);
}

#[test]
fn every_operation_can_be_called_from_a_terminal() {
    let home = Home::new();
    let halves = operations().chunks(operations().len().div_ceil(2));
    thread::scope(|scope| {
        for half in halves {
            let home = &home;
            scope.spawn(move || half.iter().for_each(|operation| call(home, operation)));
        }
    });
}
