//! A taxpayer's session that outlives the process: saved, read back, used
//! without a new OTP.
//!
//! ```sh
//! cargo run --example restore_session
//! ```
//!
//! Runs against the built-in mock server.

use std::{env, fs, process};

use sandbox_client::{Client, Error, SavedToken, mock::MockServer, values::Gstin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = MockServer::start().await?;
    let gstin = Gstin::new("33ABKCS2033B1ZW")?;
    let file = env::temp_dir().join(format!("sandbox-session-{}.json", process::id()));

    // One process logs in and saves. The text opens the taxpayer's account:
    // a real program writes it where nobody else can read it.
    let taxpayer = client(&mock)?.taxpayer(gstin, "acme.com")?;
    taxpayer.request_otp().await?;
    taxpayer.verify_otp("575757").await?;
    let saved = taxpayer.saved().ok_or("no session")?;
    fs::write(&file, saved.expose_secret())?;
    println!("Saved a session; it is valid until its token expires.");

    // Another one, later, goes on with it.
    let saved = SavedToken::from_exposed(&fs::read_to_string(&file)?)?;
    fs::remove_file(&file)?;
    let session = client(&mock)?.taxpayer(gstin, "acme.com")?.resume(saved);
    let counts = session.ims().counts(None).await?;
    println!("Restored it: {} of {} documents await action.", counts.no_action(), counts.total());
    println!("OTPs sent: {}. Platform logins: {}.", mock.hits("generate_otp"), mock.hits("authenticate"));
    Ok(())
}

/// A client as a new process makes it: it shares nothing with the other.
fn client(mock: &MockServer) -> Result<Client, Error> {
    Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret()).build()
}
