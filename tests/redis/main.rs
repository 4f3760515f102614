//! Many workers with one API key: real processes against a real Redis server.
//!
//! Needs `redis-server` and, for workers whose clocks are wrong, `faketime`,
//! from the system's packages; fails where they are missing. Most tests wait
//! rather than work, so give them threads:
//!
//! ```sh
//! cargo test --features redis --test redis -- --test-threads=32
//! ```

#![cfg(unix)] // signals

mod clocks;
mod command;
#[allow(dead_code)] // the rest is for other tests
#[path = "../support/command.rs"]
mod command_support;
mod connection;
mod nic;
mod outage;
mod rate_limit;
#[path = "../support/mod.rs"]
mod support;
mod sweep;
mod tokens;
mod worker;
