//! `sandbox login`: from an OTP to a saved session.

use std::io::{self, IsTerminal as _};

use sandbox_client::TaxpayerId;

use super::{
    arguments::{Login, Shared},
    connection::{Connection, read_line},
    failure::{Exit, Failure},
    output::{Sheet, local},
    signals,
};

pub async fn run(shared: &Shared, arguments: &Login) -> Result<(), Failure> {
    let connection = Connection::open(shared).await?;
    let select = &arguments.select;
    let id = connection.select(select).map_err(|failure| match failure.exit {
        // Nothing is saved yet, so the flags must say who it is.
        Exit::OtpNeeded => Failure::usage("no taxpayer was given; use --gstin and --username"),
        _ => failure,
    })?;
    let TaxpayerId { gstin, username } = &id;
    let taxpayer = connection.client.taxpayer(*gstin, username.as_str())?;

    // Before a message is sent and an OTP is used up.
    connection.can_keep()?;
    if !arguments.no_request {
        taxpayer.request_otp().await?;
        eprintln!("GSTN has sent an OTP to the mobile or e-mail of {gstin}.");
    }
    if arguments.request_only {
        eprintln!("Verify it with: sandbox login --gstin {gstin} --username '{username}' --no-request");
        return Ok(());
    }
    if io::stdin().is_terminal() {
        eprint!("OTP: ");
    }
    let otp = read_line()?;
    let look = "The OTP may be used up. Check `sandbox sessions`, or request a new OTP.";
    signals::sending(taxpayer.verify_otp(otp.trim()), look).await??;
    connection.ensure_saved()?;
    if connection.demo().is_some() {
        eprintln!("The session is not saved: it belongs to the mock server.");
    }

    let mut sheet =
        Sheet::new(&[("gstin", "GSTIN"), ("username", "User name"), ("expires", "Session until")]);
    let expires = taxpayer.saved().map(|saved| local(saved.expires_at(), shared.format));
    sheet.row(vec![gstin.as_str().into(), username.as_str().into(), expires.into()]);
    Ok(sheet.print(shared.format)?)
}
