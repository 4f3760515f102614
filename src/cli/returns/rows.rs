//! The documents of a section as rows: one for each innermost object, such as
//! the amounts of one rate, with what stands around it in front.

use std::{borrow::Cow, fmt};

use sandbox_client::values::Amount;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::cli::output::Sheet;

/// Columns in the order in which they came, and rows with a cell for each.
#[derive(Default)]
pub struct Rows<'a> {
    columns: Vec<String>,
    rows: Vec<Vec<Cell<'a>>>,
}

/// A value of JSON.
type Cell<'a> = Cow<'a, str>;

/// The column that names the list where an object has several: HSN codes of supplies to
/// registered persons and to others.
const LIST: &str = "list";

impl<'a> Rows<'a> {
    /// The rows of an object or a list.
    pub fn of(json: &'a RawValue) -> Self {
        let mut rows = Self::default();
        rows.add(json, &[]);
        rows
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The sum of all amounts in these columns; what is no amount counts nothing.
    pub fn sum(&self, names: &[&str]) -> Amount {
        let columns = self.columns.iter().enumerate().filter(|(_, name)| names.contains(&name.as_str()));
        let columns: Vec<usize> = columns.map(|(at, _)| at).collect();
        let cells = self.rows.iter().flat_map(|row| columns.iter().filter_map(|at| row.get(*at)));
        let amounts = cells.filter_map(|cell| text(cell).parse::<Amount>().ok());
        amounts.fold(Amount::ZERO, Amount::saturating_add)
    }

    /// Numbers as they came, to the last digit.
    pub fn sheet(&self) -> Sheet {
        let is_number = |at: usize| {
            let mut cells =
                self.rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some()
                && cells.all(|cell| cell.starts_with(|first: char| first == '-' || first.is_ascii_digit()))
        };
        let numbers = self.columns.iter().enumerate().filter(|(at, _)| is_number(*at));
        let numbers: Vec<&str> = numbers.map(|(_, name)| name.as_str()).collect();
        let columns: Vec<(&str, &str)> =
            self.columns.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let mut sheet = Sheet::new(&columns).amounts(&numbers);
        for row in &self.rows {
            let cells =
                (0..self.columns.len()).map(|at| row.get(at).map_or(Value::Null, |cell| text(cell).into()));
            sheet.row(cells.collect());
        }
        sheet
    }

    /// Adds the rows below `json`, which `around` is the way to.
    fn add(&mut self, json: &'a RawValue, around: &[(usize, Cell<'a>)]) {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json.get()) {
            for item in items {
                self.add(item, around);
            }
            return;
        }
        let mut row = around.to_vec();
        let mut lists = Vec::new();
        self.members(json, &mut row, &mut lists);
        if lists.is_empty() && !row.is_empty() {
            let mut cells = vec![Cell::default(); self.columns.len()];
            for (at, cell) in row {
                cells[at] = cell;
            }
            self.rows.push(cells);
            return;
        }
        let list = (lists.len() > 1).then(|| self.column(LIST));
        for (name, items) in lists {
            let mut row = row.clone();
            row.extend(list.map(|at| (at, Value::from(name).to_string().into())));
            self.add(items, &row);
        }
    }

    /// Puts single values into `row`, those of an object within too, and lists into `lists`.
    fn members(
        &mut self,
        json: &'a RawValue,
        row: &mut Vec<(usize, Cell<'a>)>,
        lists: &mut Vec<(String, &'a RawValue)>,
    ) {
        let Ok(Members(members)) = serde_json::from_str(json.get()) else { return };
        for (name, value) in members {
            match value.get().as_bytes().first() {
                Some(b'[') => lists.push((name, value)),
                Some(b'{') => self.members(value, row, lists),
                _ => row.push((self.column(&name), value.get().into())),
            }
        }
    }

    /// The place of a column, which is new perhaps.
    fn column(&mut self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        })
    }
}

/// A value of JSON as a cell.
fn text(json: &str) -> String {
    match json {
        "null" => String::new(),
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap_or_default(),
        other => other.to_owned(),
    }
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> (Vec<String>, Vec<Vec<Cell<'_>>>, Amount) {
        let Rows { columns, rows } = Rows::of(serde_json::from_str(json).unwrap());
        let sum = Rows { columns: columns.clone(), rows: rows.clone() }.sum(&["txval"]);
        (columns, rows, sum)
    }

    #[test]
    fn what_is_around_stands_before_each_row() {
        let (columns, rows, sum) = rows(
            r#"[{"ctin": "A", "inv": [{"inum": "1", "itms": [{"itm_det": {"txval": 1.10}}, {"itm_det": {"txval": 2.00, "rt": 5}}]},
                                     {"inum": "2", "itms": []}]}]"#,
        );
        assert_eq!(columns, ["ctin", "inum", "txval", "rt"]);
        assert_eq!(rows, [vec!["\"A\"", "\"1\"", "1.10"], vec!["\"A\"", "\"1\"", "2.00", "5"]]);
        assert_eq!(sum.to_string(), "3.1");
    }

    #[test]
    fn an_object_is_a_row_or_holds_several_lists() {
        assert_eq!(rows(r#"{"flag": "N", "chksum": "x"}"#).1, [["\"N\"", "\"x\""]]);
        let (columns, rows, _) =
            rows(r#"{"flag": "N", "hsn_b2b": [{"rt": 5}], "hsn_b2c": [{"rt": 18, "qty": 2}]}"#);
        assert_eq!(columns, ["flag", "list", "rt", "qty"]);
        assert_eq!(rows, [vec!["\"N\"", "\"hsn_b2b\"", "5"], vec!["\"N\"", "\"hsn_b2c\"", "18", "2"]]);
    }
}
