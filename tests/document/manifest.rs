//! The README against the manifest: no feature is left out of its table.

use std::collections::BTreeSet;

#[test]
fn the_readme_lists_every_feature() {
    let manifest = include_str!("../../Cargo.toml");
    let readme = include_str!("../../README.md");
    let (_, features) = manifest.split_once("\n[features]\n").unwrap();
    let (features, _) = features.split_once("\n[[").unwrap();
    let defined: BTreeSet<&str> = features
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .filter(|name| *name != "default")
        .collect();
    let (_, table) = readme.split_once("\n## Features\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let listed: BTreeSet<&str> =
        table.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
    assert!(defined.len() > 10, "{defined:?}");
    assert_eq!(listed, defined);
}
