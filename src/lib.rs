mod client;
mod error;
mod generated;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod transport;
pub mod values;

pub use error::{Error, ErrorKind, Phase};
pub use generated::{Client, ResponseValue, builder, types};
pub use operation::{Credential, Operation};
