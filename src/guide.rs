//! Guides, one for each purpose.
//!
//! Only part of the documentation.

#[doc = include_str!("guide/going_live.md")]
pub mod going_live {}

#[doc = include_str!("guide/testing_your_code.md")]
pub mod testing_your_code {}

#[doc = include_str!("guide/blocking_programs.md")]
pub mod blocking_programs {}

#[doc = include_str!("guide/several_machines.md")]
pub mod several_machines {}

#[doc = include_str!("../openapi/README.md")]
pub mod adding_an_operation {}
