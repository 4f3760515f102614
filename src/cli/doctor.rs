//! `sandbox doctor`: whether everything that a call needs is in order. No token
//! is stored, and the service gets one request: a login.

use std::{
    env,
    time::{Duration, SystemTime},
};

use sandbox_client::{Client, Error, ErrorKind, Phase};

use super::{
    arguments::Shared,
    connection::{Connection, REQUESTS_PER_MINUTE},
    failure::{Exit, Failure, exit_of},
    folders,
    output::{Sheet, span},
};

/// More than this, and a token may be used after its end or renewed too early.
const TOLERATED_SKEW: Duration = Duration::from_secs(60);

/// What was found, and the exit code of the first problem.
struct Findings {
    sheet: Sheet,
    problem: Option<Exit>,
}

impl Findings {
    fn add(&mut self, check: &str, state: &str, detail: impl Into<String>) {
        self.sheet.row(vec![check.into(), state.into(), detail.into().into()]);
    }

    fn good(&mut self, check: &str, detail: impl Into<String>) {
        self.add(check, "ok", detail);
    }

    /// What cannot be tested from here, or is needed by some calls only.
    fn open(&mut self, check: &str, detail: impl Into<String>) {
        self.add(check, "-", detail);
    }

    fn bad(&mut self, check: &str, exit: Exit, detail: impl Into<String>) {
        self.add(check, "problem", detail);
        self.problem.get_or_insert(exit);
    }
}

/// Runs the checks, each with a line of advice.
pub async fn run(shared: &Shared) -> Result<(), Failure> {
    let sheet = Sheet::new(&[("check", "Check"), ("state", "State"), ("detail", "Detail")]);
    let mut findings = Findings { sheet, problem: None };
    proxy(&mut findings);
    match Connection::open(shared).await {
        Err(failure) => findings.bad("configuration", failure.exit, failure.advice()),
        Ok(connection) => {
            let client = &connection.client;
            let environment =
                client.environment().map_or_else(|| "another service".to_owned(), |it| it.to_string());
            findings.good("configuration", format!("{environment}, {}", client.base_url()));
            service(&mut findings, client).await;
            sessions(&mut findings, &connection).await;
            limits(&mut findings, &connection);
        }
    }
    findings.sheet.print(shared.format)?;
    match findings.problem {
        None => Ok(()),
        Some(exit) => Err(Failure::new(exit, "a check failed")),
    }
}

/// Which variables name a proxy; their values may hold a password.
fn proxy(findings: &mut Findings) {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let set: Vec<&str> = names.into_iter().filter(|name| env::var_os(name).is_some()).collect();
    match set.as_slice() {
        [] => findings.good("proxy", "none; HTTPS_PROXY and ALL_PROXY are not set"),
        // Whether it works, the login shows.
        set => findings.open("proxy", format!("set by {}", set.join(" and "))),
    }
}

/// One login tells of network, TLS, credentials and clock.
async fn service(findings: &mut Findings, client: &Client) {
    let begun = SystemTime::now();
    match client.authentication().authenticate().send().await {
        Ok(answer) => {
            findings.good("network", "the service answers");
            if client.base_url().starts_with("https://") {
                findings.good("TLS", "the certificate is valid");
            } else {
                findings.open("TLS", "not used: the base URL is http on a loopback address");
            }
            findings.good("key and secret", "accepted");
            let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
            clock(findings, date, begun);
        }
        Err(error) => refused(findings, &error),
    }
}

fn refused(findings: &mut Findings, error: &Error) {
    let exit = exit_of(error);
    let check = match (error.kind(), error.phase()) {
        (ErrorKind::Config, _) => {
            findings.open("network", "not checked: the secret is missing");
            "key and secret"
        }
        (ErrorKind::Auth | ErrorKind::Denied, _) => {
            findings.good("network", "the service answers");
            "key and secret"
        }
        (_, Some(Phase::Tls)) => "TLS",
        (_, Some(Phase::Proxy)) => "proxy",
        _ => "network",
    };
    findings.bad(check, exit, error.to_string());
}

/// The service's clock against ours, which decides when a token is renewed.
fn clock(findings: &mut Findings, date: Option<&str>, begun: SystemTime) {
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return findings.open("clock", "the answer has no date to compare with");
    };
    // The date has whole seconds, and was written between `begun` and now.
    let ahead = begun.duration_since(theirs + Duration::from_secs(1)).unwrap_or_default();
    let behind = theirs.duration_since(SystemTime::now()).unwrap_or_default();
    let skew = ahead.max(behind);
    if skew <= TOLERATED_SKEW {
        return findings.good("clock", "within a minute of the service's clock");
    }
    let direction = if ahead > behind { "ahead of" } else { "behind" };
    findings.bad(
        "clock",
        Exit::Other,
        format!("{} {direction} the service's clock; synchronize it, for example with NTP", span(skew)),
    );
}

async fn sessions(findings: &mut Findings, connection: &Connection) {
    let folder = folders::sessions();
    if connection.demo().is_none()
        && let Ok(folder) = folder.as_ref()
        && folder.exists()
        && let Err(failure) = folders::refuse_public(folder)
    {
        findings.bad("session folder", failure.exit, failure.advice());
    }
    let taxpayers = match connection.taxpayers() {
        Ok(taxpayers) => taxpayers,
        Err(failure) => return findings.bad("sessions", failure.exit, failure.advice()),
    };
    if taxpayers.is_empty() {
        return findings.open("sessions", "none saved; open one with sandbox login");
    }
    let mut alive = 0;
    for id in &taxpayers {
        let Ok(taxpayer) = connection.client.taxpayer(id.gstin, id.username.as_str()) else { continue };
        if let Err(error) = taxpayer.restore().await {
            let failure = Failure::from(error);
            return findings.bad("sessions", failure.exit, failure.advice());
        }
        alive += usize::from(taxpayer.saved().is_some_and(|saved| saved.expires_at() > SystemTime::now()));
    }
    let detail = format!("{alive} of {} saved sessions are valid", taxpayers.len());
    if alive == taxpayers.len() {
        findings.good("sessions", detail);
    } else {
        findings.open("sessions", format!("{detail}; open one with sandbox login"));
    }
}

fn limits(findings: &mut Findings, connection: &Connection) {
    match connection.per_minute {
        Some(limit) => findings.good(
            "rate limit",
            format!("{limit} requests a minute; set {REQUESTS_PER_MINUTE} to the limit of your account"),
        ),
        None => findings.open("rate limit", "none on the mock server"),
    }
    #[cfg(feature = "redis")]
    if let Some(redis) = connection.client.redis() {
        if redis.is_up() {
            findings.good("Redis", "the shared server answers");
        } else {
            findings.bad("Redis", Exit::Other, "the shared server does not answer; check SANDBOX_REDIS_URL");
        }
    }
}
