//! A firm's taxpayers from a CSV file.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use sandbox_client::{TaxpayerId, values::Gstin};

use crate::cli::failure::Failure;

/// Reads the columns `gstin` and `username`. All mistakes are told at once,
/// before the first call. A taxpayer that stands twice is asked once.
pub fn read(path: &Path, gstin: impl Fn(&str) -> Result<Gstin, Failure>) -> Result<Vec<TaxpayerId>, Failure> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        Box::new(file)
    };
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(input);
    let unreadable = |error: csv::Error| Failure::usage(format!("{} is no CSV: {error}", path.display()));
    let headers = csv.headers().map_err(unreadable)?;
    // Spreadsheets put an invisible mark in front of the first name.
    let column = |name: &str| {
        headers.iter().position(|header| header.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
    };
    let (Some(gstin_at), Some(username_at)) = (column("gstin"), column("username")) else {
        return Err(Failure::usage(format!("{} needs the columns gstin and username", path.display())));
    };

    let (mut taxpayers, mut seen, mut wrong) = (Vec::new(), HashSet::new(), Vec::new());
    for row in csv.into_records() {
        let row = row.map_err(unreadable)?;
        let line = row.position().map_or(0, csv::Position::line);
        let username = row.get(username_at).unwrap_or_default();
        match gstin(row.get(gstin_at).unwrap_or_default()) {
            Ok(_) if username.is_empty() => wrong.push(format!("line {line}: no user name")),
            Ok(gstin) => {
                let taxpayer = TaxpayerId { gstin, username: username.to_owned() };
                if seen.insert(taxpayer.clone()) {
                    taxpayers.push(taxpayer);
                }
            }
            Err(failure) => wrong.push(format!("line {line}: {failure}")),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::mistakes(path.display(), wrong));
    }
    if taxpayers.is_empty() {
        return Err(Failure::usage(format!("{} names no taxpayer", path.display())));
    }
    Ok(taxpayers)
}
