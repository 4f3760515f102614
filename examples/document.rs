//! Prints the OpenAPI document that this crate was generated from, all files
//! merged, as JSON for other tools.
//!
//! ```sh
//! cargo run --example document > sandbox.json
//! ```

fn main() {
    println!("{:#}", sandbox_client::mock::document());
}
