//! What a program would write that needs this one call and has no SDK.

use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, StatusCode, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::Deserialize;

use super::{Failure, KEY, PATH, TIMEOUT, TOKEN, USER_AGENT};

/// The answer as far as the page of the provider describes it. Members that
/// it does not name are dropped, which the SDK does not do.
#[derive(Deserialize)]
#[allow(dead_code)] // read from the answer anyway
struct Answer {
    code: u16,
    timestamp: i64,
    transaction_id: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    status_cd: String,
    data: Option<Groups>,
}

#[derive(Deserialize)]
struct Groups {
    all_oth: Sections,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Sections {
    b2b: Counts,
    b2ba: Counts,
    b2bcn: Counts,
    b2bcna: Counts,
    b2bdn: Counts,
    b2bdna: Counts,
    ecom: Counts,
    ecoma: Counts,
    ttl_cnt: u64,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Counts {
    accept: u64,
    noaction: u64,
    pending: u64,
    reject: u64,
}

impl Answer {
    fn total(self) -> Result<u64, Failure> {
        match self.data.data {
            Some(groups) if self.data.status_cd == "1" => Ok(groups.all_oth.ttl_cnt),
            _ => Err("GSTN refused".into()),
        }
    }
}

pub struct Reqwest {
    client: reqwest::Client,
    base_url: String,
}

impl Reqwest {
    pub fn new(base_url: &str) -> Result<Self, Failure> {
        Ok(Self { client: super::plain_reqwest().build()?, base_url: base_url.to_owned() })
    }

    pub async fn total(&self) -> Result<u64, Failure> {
        let answer: Answer = self
            .client
            .get(format!("{}{PATH}", self.base_url))
            .query(&[("type_of_goods", "others")])
            .header("accept", "application/json")
            .header("x-api-key", KEY)
            .header("authorization", TOKEN)
            .header("x-api-version", "1.0.0")
            .timeout(TIMEOUT)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        answer.total()
    }
}

pub struct Hyper {
    client: Client<HttpConnector, Empty<Bytes>>,
    base_url: String,
}

impl Hyper {
    pub fn new(base_url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { client, base_url: base_url.to_owned() }
    }

    pub async fn total(&self) -> Result<u64, Failure> {
        tokio::time::timeout(TIMEOUT, self.exchange()).await?
    }

    async fn exchange(&self) -> Result<u64, Failure> {
        let request = Request::get(format!("{}{PATH}?type_of_goods=others", self.base_url))
            .header("accept", "application/json")
            .header("accept-encoding", "gzip")
            .header("user-agent", USER_AGENT)
            .header("x-api-key", KEY)
            .header("authorization", TOKEN)
            .header("x-api-version", "1.0.0")
            .body(Empty::new())?;
        let response = self.client.request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(response.status().to_string().into());
        }
        let body = response.into_body().collect().await?.to_bytes();
        serde_json::from_slice::<Answer>(&body)?.total()
    }
}
