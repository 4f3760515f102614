//! Files a GSTR-3B on the mock server, from draft to ARN, with nothing set up:
//! `cargo run --example file_gstr_3b --features cli`.

use std::{error::Error, time::Duration};

use sandbox_client::{
    Polling,
    filing::{Confirmed, FilingOutcome},
    gstr_3b::types::Gstr3bOffset,
    mock::MockServer,
    values::{EvcOtp, Pan, ReturnPeriod},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In your program: a session of `Client::taxpayer`.
    let mock = MockServer::builder().stateful_returns().start().await?;
    let session = mock.session()?;

    let polling = Polling::default().first_pause(Duration::from_millis(10));
    let filing = session.gstr_3b().filing(ReturnPeriod::new(2024, 11)?).polling(polling);
    println!("GSTR-3B {}", filing.period());

    // The draft is fetched, and saved with what you change in it.
    let draft = filing.draft().await?;
    let processed = filing.save(draft).await?.wait().await?;
    println!("saved and processed");

    // Paying cannot be undone: what is confirmed is what is sent.
    let payment: Gstr3bOffset = serde_json::from_str(
        r#"{"pdcash": [{"liab_ldg_id": 0, "trans_typ": 30002, "ipd": 108051, "cpd": 0, "spd": 0, "cspd": 0}],
            "pditc": {"liab_ldg_id": 0, "trans_typ": 30002, "i_pdi": 218140, "c_pdc": 8127, "s_pds": 8127}}"#,
    )?;
    let ready = processed.offset(Confirmed::irreversible(payment)).await?;
    println!("paid");

    // The state can be saved here and resumed in another process.
    println!("state: {}", serde_json::to_string(&ready.state())?);

    let pan: Pan = "ABCDE1234F".parse()?;
    let signing = ready.request_otp(&pan).await?;
    let document = signing.review().await?;
    println!("to be filed: {} bytes", document.to_json()?.len());

    // The person who signs reads the OTP from a message; the mock server has one of its own.
    let otp = EvcOtp::new(MockServer::EVC_OTP)?;
    match signing.file(&pan, &otp, Confirmed::irreversible(document)).await {
        Ok(filed) => println!("filed: ARN {}", filed.arn),
        // Nobody knows whether it is filed: look, do not file again.
        Err(error) if error.maybe_processed() => match signing.outcome().await? {
            FilingOutcome::Filed { arn, .. } => println!("filed after all: ARN {arn}"),
            outcome => println!("{error}\n{outcome:?}"),
        },
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
