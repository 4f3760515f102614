//! The table of cases in README.md names tests that exist.

use std::{collections::BTreeMap, fs, path::Path};

#[test]
fn every_test_of_the_table_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = named_tests(&read(&root.join("tests/README.md")));
    assert!(named.len() > 50, "the table was not found");
    let mut sources = BTreeMap::new();
    for (file, test) in named {
        let source = sources.entry(file.clone()).or_insert_with(|| match file.as_str() {
            "retry" => read(&root.join("src/retry/tests.rs")),
            file => read(&root.join(format!("tests/{file}.rs"))),
        });
        assert!(source.contains(&format!("fn {test}()")), "{file} has no test {test}");
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All `file::test` in back quotes.
fn named_tests(text: &str) -> Vec<(String, String)> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|quoted| quoted.split_once("::"))
        .map(|(file, test)| (file.to_owned(), test.to_owned()))
        .collect()
}
