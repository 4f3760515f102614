//! A nightly job: counts the invoices of all taxpayers whose sessions are
//! saved, and fails if one of them needs a person.
//!
//! ```sh
//! cargo run --example nightly_job
//! ```
//!
//! Runs against the built-in mock server. For the real service, make the client
//! with `ClientBuilder::from_env()?`, and open the folder that people log in to.

use std::{process::ExitCode, sync::Arc};

use sandbox_client::{Client, FileStore, ims::types::TypeOfGoods, mock::MockServer, values::Gstin};

/// The job itself.
async fn run(client: &Client, store: &FileStore) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let firm = store.sessions()?.into_iter().map(|session| session.taxpayer);
    let mut sweep = client.sweep(firm).goods([TypeOfGoods::Others]).start();
    let mut failed = 0;
    while let Some(item) = sweep.next().await {
        match item.result {
            Ok(counts) => println!("{}: {} await action", item.taxpayer.gstin, counts.no_action()),
            Err(error) => {
                failed += 1;
                eprintln!("{}: {error}", item.taxpayer.gstin);
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (mock, folder) = (MockServer::start().await?, tempfile::tempdir()?);
    let path = folder.path().join("sessions");
    let client = |store: Arc<FileStore>| mock.client_builder().token_store(store).build();

    // During the day: people log in.
    let day = client(Arc::new(FileStore::open(&path)?))?;
    for gstin in ["33ABKCS2033B1ZW", "27AACCA8432H2ZP"] {
        day.taxpayer(Gstin::new(gstin)?, "acme.com")?.verify_otp("575757").await?;
    }

    // At night: another process.
    let store = Arc::new(FileStore::open(&path)?);
    run(&client(Arc::clone(&store))?, &store).await
}
