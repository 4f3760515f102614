//! From key and secret to a taxpayer's session, by OTP.
//!
//! ```sh
//! cargo run --example otp_session
//! ```
//!
//! Runs against the built-in mock server. For the real service, make the
//! client with `ClientBuilder::from_env()?.build()?` and read the OTP from the
//! taxpayer.

use sandbox_client::{Client, mock::MockServer, values::Gstin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = MockServer::start().await?;
    let client = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret()).build()?;

    let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?;
    taxpayer.request_otp().await?;
    println!("An OTP is on its way to the taxpayer {}.", taxpayer.id().gstin);

    let session = taxpayer.verify_otp("575757").await?;
    let saved = taxpayer.saved().ok_or("no session")?;
    let left = saved.expires_at().duration_since(saved.issued_at())?;
    println!("The session is open; its token is valid for {} hours.\n", left.as_secs().div_ceil(3600));

    print!("{}", session.ims().counts(None).await?);

    taxpayer.logout().await?;
    println!("\nLogged out.");
    Ok(())
}
