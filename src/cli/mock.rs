//! `sandbox mock`, and the sample firm behind `--mock`.

use std::{collections::HashSet, io::Write as _, net::Ipv4Addr, sync::Mutex, time::Duration};

use futures_util::stream::{self, StreamExt as _};
use sandbox_client::{
    Client, Error, RetryPolicy, TaxpayerId,
    mock::{MockServer, RecordedRequest},
    values::Gstin,
};
use serde_json::json;

use super::{
    arguments::{Format, Mock, MockFault, Shared},
    failure::{Exit, Failure},
    output::{Out, Sheet},
};

/// How many taxpayers there are by default.
const TAXPAYERS: usize = 20;
/// The OTP that the provider's pages use.
const OTP: &str = "575757";

/// The built-in server with taxpayers and what goes wrong for them.
pub struct DemoServer {
    pub server: MockServer,
    pub taxpayers: Vec<TaxpayerId>,
    expired: bool,
}

/// What the server remembers beside actions on invoices. What it remembers can
/// be asked for only once it was made; all else is answered with the samples.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    /// E-invoices and e-way bills.
    pub documents: bool,
    /// How far returns are filed.
    pub returns: bool,
}

impl DemoServer {
    pub async fn start(port: u16, shared: &Shared, memory: Memory) -> Result<Self, Failure> {
        let mut builder = MockServer::builder().stateful_ims();
        if memory.documents {
            builder = builder.stateful_documents();
        }
        if memory.returns {
            builder = builder.stateful_returns();
        }
        let server = builder.bind((Ipv4Addr::LOCALHOST, port).into()).start().await.map_err(|error| {
            let failure = Failure::new(Exit::Other, format!("cannot listen on 127.0.0.1:{port}: {error}"));
            if port == 0 {
                failure
            } else {
                failure.hint("Choose another port, or omit --port for a free one.")
            }
        })?;
        let demo = Self {
            server,
            taxpayers: (0..shared.mock_taxpayers.unwrap_or(TAXPAYERS)).map(taxpayer).collect(),
            expired: shared.mock_faults.contains(&MockFault::Expired),
        };
        for fault in &shared.mock_faults {
            demo.inject(*fault);
        }
        demo.vary();
        Ok(demo)
    }

    fn inject(&self, fault: MockFault) {
        let on = || self.server.on("get_invoice_count");
        match fault {
            MockFault::Expired => {
                on().example("invalid_session").when(|request| number(request) % 20 == 7);
            }
            MockFault::TooManyRequests => {
                let first = first_time();
                let too_soon = move |request: &RecordedRequest| number(request) % 9 == 4 && first(request);
                on().error("too_many_requests").header("retry-after", "0").when(too_soon);
            }
            MockFault::Unavailable => {
                on().error("service_unavailable").when(|request| number(request) % 50 == 11);
                let first = first_time();
                on().error("service_unavailable")
                    .when(move |request| number(request) % 9 == 5 && first(request));
            }
        }
    }

    /// A firm does not have the same counts everywhere: a third has nothing
    /// to act on, a third more than the documented sample.
    fn vary(&self) {
        let on = || self.server.on("get_invoice_count");
        let nothing = json!({"code": 200, "data": {"status_cd": "1", "data": {}}});
        on().json(200, nothing).when(|request| number(request) % 3 == 1);
        self.server.on("list_invoices").example("none").when(|request| number(request) % 3 == 1);
        on().example("others_mixed").when(|request| {
            number(request) % 3 == 2 && request.query_value("type_of_goods") == Some("others")
        });
    }

    /// A client with key and secret, without a session.
    pub fn client(&self) -> Result<Client, Error> {
        // Its faults are as many as were asked for: how many of them are overcome
        // may not depend on how fast this machine is.
        let retry = RetryPolicy::default().budget(0.0, u32::MAX);
        let builder = Client::builder().base_url(self.server.base_url()).key(self.server.key());
        builder.secret(self.server.secret()).no_rate_limit().retry(retry).build()
    }

    /// Opens a session for each, but for those whose session is to be over.
    pub async fn sign_in(&self, client: &Client, taxpayers: &[TaxpayerId]) -> Result<(), Failure> {
        let present = taxpayers.iter().filter(|id| !(self.expired && is_absent(id)));
        let logins = present.map(|TaxpayerId { gstin, username }| async move {
            client.taxpayer(*gstin, username.as_str())?.verify_otp(OTP).await.map(drop)
        });
        let mut logins = stream::iter(logins).buffer_unordered(16);
        while let Some(login) = logins.next().await {
            login?;
        }
        Ok(())
    }
}

/// The first is the documented sample; the others are made up, their check
/// digits found by trial.
fn taxpayer(number: usize) -> TaxpayerId {
    if number == 0 {
        let gstin = Gstin::new("33ABKCS2033B1ZW").expect("documented");
        return TaxpayerId { gstin, username: "acme.com".to_owned() };
    }
    let letter = |place: u32| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number / 26_usize.pow(place) % 26]);
    let start =
        format!("{:02}AAA{}{}{:04}{}1Z", 1 + number % 37, letter(1), letter(0), number % 10_000, letter(2));
    let gstin = (b'0'..=b'9')
        .chain(b'A'..=b'Z')
        .find_map(|check| Gstin::new(&format!("{start}{}", char::from(check))).ok())
        .expect("one check digit fits");
    TaxpayerId { gstin, username: format!("client{number}") }
}

/// The number in the user name of the session, which faults and samples go by.
fn number(request: &RecordedRequest) -> usize {
    request.session_username.as_deref().map_or(0, number_in)
}

fn number_in(username: &str) -> usize {
    username.strip_prefix("client").and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn is_absent(taxpayer: &TaxpayerId) -> bool {
    number_in(&taxpayer.username) % 10 == 3
}

/// Whether a request is the first of its taxpayer and group of goods.
fn first_time() -> impl Fn(&RecordedRequest) -> bool + Send + Sync {
    let seen = Mutex::new(HashSet::new());
    move |request| {
        let goods = request.query_value("type_of_goods").unwrap_or_default().to_owned();
        seen.lock().is_ok_and(|mut seen| seen.insert((number(request), goods)))
    }
}

/// Serves until Ctrl-C.
pub async fn run(shared: &Shared, arguments: &Mock) -> Result<(), Failure> {
    let demo = DemoServer::start(arguments.port, shared, Memory { documents: true, returns: true }).await?;
    let server = &demo.server;
    let environment = [
        ("SANDBOX_BASE_URL", server.base_url()),
        ("SANDBOX_API_KEY", server.key().to_owned()),
        ("SANDBOX_API_SECRET", server.secret().to_owned()),
        ("SANDBOX_ACCESS_TOKEN", server.taxpayer_token()),
    ];
    match shared.format {
        Format::Table => {
            let mut out = Out;
            for (name, value) in &environment {
                writeln!(out, "export {name}={value}")?;
            }
            out.flush()?;
        }
        Format::Json | Format::Csv => {
            let mut sheet = Sheet::new(&[("name", "Name"), ("value", "Value")]);
            for (name, value) in environment {
                sheet.row(vec![name.into(), value.into()]);
            }
            sheet.print(shared.format)?;
        }
    }
    eprintln!(
        "The mock server listens on {}. It accepts any OTP, for example {OTP}. Ctrl-C stops it.",
        server.base_url()
    );
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        tokio::select! {
            // A signal that cannot be awaited must not keep the server for ever.
            _ = &mut stop => return Ok(()),
            // Nobody asks what was received, and a server may run for weeks.
            _ = minutes.tick() => server.clear(),
        }
    }
}
