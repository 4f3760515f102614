//! Memory that a long list of invoices takes, counted byte by byte. A program
//! of its own, since it counts what all its threads allocate.

use peak_alloc::PeakAlloc;
use sandbox_client::mock::unread;

#[path = "../benches/large_list/body.rs"]
mod body;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The promise is 2.5 times the body, the body included. This counter takes a
/// list that grows for two lists, which a real one seldom is.
#[test]
fn a_long_list_takes_less_than_one_and_a_half_times_its_json_beside_it() {
    // On either side of a size at which the list has just grown.
    for documents in [20_000, 16_384, 16_385] {
        let body = body::body(documents);
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        // Read as the client reads an answer.
        let unread = unread("list_invoices", &body).unwrap().unwrap();
        let peak = MEMORY.peak_usage() - before;
        assert!(unread.is_empty() && peak > documents * 100, "{peak} bytes, {unread:?}");
        assert!(2 * peak <= 3 * body.len(), "{peak} bytes beside {} of {documents} documents", body.len());
    }
}
