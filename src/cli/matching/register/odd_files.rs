//! Registers as people have them: read where one reading is possible, otherwise told by
//! line and column.

use std::{fs, io::Write as _};

use super::{Kind, read};

/// What is made of a file: its documents and notices, or why it is refused.
fn told(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let register = match read(&path) {
        Ok(register) => register,
        Err(failure) => return format!("{failure}. {}", failure.advice()),
    };
    let documents = register.documents.iter().map(|document| {
        let amounts = [document.value, document.taxable_value, document.igst];
        let amounts = amounts.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let date = document.date.map_or("-".to_owned(), |date| date.to_string());
        let kind = if document.kind == Kind::Invoice { "" } else { document.kind.as_str() };
        format!("{} {} {date} {amounts} {kind}", document.supplier_gstin, document.number)
            .trim_end()
            .to_owned()
    });
    documents.chain(register.notices).collect::<Vec<_>>().join("\n")
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

const ACME: &str = "24ABCFG0123H1YZ";

/// One document of 1,000 rupees, written in many ways.
#[test]
fn one_reading_is_read() {
    let one = format!("{ACME} INV-1 2026-04-01 1000 180");
    let head = "gstin,number,date,taxable value,igst\n";
    let row = |cells: &str| format!("{head}{ACME},INV-1,{cells}\n");
    let files: Vec<(&str, String)> = vec![
        ("semicolons and decimal commas", format!("gstin;number;date;taxable value;igst\n{ACME};INV-1;01.04.2026;1.000,00;180,00\n")),
        ("tabs", format!("gstin\tnumber\tdate\ttaxable value\tigst\n{ACME}\tINV-1\t1-Apr-26\t1,000.00\t180\n")),
        ("bars", format!("gstin|number|date|taxable value|igst\n{ACME}|INV-1|1-Apr-26|1000|180\n")),
        ("a mark and a sep line", format!("\u{feff}sep=;\r\ngstin;number;date;taxable value;igst\r\n{ACME};INV-1;01-04-2026;1000;180\r\n")),
        ("quoted thousands", row("01-04-2026,\"1,000.00\",\"180.00\"")),
        ("quoted titles and a line break in one", format!("\"GSTIN\nof supplier\",\"Invoice\nNo.\",\"Invoice Date\",\"Taxable Value (Rs.)\",IGST (INR)\n{ACME},INV-1,01-04-2026,1000,180\n")),
        ("a title, an address and blanks above", format!("Purchases of April 2026,,,,\nExample Traders; Chennai,,,,\n,,,,\n{head}{ACME},INV-1,01-04-2026,1000,180\n")),
        ("blank columns between", format!("gstin,,number,,date,taxable value,,igst\n{ACME},,INV-1,,01-04-2026,1000,,180\n")),
        ("a merged title leaves blanks", format!("Purchase register,,,,,\n,Supplier,,Document,,\n,gstin,number,date,taxable value,igst\n,{ACME},INV-1,01-04-2026,1000,180\n")),
        ("short month names", row("1-Apr-26,1000,180")),
        ("a month in front", row("\"Apr 1, 2026\",1000,180")),
        ("a moment", row("2026-04-01T00:00:00,1000,180")),
        ("midnight of India, in Greenwich", row("2026-03-31T18:30:00.000Z,1000,180")),
        ("a date as a spreadsheet counts", row("46113,1000,180")),
        ("with its time", row("46113.75,1000,180")),
        ("a date and a clock", row("01/04/2026 12:00:00 AM,1000,180")),
        ("rupee signs", row("01-04-2026,\"₹ 1,000.00\",₹180")),
        ("Rs. and /-", row("01-04-2026,\"Rs. 1,000/-\",180/-")),
        ("debit side", row("01-04-2026,1000.00 Dr,180.00Dr")),
        ("no-break spaces in amounts", row("01-04-2026,1\u{a0}000.00,180\u{202f}")),
        ("apostrophes", format!("{head}'{ACME},INV-1,'01-04-2026,'1000,'180\n")),
        ("text in a formula", format!("{head}\"=\"\"{ACME}\"\"\",\"=\"\"INV-1\"\"\",01-04-2026,1000,180\n")),
        ("spaces in a GSTIN", row("01-04-2026,1000,180").replace(ACME, "24 ABCFG0123H 1YZ")),
        ("no-break spaces in a GSTIN", row("01-04-2026,1000,180").replace(ACME, "\u{a0}24\u{a0}ABCFG0123H\u{a0}1YZ\u{a0}")),
        ("CR alone", row("01-04-2026,1000,180").replace('\n', "\r")),
        ("no end of the last line", row("01-04-2026,1000,180").trim_end().to_owned()),
        ("many cells behind, all empty", row("01-04-2026,1000,180,,,,")),
        ("a very long note", format!("gstin,number,date,taxable value,igst,note\n{ACME},INV-1,01-04-2026,1000,180,{}\n", "x".repeat(100_000))),
        ("titles with signs", format!("GSTIN/UIN of supplier*,Invoice No.,Invoice date,Taxable Value (₹),Integrated Tax\n{ACME},INV-1,01-04-2026,1000,180\n").replace("GSTIN/UIN of supplier", "Supplier GSTIN/UIN")),
        ("all digits that a program writes", row("01-04-2026,1.0E3,180")),
    ];
    for (name, text) in files {
        let told = told("register.csv", text.as_bytes());
        assert_eq!(told.lines().next(), Some(one.as_str()), "{name}: {told}");
        assert!(
            !told.contains("INV-1\n") && told.lines().skip(1).all(|line| line.starts_with("Not compared")),
            "{name}: {told}"
        );
        for (encoding, bytes) in [
            ("UTF-16BE with a mark", [b"\xfe\xff".to_vec(), utf16(&text, u16::to_be_bytes)].concat()),
            ("UTF-16LE with a mark", [b"\xff\xfe".to_vec(), utf16(&text, u16::to_le_bytes)].concat()),
        ] {
            assert_eq!(self::told("register.csv", &bytes), told, "{name} in {encoding}");
        }
    }
}

/// What may be read in two ways, or in none.
#[test]
fn what_cannot_be_read_is_told_by_line_and_column() {
    let head = "gstin,number,date,taxable value,igst\n";
    let row = |cells: &str| format!("{head}{ACME},INV-1,{cells}\n");
    for (name, text, says) in [
        (
            "thousands that are not quoted",
            row("01-04-2026,1,000.00,180"),
            "line 2: has 6 cells, more than the 5 titles",
        ),
        (
            "a name that is not quoted",
            format!("party,{head}Shah, Sons & Co,{ACME},INV-1,01-04-2026,1000,180\n"),
            "line 2: has 7 cells, more than the 6 titles",
        ),
        (
            "digits that a spreadsheet cut",
            row("01-04-2026,1.03E+05,180"),
            "line 2: taxable_value has lost digits in a spreadsheet, found `1.03E+05`",
        ),
        (
            "two forms of fractions",
            format!(
                "{head}{ACME},A,01-04-2026,\"1.000,50\",0\n{ACME},B,01-04-2026,1000.50,0\n{ACME},C,01-04-2026,1.234,0\n"
            ),
            "line 4: taxable_value has a separator that begins a fraction in some rows",
        ),
        (
            "groups that are none",
            row("01-04-2026,\"10,00.00\",180"),
            "line 2: taxable_value must be an amount such as 1234.50, found `10,00.00`",
        ),
        ("another currency", row("01-04-2026,$1000,180"), "line 2: taxable_value must be an amount"),
        (
            "an error of a formula",
            row("01-04-2026,#REF!,180"),
            "line 2: taxable_value must be an amount such as 1234.50, found `#REF!`",
        ),
        (
            "a formula",
            row("01-04-2026,=D1*10,180"),
            "line 2: taxable_value must be an amount such as 1234.50, found `=D1*10`",
        ),
        (
            "a control character in an amount",
            row("01-04-2026,10\u{0}00,180"),
            "line 2: taxable_value must be an amount",
        ),
        (
            "a day that does not exist",
            row("31-04-2026,1000,180"),
            "line 2: date must be a day such as 05-11-2025, found `31-04-2026`",
        ),
        ("the empty date of a spreadsheet", row("00-01-1900,1000,180"), "line 2: date must be a day"),
        (
            "days of both orders",
            format!("{head}{ACME},A,25/04/2026,1,0\n{ACME},B,04/25/2026,1,0\n"),
            "line 3: date must be a day such as 05-11-2025, found `04/25/2026`",
        ),
        (
            "an unknown kind",
            format!("gstin,number,type\n{ACME},A,proforma\n"),
            "line 2: kind must be invoice, credit note, debit note or bill of entry, found `proforma`",
        ),
        (
            "a title twice",
            format!("gstin,number,GSTIN\n{ACME},A,{ACME}\n"),
            "has the column supplier_gstin twice",
        ),
        (
            "an open quote",
            format!("{head}{ACME},\"INV-1,01-04-2026,1000,180\n{ACME},INV-2,01-04-2026,1,0\n"),
            "line 2: a quote is opened here and not closed",
        ),
        (
            "a page of HTML",
            "<html><table><tr><td>gstin</td></tr></table></html>".to_owned(),
            "needs the columns supplier_gstin and number",
        ),
        ("nothing", String::new(), "is empty; it needs the columns"),
        ("a mark alone", "\u{feff}".to_owned(), "is empty; it needs the columns"),
        ("a head alone", head.to_owned(), "contains no document with the GSTIN of a supplier"),
    ] {
        let told = told("register.csv", text.as_bytes());
        assert!(told.contains(says), "{name}: {told}");
    }
}

/// Rows that are no documents, and what is not compared.
#[test]
fn what_is_left_out_or_unusual_is_told() {
    for (name, text, says) in [
        (
            "totals, cash purchases and failed look-ups",
            format!("gstin,number,value\n{ACME},A,1\nURP,B,1\n#N/A,C,1\n,Total,3\n"),
            "3 rows have no GSTIN of a supplier and no bill of entry; skipped: line 3, line 4, line 5",
        ),
        (
            "a GSTIN with a digit too many",
            format!("gstin,number\n{ACME}0,A\n"),
            "1 row has no valid GSTIN, so GSTN cannot have the document: line 2",
        ),
        (
            "a hidden character in a GSTIN",
            "gstin,number\n24ABCFG0123\u{200b}H1YZ,A\n".to_owned(),
            "1 row has no valid GSTIN",
        ),
        ("no number", format!("gstin,number\n{ACME},\n"), "1 row has no number: line 2"),
        (
            "titles that are not known",
            format!("gstin,number,date,IGST @18%\n{ACME},A,01-04-2026,180\n"),
            "Not compared, since the register has no such column: value, taxable_value, igst, cgst, sgst, cess.",
        ),
        (
            "a state by its name",
            format!("gstin,number,pos\n{ACME},A,Gujarat\n"),
            "1 row has a place of supply without the code of a state; it is not compared: line 2",
        ),
        (
            "a head in the middle",
            format!("gstin,number\n{ACME},A\ngstin,number\n{ACME},B\n"),
            "1 row has no GSTIN of a supplier and no bill of entry; skipped: line 3",
        ),
    ] {
        let told = told("register.csv", text.as_bytes());
        assert!(told.contains(says), "{name}: {told}");
    }
}

// --- workbooks -------------------------------------------------------------------------------

/// A sheet: its name, whether it is hidden, and rows of cells as XML.
type Sheet<'a> = (&'a str, bool, &'a str);

/// A workbook with the least that a reader needs, packed without compression.
fn workbook(sheets: &[Sheet]) -> Vec<u8> {
    let mut list = String::new();
    let mut relations = String::new();
    let mut files =
        vec![("_rels/.rels".to_owned(), relations_of(&relation(1, "officeDocument", "xl/workbook.xml")))];
    for (number, (name, hidden, rows)) in (1..).zip(sheets) {
        let state = if *hidden { " state=\"hidden\"" } else { "" };
        list += &format!("<sheet name=\"{name}\" sheetId=\"{number}\"{state} r:id=\"rId{number}\"/>");
        relations += &relation(number, "worksheet", &format!("worksheets/sheet{number}.xml"));
        let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
        files.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
    }
    let list =
        format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>{list}</sheets></workbook>");
    files.push(("xl/workbook.xml".to_owned(), list));
    files.push(("xl/_rels/workbook.xml.rels".to_owned(), relations_of(&relations)));
    zip(&files)
}

fn relation(number: u32, kind: &str, target: &str) -> String {
    format!("<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>")
}

fn relations_of(list: &str) -> String {
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{list}</Relationships>"
    )
}

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

fn zip(files: &[(String, String)]) -> Vec<u8> {
    let (mut out, mut index) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let offset = u32::try_from(out.len()).unwrap();
        let size = u32::try_from(text.len()).unwrap().to_le_bytes();
        // Version, flags, method and time, then what the content is like.
        let mut about = [20_u16, 0, 0, 0, 33].map(u16::to_le_bytes).concat();
        about.extend([crc.sum().to_le_bytes(), size, size].concat());
        about.extend([u16::try_from(name.len()).unwrap(), 0].map(u16::to_le_bytes).concat());
        out.write_all(&[b"PK\x03\x04", &about[..], name.as_bytes(), text.as_bytes()].concat()).unwrap();
        let rest = [[0_u8; 10].as_slice(), &offset.to_le_bytes()].concat();
        index.extend([b"PK\x01\x02\x14\x00", &about[..], &rest[..], name.as_bytes()].concat());
    }
    let (start, size) = (u32::try_from(out.len()).unwrap(), u32::try_from(index.len()).unwrap());
    let count = u16::try_from(files.len()).unwrap();
    out.extend(index);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].map(u16::to_le_bytes).concat());
    out.extend([size, start].map(u32::to_le_bytes).concat());
    out.extend([0, 0]);
    out
}

/// Rows of text cells, from row 1.
fn rows(rows: &[&[&str]]) -> String {
    let cell = |(column, text): (char, &&str)| match text.strip_prefix("xml:") {
        Some(xml) => xml.to_owned(),
        None => format!("<c r=\"{column}ROW\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
    };
    let row = |(number, cells): (usize, &&[&str])| {
        let cells: String = ('A'..).zip(cells.iter()).map(cell).collect();
        format!("<row r=\"{number}\">{}</row>", cells.replace("ROW", &number.to_string()))
    };
    (1..).zip(rows).map(row).collect()
}

#[test]
fn workbooks_are_read_where_one_reading_is_possible() {
    let head: &[&str] = &["gstin", "number", "date", "taxable value", "igst"];
    let good = rows(&[head, &[ACME, "INV-1", "01-04-2026", "1000", "180"]]);
    let other = rows(&[head, &[ACME, "OLD-1", "01-04-2025", "5", "0"]]);
    let told = |sheets: &[Sheet]| told("register.xlsx", &workbook(sheets));
    let one = format!("{ACME} INV-1 2026-04-01 1000 180");
    for (name, sheets) in [
        ("one sheet", vec![("April", false, good.as_str())]),
        ("an empty sheet in front", vec![("Empty", false, ""), ("April", false, &good)]),
        (
            "notes in front",
            vec![
                ("Notes", false, "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>see April</v></c></row>"),
                ("April", false, &good),
            ],
        ),
        ("an older sheet that is hidden", vec![("Old", true, other.as_str()), ("April", false, &good)]),
    ] {
        let told = told(&sheets);
        assert_eq!(told.lines().next(), Some(one.as_str()), "{name}: {told}");
    }
    let template = rows(&[head]);
    let read = told(&[("Template", false, &template), ("April", false, &good)]);
    assert!(read.starts_with(&one), "{read}");

    // Numbers, dates and computed values are those that the spreadsheet shows.
    let values = rows(&[
        head,
        &[
            "xml:<c r=\"A2\" t=\"str\"><f>UPPER(\"24abcfg0123h1yz\")</f><v>24ABCFG0123H1YZ</v></c>",
            "xml:<c r=\"B2\"><v>7</v></c>",
            "xml:<c r=\"C2\"><v>46113</v></c>",
            "xml:<c r=\"D2\"><f>500*2</f><v>1000</v></c>",
            "xml:<c r=\"E2\" t=\"str\"><f>IF(1,\"\",\"\")</f><v></v></c>",
        ],
    ]);
    let read = told(&[("April", false, &values)]);
    assert!(read.starts_with(&format!("{ACME} 7 2026-04-01 1000 0")), "{read}");
}

#[test]
fn workbooks_that_may_be_read_in_two_ways_are_told() {
    let head: &[&str] = &["gstin", "number", "date", "taxable value", "igst"];
    let april = rows(&[head, &[ACME, "INV-1", "01-04-2026", "1000", "180"]]);
    let may = rows(&[head, &[ACME, "INV-2", "01-05-2026", "1000", "180"]]);
    let told = |sheets: &[Sheet]| told("register.xlsx", &workbook(sheets));
    let several = told(&[("April", false, &april), ("May", false, &may)]);
    assert!(several.contains("has these columns on several sheets: April, May"), "{several}");
    let hidden = told(&[("Notes", false, ""), ("April", true, &april)]);
    assert!(hidden.contains("has these columns on a hidden sheet alone: April"), "{hidden}");
    let empty = told(&[("Empty", false, "")]);
    assert!(empty.contains("is empty; it needs the columns"), "{empty}");

    // A program has written formulas, and nothing has computed them.
    let formula = "xml:<c r=\"D2\"><f>500*2</f><v></v></c>";
    let bare = rows(&[head, &[ACME, "INV-1", "01-04-2026", formula, "180"]]);
    let read = told(&[("April", false, &bare)]);
    assert!(
        read.contains("row 2: taxable_value must be an amount such as 1234.50, found `=500*2`"),
        "{read}"
    );
    let error = "xml:<c r=\"D2\" t=\"e\"><v>#N/A</v></c>";
    let failed = rows(&[head, &[ACME, "INV-1", "01-04-2026", error, "180"]]);
    let read = told(&[("April", false, &failed)]);
    assert!(read.contains("row 2: taxable_value must be an amount such as 1234.50, found `#N/A`"), "{read}");
}
