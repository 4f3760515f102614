//! The client against servers that fail it: connections, statuses, envelopes
//! and bodies, and what it sends and keeps to itself meanwhile.

mod body_shape;
mod concurrency;
mod configuration;
mod dead_connections;
mod documents;
mod envelope;
mod failure_forms;
mod filing;
mod http_status;
mod rate_limit;
mod strange_answers;
#[path = "../support/mod.rs"]
mod support;
mod transfer;
mod transport_faults;
mod verdicts;
mod writes;
