//! A firm's taxpayers from a file.

use std::{collections::HashSet, path::Path};

use sandbox_client::{TaxpayerId, values::Gstin};

use crate::cli::{
    failure::Failure,
    table::{self, Column, Input, shown, unseen},
};

const COLUMNS: [Column; 2] = [Column::needed("gstin").also(&["GSTIN/UIN"]), Column::needed("username")];

/// Reads the columns `gstin` and `username`. All mistakes are reported at once,
/// before the first call. A taxpayer that stands twice is asked once.
pub fn read(path: &Path, gstin: impl Fn(&str) -> Result<Gstin, Failure>) -> Result<Vec<TaxpayerId>, Failure> {
    let input = Input::read(path)?;
    let (mut taxpayers, mut seen, mut wrong) = (Vec::new(), HashSet::new(), Vec::new());
    for row in input.rows(&COLUMNS)? {
        let (place, username) = (&row.place, row.get(1));
        if let Some((column, character)) =
            (0..2).find_map(|column| Some((COLUMNS[column].name, unseen(row.get(column))?)))
        {
            wrong.push(format!("{place}: {column} has {character}"));
            continue;
        }
        match gstin(&table::gstin(row.get(0))) {
            Ok(_) if username.is_empty() => wrong.push(format!("{place}: no user name")),
            Ok(gstin) => {
                let taxpayer = TaxpayerId { gstin, username: username.to_owned() };
                if seen.insert(taxpayer.clone()) {
                    taxpayers.push(taxpayer);
                }
            }
            Err(failure) => wrong.push(format!("{place}: {failure}, found `{}`", shown(row.get(0)))),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::mistakes(input.name, wrong));
    }
    if taxpayers.is_empty() {
        return Err(Failure::usage(format!("{} contains no taxpayer", input.name)));
    }
    Ok(taxpayers)
}
