//! What matching costs: 100,000 documents of a register against 100,000 of GSTN,
//! beside a plain hash join on supplier and number as they are written.
//!
//! ```sh
//! cargo bench --features matching --bench matching
//! ```

use std::{collections::HashMap, hint::black_box, time::Instant};

use peak_alloc::PeakAlloc;
use sandbox_client::{
    matching::{Document, Entry, Tolerance, Verdict, reconcile},
    values::{Amount, CalendarDate, Decimal},
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ROUNDS: usize = 7;

fn main() {
    for (name, register, gstn) in [
        ("as it is written", documents(100_000, Spelling::Same), documents(100_000, Spelling::Same)),
        ("spelt otherwise", documents(100_000, Spelling::Other), documents(100_000, Spelling::Same)),
        ("one supplier, all alike", alike(100_000, "A"), alike(100_000, "B")),
    ] {
        println!("\n{name}: {} against {} documents", register.len(), gstn.len());
        let tolerance = Tolerance::default();
        let (mut ratios, mut times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            black_box(hash_join(&register, &gstn));
            let joined = start.elapsed().as_secs_f64();
            let start = Instant::now();
            black_box(reconcile(&register, &gstn, &tolerance));
            let matched = start.elapsed().as_secs_f64();
            ratios.push(matched / joined);
            times.push(matched);
        }
        println!("  {:.2} s, {:.1} times a plain hash join", median(times), median(ratios));
        for part in [4, 2, 1] {
            let (register, gstn) = (&register[..register.len() / part], &gstn[..gstn.len() / part]);
            MEMORY.reset_peak_usage();
            let before = MEMORY.current_usage();
            let entries = reconcile(register, gstn, &tolerance);
            #[allow(clippy::cast_precision_loss)] // bytes of a few hundred megabytes
            let each = (MEMORY.peak_usage() - before) as f64 / (register.len() + gstn.len()) as f64;
            println!(
                "  {:>7} documents: {each:.0} bytes each; {}",
                register.len() + gstn.len(),
                verdicts(&entries)
            );
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn verdicts(entries: &[Entry]) -> String {
    let count = |word: &str| entries.iter().filter(|entry| entry.verdict.as_str() == word).count();
    let counts = Verdict::WORDS.into_iter().map(|word| (word, count(word))).filter(|(_, count)| *count > 0);
    counts.map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}

/// The least that a comparison does.
fn hash_join(register: &[Document], gstn: &[Document]) -> usize {
    let known: HashMap<(&str, &str), &Document> = gstn
        .iter()
        .map(|document| ((document.supplier_gstin.as_str(), document.number.as_str()), document))
        .collect();
    let key = |document: &Document| (document.supplier_gstin.clone(), document.number.clone());
    register
        .iter()
        .filter(|document| {
            let (supplier, number) = key(document);
            known
                .get(&(&*supplier, &*number))
                .is_some_and(|other| other.taxable_value == document.taxable_value)
        })
        .count()
}

#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    Same,
    Other,
}

/// Documents of 500 suppliers; of a register every tenth has another amount, every
/// twentieth is missing and every fiftieth has a mistyped number.
fn documents(count: usize, spelling: Spelling) -> Vec<Document> {
    (0..count)
        .filter(|index| spelling == Spelling::Same || index % 20 != 7)
        .map(|index| {
            let number = match spelling {
                Spelling::Same => format!("INV/{index:06}/25-26"),
                Spelling::Other if index % 50 == 3 => format!("inv-{index}X"),
                Spelling::Other => format!("inv-{index}"),
            };
            let more = u32::from(spelling == Spelling::Other && index % 10 == 1) * 50;
            document(&format!("27ABCPS{:04}E1ZK", index % 500), &number, index, more)
        })
        .collect()
}

/// Documents that nothing but their number tells apart.
fn alike(count: usize, prefix: &str) -> Vec<Document> {
    (0..count).map(|index| document("27ABCPS0123E1ZK", &format!("{prefix}{index}"), 0, 0)).collect()
}

fn document(supplier: &str, number: &str, index: usize, more: u32) -> Document {
    let cents = |amount: u64| Amount::from(Decimal::new(i64::try_from(amount).expect("small"), 2));
    let taxable = 10_000 + (index as u64 * 7_919) % 9_000_000 + u64::from(more) * 100;
    let day = CalendarDate::new(
        2025,
        4 + u8::try_from(index % 8).expect("small"),
        1 + u8::try_from(index % 28).expect("small"),
    );
    Document::new(supplier, number)
        .date(day)
        .value(cents(taxable + taxable * 18 / 100))
        .taxable_value(cents(taxable))
        .taxes([Some(cents(taxable * 18 / 100)), Some(Amount::ZERO), Some(Amount::ZERO), Some(Amount::ZERO)])
        .place_of_supply("27")
}
