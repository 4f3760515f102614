//! GSTR-1, GSTR-1A and GSTR-2A as a whole.

use super::sections::ReturnSections;
use crate::values::ReturnPeriod;

/// `all` of a family whose sections are parts of one document.
macro_rules! read_by_section {
    ($family:ident, $feature:literal, $document:ty, $what:literal) => {
        #[cfg(feature = $feature)]
        impl crate::$family::SessionApi {
            #[doc = concat!("Reads every section of ", $what, " of one period, one after the other.")]
            ///
            /// Each section is one call within the client's rate limit; the wait for it
            /// does not count against the call timeout. It distinguishes a section
            /// without records from a failed one, and a failure does not stop it. Only
            /// one section is in memory at a time. Read-only, so safe to repeat; each
            /// call costs one unit of quota.
            ///
            /// ```
            /// # #[cfg(feature = "mock")]
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// # let mock = sandbox_client::mock::MockServer::start().await?;
            /// # let session = mock.session()?;
            /// use sandbox_client::values::ReturnPeriod;
            ///
            #[doc = concat!("let mut sections = session.", stringify!($family), "().all(ReturnPeriod::new(2026, 10)?);")]
            /// while let Some(section) = sections.next().await {
            ///     match section.result {
            ///         Ok(Some(document)) => println!("{}: {document:?}", section.name),
            ///         Ok(None) => println!("{}: no records", section.name),
            ///         Err(error) => println!("{}: {error}", section.name),
            ///     }
            /// }
            /// # Ok(())
            /// # }
            /// # #[cfg(not(feature = "mock"))]
            /// # fn main() {}
            /// ```
            pub fn all(&self, period: ReturnPeriod) -> ReturnSections<$document> {
                ReturnSections::of(&self.state, stringify!($family), period)
            }
        }
    };
}

read_by_section!(gstr_1, "gstr_1", crate::gstr_1::types::Gstr1, "GSTR-1");
read_by_section!(gstr_1a, "gstr_1a", crate::gstr_1::types::Gstr1, "GSTR-1A");
read_by_section!(gstr_2a, "gstr_2a", crate::gstr_2a::types::Gstr2a, "GSTR-2A");
