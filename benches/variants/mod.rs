//! Four ways to the same counts. All send the same headers, pool their
//! connections, follow no redirect and give up after 30 seconds.

#[allow(clippy::pedantic, unused)]
mod bare;
mod by_hand;

use std::{error::Error, time::Duration};

use reqwest::{
    header::{HeaderMap, HeaderValue},
    redirect,
};
use sandbox_client::ims::types::TypeOfGoods;

pub type Failure = Box<dyn Error + Send + Sync>;

const PATH: &str = "/gst/compliance/tax-payer/invoices/count";
const USER_AGENT: &str = "sandbox-client-bench/0";
const KEY: &str = "key_test_0000000000000000";
/// As long as a real one, which is a JWT of about 300 bytes.
const TOKEN: &str = concat!(
    "bench.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000.0000000000000000000000000000000000000000",
);
const TIMEOUT: Duration = Duration::from_secs(30);

pub const NAMES: [&str; 4] = ["hyper", "reqwest", "bare", "sdk"];
/// What the others are compared with.
pub const REFERENCE: usize = 1;

pub enum Variant {
    Hyper(Box<by_hand::Hyper>),
    Reqwest(by_hand::Reqwest),
    Bare(bare::Client),
    Sdk(sandbox_client::Session),
}

impl Variant {
    /// The variant called `name`, one of [`NAMES`].
    pub fn new(name: &str, base_url: &str) -> Result<Self, Failure> {
        Ok(match name {
            "hyper" => Self::Hyper(Box::new(by_hand::Hyper::new(base_url))),
            "reqwest" => Self::Reqwest(by_hand::Reqwest::new(base_url)?),
            "bare" => Self::Bare(bare(base_url)?),
            "sdk" => Self::Sdk(sdk(base_url)?),
            _ => return Err(format!("no variant {name}; there are {NAMES:?}").into()),
        })
    }

    /// One call; gives the number of all documents.
    pub async fn call(&self) -> Result<u64, Failure> {
        match self {
            Self::Hyper(client) => client.total().await,
            Self::Reqwest(client) => client.total().await,
            Self::Bare(client) => {
                let answer =
                    client.get_invoice_count(bare::types::TypeOfGoods::Others, Some("1.0.0")).await?;
                let data = &answer.data;
                if data.status_cd.as_deref() != Some("1") {
                    return Err("GSTN refused".into());
                }
                let others = data.data.as_ref().and_then(|groups| groups.all_oth.as_ref());
                Ok(others.and_then(|group| group.ttl_cnt).unwrap_or_default())
            }
            Self::Sdk(session) => Ok(session.ims().counts(TypeOfGoods::Others).await?.total()),
        }
    }
}

/// A client for code by hand and for bare generated code.
fn plain_reqwest() -> reqwest::ClientBuilder {
    // reqwest wants a TLS provider even where no TLS is spoken; the SDK brings one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().user_agent(USER_AGENT)
}

/// Generated code knows nothing of credentials, so the client carries them.
fn bare(base_url: &str) -> Result<bare::Client, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_static(KEY));
    headers.insert("authorization", HeaderValue::from_static(TOKEN));
    let client = plain_reqwest().default_headers(headers).timeout(TIMEOUT).build()?;
    Ok(bare::Client::new_with_client(base_url, client))
}

/// Everything that is on by default, and a rate limit that is counted and never reached.
fn sdk(base_url: &str) -> Result<sandbox_client::Session, Failure> {
    let client = sandbox_client::Client::builder()
        .key(KEY)
        .taxpayer_token(TOKEN)
        .base_url(base_url)
        .requests_per_minute(100_000_000)
        .build()?;
    Ok(client.taxpayer_session()?)
}
