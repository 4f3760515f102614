//! `sandbox sessions`: whose sessions are saved, and until when.

use std::time::SystemTime;

use sandbox_client::{ErrorKind, SavedToken, Taxpayer, TaxpayerId};
use serde_json::Value;

use super::{
    arguments::{Format, SessionChoice, Sessions, SessionsAction, Shared},
    connection::Connection,
    failure::{Exit, Failure},
    output::{Sheet, local, span},
    signals::Signals,
};

pub async fn run(shared: &Shared, arguments: &Sessions) -> Result<(), Failure> {
    let connection = Connection::open(shared).await?;
    match &arguments.action {
        None | Some(SessionsAction::List) => list(&connection, shared.format).await,
        Some(SessionsAction::Refresh(choice)) => refresh(&connection, choice, shared.format).await,
        Some(SessionsAction::Forget { choice, logout }) => forget(&connection, choice, *logout).await,
    }
}

async fn list(connection: &Connection, format: Format) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("gstin", "GSTIN"),
        ("username", "User name"),
        ("expires", "Session until"),
        ("left", "Left"),
    ]);
    let mut row = |id: &TaxpayerId, saved: Option<&SavedToken>| {
        sheet.row(vec![
            id.gstin.as_str().into(),
            id.username.as_str().into(),
            saved.map(|saved| local(saved.expires_at(), format)).into(),
            saved.map_or_else(|| "none".to_owned(), left).into(),
        ]);
    };
    if connection.demo().is_some() {
        for id in connection.taxpayers()? {
            let taxpayer = handle(connection, &id)?;
            taxpayer.restore().await?;
            row(&id, taxpayer.saved().as_ref());
        }
    } else {
        for entry in connection.entries()? {
            row(&entry.taxpayer, Some(&entry.token));
        }
    }
    Ok(sheet.print(format)?)
}

fn left(saved: &SavedToken) -> String {
    saved.expires_at().duration_since(SystemTime::now()).map_or_else(|_| "over".to_owned(), span)
}

fn handle(connection: &Connection, id: &TaxpayerId) -> Result<Taxpayer, Failure> {
    Ok(connection.client.taxpayer(id.gstin, id.username.as_str())?)
}

fn chosen(connection: &Connection, choice: &SessionChoice) -> Result<Vec<TaxpayerId>, Failure> {
    if choice.all { connection.taxpayers() } else { Ok(vec![connection.select(&choice.select)?]) }
}

async fn refresh(connection: &Connection, choice: &SessionChoice, format: Format) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("gstin", "GSTIN"),
        ("username", "User name"),
        ("expires", "Session until"),
        ("error", "Error"),
    ]);
    // The provider may end the old token with it: the new one must not be lost.
    connection.can_keep()?;
    let chosen = chosen(connection, choice)?;
    let (mut signals, mut done, mut stopped) = (Signals::new()?, 0, None);
    let mut failed = Vec::new();
    for id in &chosen {
        let taxpayer = handle(connection, id)?;
        let (outcome, exit) = signals.after(taxpayer.refresh()).await?;
        done += 1;
        let error = outcome.as_ref().err().map_or(Value::Null, |error| error.to_string().into());
        failed.extend(outcome.err());
        let expires = taxpayer.saved().map(|saved| local(saved.expires_at(), format));
        sheet.row(vec![id.gstin.as_str().into(), id.username.as_str().into(), expires.into(), error]);
        stopped = exit;
        if stopped.is_some() {
            break;
        }
    }
    sheet.print(format)?;
    connection.ensure_saved()?;
    if let Some(exit) = stopped {
        return Err(left_over(exit, done, chosen.len()));
    }
    match (failed.pop(), chosen.len()) {
        (None, _) => Ok(()),
        (Some(error), 1) => Err(error.into()),
        (Some(_), all) => Err(Failure::new(
            Exit::Partial,
            format!("{} of {all} sessions were not refreshed", failed.len() + 1),
        )),
    }
}

fn left_over(exit: Exit, done: usize, all: usize) -> Failure {
    Failure::new(exit, "stopped").hint(format!("{done} of {all} sessions were done."))
}

async fn forget(connection: &Connection, choice: &SessionChoice, logout: bool) -> Result<(), Failure> {
    let chosen = chosen(connection, choice)?;
    let (mut signals, mut done, mut stopped) = (Signals::new()?, 0, None);
    let mut failed = Vec::new();
    for id in &chosen {
        let taxpayer = handle(connection, id)?;
        let ending = async { if logout { taxpayer.logout().await } else { taxpayer.forget().await } };
        let (outcome, exit) = signals.after(ending).await?;
        done += 1;
        if let Err(error) = outcome {
            if chosen.len() > 1 {
                eprintln!("{}  {}: {error}", id.gstin, id.username);
            }
            failed.push(error);
        }
        stopped = exit;
        if stopped.is_some() {
            break;
        }
    }
    connection.ensure_forgotten()?;
    eprintln!("{} forgotten.", if done == 1 { "One session".to_owned() } else { format!("{done} sessions") });
    if let Some(exit) = stopped {
        return Err(left_over(exit, done, chosen.len()));
    }
    // Forgotten they are, here.
    let left = failed.iter().filter(|error| error.kind() == ErrorKind::Store).count();
    let failure = match (failed.len(), failed.pop()) {
        (_, None) => return Ok(()),
        (1, Some(error)) if chosen.len() == 1 => error.into(),
        (some, _) if left == 0 => Failure::new(
            Exit::Partial,
            format!(
                "{some} of {} sessions were not logged out: they stay valid at GSTN until they expire",
                chosen.len()
            ),
        ),
        _ => Failure::new(
            Exit::Partial,
            format!("{left} of {} sessions may still be on the server that is shared", chosen.len()),
        ),
    };
    if left == 0 {
        return Err(failure);
    }
    // They are listed here no more.
    Err(failure.hint(match chosen.as_slice() {
        [TaxpayerId { gstin, username }] => {
            format!("When it is back: sandbox sessions forget --gstin {gstin} --username '{username}'")
        }
        _ => "When it is back, for each: sandbox sessions forget --gstin … --username …".to_owned(),
    }))
}
