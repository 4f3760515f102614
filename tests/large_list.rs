//! Memory that a long list of invoices takes, counted byte by byte. A program
//! of its own, since it counts what all its threads allocate.

use peak_alloc::PeakAlloc;
use sandbox_client::values::InvoiceSections;
use serde::Deserialize;

#[path = "../benches/large_list/body.rs"]
mod body;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[derive(Deserialize)]
struct Whole<T> {
    data: T,
}

/// The promise is 2.5 times the body, the body included. This counter takes a
/// list that grows for two lists, which a real one seldom is.
#[test]
fn a_long_list_takes_less_than_one_and_a_half_times_its_json_beside_it() {
    // On either side of a size at which the list has just grown.
    for documents in [20_000, 16_384, 16_385] {
        let body = body::body(documents);
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let answer: Whole<Whole<InvoiceSections>> = serde_json::from_slice(&body).unwrap();
        let peak = MEMORY.peak_usage() - before;
        let (_, invoices) = &answer.data.data.sections[0];
        assert_eq!(invoices.len(), documents);
        assert!(invoices.iter().all(|invoice| invoice.value().is_some()));
        assert!(2 * peak <= 3 * body.len(), "{peak} bytes beside {} of {documents} documents", body.len());
    }
}
