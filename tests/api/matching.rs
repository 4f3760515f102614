//! Matching a purchase register with what suppliers reported.

use proptest::{prelude::*, sample::Index};
use sandbox_client::{
    gstr_2b::types::Gstr2b,
    matching::{Document, Entry, Kind, Reason, Tolerance, Verdict, reconcile},
    mock::MockServer,
    values::{Amount, CalendarDate, Invoice, Section},
};

const SUPPLIER: &str = "24AABCR6898M1ZN";
/// The same PAN in another state.
const BRANCH: &str = "27AABCR6898M1ZH";
const OTHER: &str = "06ABCCG0123D1YZ";

fn day(text: &str) -> CalendarDate {
    let parts: Vec<u16> = text.split('-').map(|part| part.parse().unwrap()).collect();
    CalendarDate::new(parts[0], parts[1].try_into().unwrap(), parts[2].try_into().unwrap()).unwrap()
}

fn rupees(text: &str) -> Amount {
    text.parse().unwrap()
}

/// An invoice of 10,000 rupees within the state, as the anchors' own cases have it.
fn document(number: &str) -> Document {
    let nine = Some(rupees("900"));
    Document::new(SUPPLIER, number)
        .date(day("2023-12-11"))
        .value(rupees("11800"))
        .taxable_value(rupees("10000"))
        .taxes([Some(Amount::ZERO), nine, nine, Some(Amount::ZERO)])
        .place_of_supply("24")
        .reverse_charge(false)
}

/// An import of 10,000 rupees, as GSTN has it.
fn bill(port: Option<&str>, number: &str) -> Document {
    Document::bill_of_entry(port.map(str::to_owned), number)
        .date(day("2023-12-11"))
        .taxable_value(rupees("10000"))
        .taxes([Some(rupees("1800")), Some(Amount::ZERO), Some(Amount::ZERO), Some(Amount::ZERO)])
}

/// Number 1 of another supplier.
fn of(supplier: &str) -> Document {
    let mut document = document("1");
    supplier.clone_into(&mut document.supplier_gstin);
    document
}

/// A line an entry: verdict, reason or differences, and places of both sides.
fn told(entries: &[Entry]) -> Vec<String> {
    let place = |at: Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
    let line = |entry: &Entry| {
        let what = match &entry.verdict {
            Verdict::Probable { reason, .. } => format!(" ({})", reason.as_str()),
            Verdict::Duplicate { of } => format!(" (of {of})"),
            verdict => {
                let fields: Vec<String> = verdict
                    .differences()
                    .iter()
                    .map(|one| match one.by {
                        Some(by) => format!("{} {by:+}", one.field.as_str()),
                        None => one.field.as_str().to_owned(),
                    })
                    .collect();
                if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) }
            }
        };
        format!("{} {} {}{what}", place(entry.register), place(entry.gstn), entry.verdict.as_str())
    };
    entries.iter().map(line).collect()
}

#[track_caller]
fn case(name: &str, register: &[Document], gstn: &[Document], expected: &[&str]) {
    let entries = reconcile(register, gstn, &Tolerance::default());
    assert_eq!(told(&entries), expected, "{name}");
}

/// One document on each side.
#[track_caller]
fn pair(name: &str, register: Document, gstn: Document, expected: &[&str]) {
    case(name, &[register], &[gstn], expected);
}

const APART: &[&str] = &["0 - only_in_register", "- 0 only_at_gstn"];

// --- the documented cases of others ----------------------------------------------

/// The six cases of India Compliance's own test data, but for the recipient's other
/// GSTIN: a list is of one.
#[test]
fn the_cases_of_india_compliance_come_out_at_least_as_well() {
    pair("exact", document("BILL-23-00001"), document("BILL-23-00001"), &["0 0 exact"]);
    let integrated =
        |number: &str| document(number).taxes([Some(rupees("1800")), None, None, None]).place_of_supply("29");
    pair("another state", integrated("BILL-23-00010"), integrated("BILL-23-00010"), &["0 0 exact"]);
    let rounded = document("BILL-23-00030").value(rupees("11800.09")).taxable_value(rupees("10000.08"));
    pair(
        "rounding",
        document("BILL-23-00030"),
        rounded,
        &["0 0 within_tolerance (value +0.09, taxable_value +0.08)"],
    );
    pair("bill number", document("BILL-23-00040"), document("BILL-23-00045"), &["0 0 probable (typing)"]);
}

/// The results that the portal's Matching Offline Tool names: exact, partial,
/// probable, unmatched; taxes are compared head by head.
#[test]
fn the_results_of_the_portal_s_tool_are_told_apart() {
    pair("exact", document("A/1"), document("A/1"), &["0 0 exact"]);
    let shifted = document("A/1").taxes([Some(rupees("1800")), Some(Amount::ZERO), Some(Amount::ZERO), None]);
    pair(
        "partial: right sum, wrong heads",
        document("A/1"),
        shifted,
        &["0 0 differs (igst +1800, cgst -900, sgst -900)"],
    );
    let later = document("A/1").date(day("2023-12-13"));
    pair("partial: another day", document("A/1"), later, &["0 0 differs (date +2)"]);
    pair("probable", document("123"), document("A/123"), &["0 0 probable (part_of_number)"]);
    pair("unmatched", document("A/1"), document("B/77").value(rupees("5")).taxable_value(rupees("4")), APART);
}

/// Its cases of imports: a bill of entry as it stands, and one with more in its number and
/// four days later.
#[test]
fn the_imports_of_india_compliance_come_out_at_least_as_well() {
    let exact = bill(None, "BILL-23-00011");
    pair("exact", exact.clone(), exact.clone(), &["0 0 exact"]);
    let at_a_port = bill(Some("INNSA1"), "BILL-23-00011");
    pair("the port is GSTN's alone", exact, at_a_port, &["0 0 exact"]);
    let cleared = bill(Some("INNSA1"), "BILL-23-00012-A").date(day("2023-12-15"));
    pair("number and day", bill(None, "BILL-23-00012"), cleared, &["0 0 probable (part_of_number)"]);
}

/// Its cases of distributors. GSTN has their taxes alone.
#[test]
fn the_distributors_of_india_compliance_come_out_at_least_as_well() {
    let nine = Some(rupees("900"));
    let isd = |number: &str| {
        Document::new(SUPPLIER, number).date(day("2023-08-11")).taxes([Some(Amount::ZERO), nine, nine, None])
    };
    pair("the books' invoice", document("ISD-1").date(day("2023-08-11")), isd("ISD-1"), &["0 0 exact"]);
    let note = isd("ISD-CN-1").kind(Kind::CreditNote);
    pair("credit note", note.clone(), note, &["0 0 exact"]);
    let other_tax = isd("ISD-ELIG-1").taxes([None, Some(rupees("45")), Some(rupees("45")), None]);
    case(
        "the eligible part and the other under one number",
        &[isd("ISD-ELIG-1"), other_tax.clone()],
        &[other_tax, isd("ISD-ELIG-1")],
        &["0 1 exact", "1 0 exact"],
    );
    case(
        "an invoice does not take the credit note of its number from the books' own",
        &[isd("S-1"), isd("S-1").kind(Kind::CreditNote)],
        &[isd("S-1").kind(Kind::CreditNote)],
        &["0 - only_in_register", "1 0 exact"],
    );
}

// --- imports -------------------------------------------------------------------------

#[test]
fn a_bill_of_entry_is_matched_by_port_and_number() {
    let here = bill(Some("INNSA1"), "8108363");
    pair("as it is", here.clone(), here.clone(), &["0 0 exact"]);
    pair("zeros and case", bill(Some(" innsa1 "), "08108363"), here.clone(), &["0 0 exact"]);
    let later = here.clone().date(day("2023-12-13")).taxable_value(rupees("9000"));
    pair("other fields", here.clone(), later, &["0 0 differs (date +2, taxable_value -1000)"]);

    let there = bill(Some("INMAA1"), "8108363");
    pair("another port", here.clone(), there.clone(), &["0 0 probable (port)"]);
    pair("and other amounts", here.clone(), there.clone().taxable_value(rupees("9")), APART);
    case(
        "one number at two ports",
        &[there.clone(), here.clone()],
        &[here.clone(), there.clone()],
        &["0 1 exact", "1 0 exact"],
    );
    case(
        "a port that is not known, and two that may be",
        &[bill(None, "8108363").taxable_value(rupees("1"))],
        &[here.clone(), there.clone()],
        &["0 - only_in_register", "- 0 only_at_gstn", "- 1 only_at_gstn"],
    );
    let next_year = here.clone().date(day("2024-04-02"));
    pair("another year", here.clone(), next_year.clone(), &["0 0 probable (financial_year)"]);
    pair("and no port", bill(None, "8108363"), next_year.taxable_value(rupees("9")), APART);
    pair("no day", bill(None, "8108363").date(None), here.clone(), &["0 0 exact"]);
    case(
        "twice in the books",
        &[here.clone(), here.clone()],
        std::slice::from_ref(&here),
        &["0 0 exact", "1 - duplicate (of 0)"],
    );

    let mut zone = here.clone();
    SUPPLIER.clone_into(&mut zone.supplier_gstin);
    pair("from a zone, the supplier not in the books", here.clone(), zone.clone(), &["0 0 exact"]);
    let mut other = zone.clone();
    OTHER.clone_into(&mut other.supplier_gstin);
    pair("another supplier", other, zone, &["0 0 differs (supplier_gstin)"]);

    let typing = bill(Some("INNSA1"), "8108365");
    pair("a slip of the key", here.clone(), typing.clone(), &["0 0 probable (typing)"]);
    pair("on another day", here.clone(), typing.date(day("2023-12-14")), APART);
    let slip = bill(Some("INMAA1"), "8108365");
    pair("at another port", here.clone(), slip, APART);
    let invoice = Document::new("", "8108363").date(day("2023-12-11")).taxable_value(rupees("10000"));
    pair("an invoice of nobody's", invoice, bill(None, "8108363"), &["0 0 probable (kind)"]);
}

// --- the key -------------------------------------------------------------------------

#[test]
fn a_number_written_differently_is_the_same() {
    for (one, other) in [
        ("INV-001", "inv/1"),
        ("INV/23-24/001", "INV1"),
        ("2023-24/INV/1", "INV-0001"),
        ("INV/2324/1", "INV 1"),
        ("007", "7"),
        (" A1 ", "a1"),
    ] {
        pair(one, document(one), document(other), &["0 0 exact"]);
    }
    let lower = of(&SUPPLIER.to_lowercase());
    pair("GSTIN in small letters", lower, document("1"), &["0 0 exact"]);
    pair(
        "groups of digits",
        document("1/23"),
        document("12/3").value(rupees("1")).taxable_value(rupees("1")),
        APART,
    );
}

#[test]
fn supplier_year_and_kind_are_of_the_key() {
    let other = of(OTHER);
    pair("another supplier", document("1"), other, APART);
    let branch = of(BRANCH);
    pair("another registration", document("1"), branch.clone(), &["0 0 probable (registration)"]);
    pair("with other amounts", document("1").value(rupees("9")), branch, APART);
    let april = document("1").date(day("2024-04-01"));
    pair("another year", document("1"), april, &["0 0 probable (financial_year)"]);
    let march = document("1").date(day("2024-03-31"));
    pair("the same year", document("1"), march, &["0 0 differs (date +111)"]);
    let note = document("1").kind(Kind::CreditNote);
    pair("another kind", document("1"), note, &["0 0 probable (kind)"]);
}

#[test]
fn a_side_without_dates_is_matched_by_supplier_number_and_kind() {
    let undated = document("INV/1/23-24").date(None);
    pair("no date", undated.clone(), document("inv-1-23-24"), &["0 0 exact"]);
    let twice = [document("INV/1/23-24"), document("INV/1/23-24").date(day("2025-01-01"))];
    case(
        "two may be meant",
        &[undated],
        &twice,
        &["0 - only_in_register", "- 0 only_at_gstn", "- 1 only_at_gstn"],
    );
}

// --- differences --------------------------------------------------------------------

#[test]
fn each_difference_is_told_and_the_tolerance_is_the_caller_s() {
    let gstn = document("1").taxable_value(rupees("10000.60")).date(day("2023-12-12"));
    let entries =
        |tolerance: Tolerance| told(&reconcile(&[document("1")], std::slice::from_ref(&gstn), &tolerance));
    assert_eq!(entries(Tolerance::default()), ["0 0 differs (date +1, taxable_value +0.6)"]);
    assert_eq!(entries(Tolerance::default().days(1)), ["0 0 within_tolerance (date +1, taxable_value +0.6)"]);
    let strict = Tolerance::default().days(1).amount(rupees("0.5"));
    assert_eq!(entries(strict), ["0 0 differs (date +1, taxable_value +0.6)"]);

    let elsewhere = document("1").place_of_supply("27").reverse_charge(true);
    pair(
        "text is never within",
        document("1"),
        elsewhere,
        &["0 0 differs (place_of_supply, reverse_charge)"],
    );
    pair(
        "a zero in front",
        document("1").place_of_supply("4"),
        document("1").place_of_supply("04"),
        &["0 0 exact"],
    );
    pair(
        "not known, not compared",
        Document::new(SUPPLIER, "1").date(day("2023-12-11")),
        document("1"),
        &["0 0 exact"],
    );
}

// --- probable ------------------------------------------------------------------------

#[test]
fn what_is_nearly_the_same_is_probable_with_the_reason() {
    pair("swapped", document("INV-1234"), document("INV-1243"), &["0 0 probable (typing)"]);
    pair("another day", document("INV-1234"), document("INV-1243").date(day("2023-12-12")), APART);
    let near = Tolerance::default().days(1);
    let next = document("INV-1243").date(day("2023-12-12"));
    assert_eq!(told(&reconcile(&[document("INV-1234")], &[next], &near)), ["0 0 probable (typing)"]);
    pair("other amounts", document("INV-1234"), document("INV-1243").taxable_value(rupees("9000")), APART);
    pair("nothing in common", document("X"), document("INV-1243"), &["0 0 probable (amounts_alone)"]);
    let three = [document("INV-77"), document("CASH-12"), document("9/9")];
    case(
        "and nothing to choose by",
        &[document("X")],
        &three,
        &["0 - only_in_register", "- 0 only_at_gstn", "- 1 only_at_gstn", "- 2 only_at_gstn"],
    );
    let nothing = |number| Document::new(SUPPLIER, number).date(day("2023-12-11")).value(Amount::ZERO);
    pair("no amount to go by", nothing("INV-1234"), nothing("INV-1243"), APART);
    case(
        "the nearest goes first",
        &[document("INV-1234"), document("INV-9999")],
        &[document("INV-1299"), document("INV-1235")],
        &["0 1 probable (typing)", "1 - only_in_register", "- 0 only_at_gstn"],
    );
}

// --- duplicates ------------------------------------------------------------------------

#[test]
fn a_document_that_a_side_has_twice_is_a_duplicate() {
    let dear = document("1").value(rupees("99")).taxable_value(rupees("90"));
    case(
        "the nearest is the partner",
        &[dear.clone(), document("1")],
        &[document("1")],
        &["0 - duplicate (of 1)", "1 0 exact"],
    );
    case("at GSTN", &[document("1")], &[document("1"), dear], &["0 0 exact", "- 1 duplicate (of 0)"]);
    case(
        "without a partner",
        &[document("1"), document("01")],
        &[],
        &["0 - duplicate (of 1)", "1 - only_in_register"],
    );
    case(
        "both sides twice",
        &[document("1"), document("1")],
        &[document("1"), document("1")],
        &["0 0 exact", "1 1 exact"],
    );
    // One key, and yet two documents: they are spelt otherwise and differ in all else.
    let spelt = document("A-1").date(day("2023-11-01")).value(rupees("7")).taxable_value(rupees("6"));
    case(
        "two spellings",
        &[document("A/01")],
        &[document("A/01"), spelt],
        &["0 0 exact", "- 1 only_at_gstn"],
    );
}

// --- where documents come from -----------------------------------------------------------

#[test]
fn a_document_of_the_ims_keeps_what_is_compared() {
    let note: Invoice = serde_json::from_str(
        r#"{"stin": "24AABCR6898M1ZN", "nt_num": "CN/1", "nt_dt": "11-12-2023", "val": 118, "txval": 100, "iamt": 18, "pos": "24"}"#,
    )
    .unwrap();
    let document = Document::from(&note.in_section(Section::B2bcn));
    assert_eq!((document.kind, document.date), (Kind::CreditNote, Some(day("2023-12-11"))));
    assert_eq!((document.igst, document.cgst), (Some(rupees("18")), Some(Amount::ZERO)));
    assert_eq!((document.place_of_supply.as_deref(), document.reverse_charge), (Some("24"), None));
    assert_eq!(format!("{document:?}"), "Document { kind: CreditNote, .. }");
}

#[tokio::test]
async fn documents_of_a_gstr_2b_have_the_sums_of_their_rates() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let period = "032024".parse::<sandbox_client::values::ReturnPeriod>().unwrap();
    let statement = session.gstr_2b().get_gstr_2b().year(period).month(period).send().await.unwrap();
    let documents = Document::of_gstr_2b(&statement);
    let first = &documents[0];
    assert_eq!((first.supplier_gstin.as_str(), first.number.as_str()), ("27ABCPS0123E1ZK", "INV-634123"));
    assert_eq!((first.taxable_value, first.igst), (Some(rupees("96810")), Some(rupees("17425.8"))));
    assert_eq!((first.date, first.reverse_charge), (Some(day("2024-03-30")), Some(false)));

    let statement: Gstr2b = serde_json::from_value(serde_json::json!({"docdata": {
        "cdnr": [{"ctin": SUPPLIER, "nt": [{"ntnum": "CN1", "typ": "C", "txval": 100}, {"ntnum": "DN1", "typ": "D"}]}],
        "isd": [{"ctin": OTHER, "doclist": [{"docnum": "I1", "doctyp": "ISDC", "igst": 18}]}],
        "ecom": [{"ctin": OTHER, "inv": [{"inum": "E1", "val": 5}]}],
        "ecoma": [{"ctin": OTHER, "inv": [{"oinum": "E1", "inum": "E2", "val": 6}]}],
        "impg": [{"portcode": "INBLR4", "boenum": "8108363", "boedt": "01-12-2023", "txval": 100, "igst": 18}],
        "impgsez": [{"ctin": SUPPLIER, "boe": [{"portcode": "INBLR4", "boenum": "7"}]}],
    }}))
    .unwrap();
    let documents = Document::of_gstr_2b(&statement);
    let told: Vec<_> = documents.iter().map(|document| (document.number.as_str(), document.kind)).collect();
    assert_eq!(
        told,
        [
            ("CN1", Kind::CreditNote),
            ("DN1", Kind::DebitNote),
            ("E1", Kind::Invoice),
            ("E2", Kind::Invoice),
            ("I1", Kind::CreditNote),
            ("8108363", Kind::BillOfEntry),
            ("7", Kind::BillOfEntry)
        ]
    );
    assert_eq!((documents[0].igst, documents[4].igst), (Some(Amount::ZERO), Some(rupees("18"))));
    let [import, zone] = &documents[5..] else { panic!("{told:?}") };
    assert_eq!((import.supplier_gstin.as_str(), import.port_code.as_deref()), ("", Some("INBLR4")));
    assert_eq!((import.taxable_value, import.date), (Some(rupees("100")), Some(day("2023-12-01"))));
    assert_eq!(zone.supplier_gstin, SUPPLIER);
}

// --- what holds for any documents --------------------------------------------------------

/// Documents that meet often: few suppliers, numbers, days and amounts.
fn any_document() -> impl Strategy<Value = Document> {
    let suppliers = prop::sample::select(vec![SUPPLIER, BRANCH, OTHER]);
    let numbers =
        prop::sample::select(vec!["1", "01", "A/1", "a-001", "A/1/23-24", "B12345", "B12354", "X9", ""]);
    let days = prop::option::of(prop::sample::select(vec!["2023-12-11", "2023-12-12", "2024-04-01"]));
    let amounts = prop::option::of(prop::sample::select(vec!["0", "100", "100.5", "900"]));
    let kinds = prop::sample::select(vec![Kind::Invoice, Kind::CreditNote, Kind::BillOfEntry]);
    let ports = prop::option::of(prop::sample::select(vec!["INNSA1", "innsa1", "INMAA1"]));
    (suppliers, numbers, days, amounts.clone(), amounts, kinds, ports).prop_map(
        |(supplier, number, date, value, taxable, kind, port)| {
            let document = match kind {
                Kind::BillOfEntry => Document::bill_of_entry(port.map(str::to_owned), number),
                _ => Document::new(supplier, number).kind(kind),
            };
            document.date(date.map(day)).value(value.map(rupees)).taxable_value(taxable.map(rupees))
        },
    )
}

/// The verdicts with the documents they are on, whatever their places.
fn by_content(entries: &[Entry], register: &[Document], gstn: &[Document]) -> Vec<String> {
    let text = |document: &Document| {
        format!(
            "{} {:?} {} {:?} {:?} {:?} {:?}",
            document.supplier_gstin,
            document.port_code,
            document.number,
            document.date,
            document.kind,
            document.value,
            document.taxable_value
        )
    };
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let one = entry.register.map(|at| text(&register[at]));
            let other = entry.gstn.map(|at| text(&gstn[at]));
            let reason =
                if let Verdict::Probable { reason, .. } = entry.verdict { Some(reason) } else { None };
            format!(
                "{one:?} {other:?} {} {reason:?} {:?}",
                entry.verdict.as_str(),
                entry.verdict.differences()
            )
        })
        .collect();
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn each_document_has_one_verdict(
        register in prop::collection::vec(any_document(), 0..24),
        gstn in prop::collection::vec(any_document(), 0..24),
        days in 0_u16..3,
    ) {
        let entries = reconcile(&register, &gstn, &Tolerance::default().days(days));
        let mut places: Vec<usize> = entries.iter().filter_map(|entry| entry.register).collect();
        places.sort_unstable();
        prop_assert_eq!(places, (0..register.len()).collect::<Vec<_>>());
        let mut places: Vec<usize> = entries.iter().filter_map(|entry| entry.gstn).collect();
        places.sort_unstable();
        prop_assert_eq!(places, (0..gstn.len()).collect::<Vec<_>>());
        for entry in &entries {
            let fits = match &entry.verdict {
                Verdict::Exact | Verdict::Differs { .. } | Verdict::Probable { .. } => entry.register.is_some() && entry.gstn.is_some(),
                Verdict::OnlyInRegister => entry.gstn.is_none(),
                Verdict::OnlyAtGstn => entry.register.is_none(),
                Verdict::Duplicate { of } => match (entry.register, entry.gstn) {
                    (Some(at), None) => *of != at && *of < register.len(),
                    (None, Some(at)) => *of != at && *of < gstn.len(),
                    _ => false,
                },
                _ => false,
            };
            prop_assert!(fits, "{entry:?}");
            if let Verdict::Probable { reason: Reason::Typing | Reason::PartOfNumber, .. } = entry.verdict {
                prop_assert_eq!(
                    &register[entry.register.unwrap()].supplier_gstin,
                    &gstn[entry.gstn.unwrap()].supplier_gstin
                );
            }
        }
    }

    #[test]
    fn the_order_of_the_documents_does_not_matter(
        register in prop::collection::vec(any_document(), 0..16),
        gstn in prop::collection::vec(any_document(), 0..16),
        swaps in prop::collection::vec((any::<Index>(), any::<Index>()), 16),
    ) {
        let tolerance = Tolerance::default().days(1);
        let before = by_content(&reconcile(&register, &gstn, &tolerance), &register, &gstn);
        let (mut shuffled, mut shuffled_there) = (register, gstn);
        for (one, other) in swaps {
            for documents in [&mut shuffled, &mut shuffled_there] {
                if !documents.is_empty() {
                    let (one, other) = (one.index(documents.len()), other.index(documents.len()));
                    documents.swap(one, other);
                }
            }
        }
        let after = by_content(&reconcile(&shuffled, &shuffled_there, &tolerance), &shuffled, &shuffled_there);
        prop_assert_eq!(before, after);
    }
}
