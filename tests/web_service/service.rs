//! A web service on the crate: taxpayers log in by OTP, sessions are kept in
//! SQLite, and everybody reads counts.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sandbox_client::{
    BoxError, BoxFuture, Client, Error, ErrorKind, SavedToken, Taxpayer, TokenKey, TokenStore, values::Gstin,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Sessions that survive a restart. The database opens the accounts of all
/// taxpayers: keep it where nobody else can read it.
pub struct SqliteStore(Mutex<Connection>);

impl SqliteStore {
    pub fn open(path: &std::path::Path) -> rusqlite::Result<Self> {
        let database = Connection::open(path)?;
        database.execute(
            "CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, issued INTEGER NOT NULL, token TEXT NOT NULL)",
            [],
        )?;
        Ok(Self(Mutex::new(database)))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, BoxError> {
        let database = self.0.lock().map_err(|_| "an earlier statement panicked")?;
        Ok(work(&database)?)
    }
}

impl TokenStore for SqliteStore {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async move {
            let find = "SELECT token FROM tokens WHERE id = ?1";
            let text: Option<String> =
                self.with(|database| database.query_row(find, [key.id()], |row| row.get(0)).optional())?;
            Ok(text.map(|text| SavedToken::from_exposed(&text)).transpose()?)
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            let issued = token.issued_at().duration_since(std::time::UNIX_EPOCH)?.as_millis();
            let issued = i64::try_from(issued)?;
            let put = "INSERT INTO tokens VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE \
                       SET issued = excluded.issued, token = excluded.token WHERE excluded.issued >= issued";
            let row = params![key.id(), issued, token.expose_secret()];
            Ok(self.with(|database| database.execute(put, row))? > 0)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            self.with(|database| database.execute("DELETE FROM tokens WHERE id = ?1", [key.id()]))?;
            Ok(())
        })
    }
}

/// What a failure is for a browser: the kind decides, the text is for people.
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0.kind() {
            ErrorKind::Input => StatusCode::BAD_REQUEST,
            ErrorKind::SessionExpired => StatusCode::UNAUTHORIZED,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Business => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_GATEWAY,
        };
        (status, Json(json!({"error": self.0.to_string(), "code": self.0.error_code()}))).into_response()
    }
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Login {
    username: String,
    otp: String,
}

pub fn service(client: Client) -> Router {
    Router::new()
        .route("/taxpayers/{gstin}/otp", post(request_otp))
        .route("/taxpayers/{gstin}/session", post(open_session))
        .route("/taxpayers/{gstin}/counts", get(counts))
        .with_state(Arc::new(client))
}

fn taxpayer(client: &Client, gstin: &str, username: &str) -> Result<Taxpayer, Error> {
    client.taxpayer(Gstin::new(gstin)?, username)
}

async fn request_otp(
    State(client): State<Arc<Client>>,
    Path(gstin): Path<String>,
    Json(user): Json<User>,
) -> Result<StatusCode, Failure> {
    taxpayer(&client, &gstin, &user.username)?.request_otp().await?;
    Ok(StatusCode::ACCEPTED)
}

async fn open_session(
    State(client): State<Arc<Client>>,
    Path(gstin): Path<String>,
    Json(login): Json<Login>,
) -> Result<StatusCode, Failure> {
    taxpayer(&client, &gstin, &login.username)?.verify_otp(&login.otp).await?;
    Ok(StatusCode::CREATED)
}

async fn counts(
    State(client): State<Arc<Client>>,
    Path(gstin): Path<String>,
    Query(user): Query<User>,
) -> Result<Json<Value>, Failure> {
    let Some(session) = taxpayer(&client, &gstin, &user.username)?.restore().await? else {
        return Ok(Json(json!({"session": "none"})));
    };
    let counts = session.ims().counts(None).await?;
    Ok(Json(json!({"session": "open", "total": counts.total(), "no_action": counts.no_action()})))
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use sandbox_client::mock::MockServer;

    use super::*;

    const GSTIN: &str = "33ABKCS2033B1ZW";

    /// The address of a service that has just started.
    async fn start(mock: &MockServer, database: &PathBuf) -> String {
        let client = Client::builder()
            .base_url(mock.base_url())
            .key(mock.key())
            .secret(mock.secret())
            .token_store(Arc::new(SqliteStore::open(database).unwrap()))
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, service(client)).await });
        format!("http://{address}/taxpayers/{GSTIN}")
    }

    fn database(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("sandbox-{name}-{}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    async fn body(response: reqwest::Response) -> Value {
        response.json().await.unwrap()
    }

    #[tokio::test]
    async fn a_session_survives_a_restart_of_the_service() {
        let mock = MockServer::start().await.unwrap();
        let database = database("restart");
        // The service brings the TLS provider, also for a client that has none.
        let service = start(&mock, &database).await;
        let http = reqwest::Client::new();
        let user = json!({"username": "acme.com"});
        let sent = http.post(format!("{service}/otp")).json(&user).send().await.unwrap();
        assert_eq!(sent.status(), 202);
        let wrong = json!({"username": "acme.com", "otp": "none"});
        let refused = http.post(format!("{service}/session")).json(&wrong).send().await.unwrap();
        assert_eq!(refused.status(), 400);
        assert!(!body(refused).await.to_string().contains("none\""), "the OTP is not repeated");
        let login = json!({"username": "acme.com", "otp": "575757"});
        let opened = http.post(format!("{service}/session")).json(&login).send().await.unwrap();
        assert_eq!(opened.status(), 201);

        let restarted = start(&mock, &database).await;
        let counts = http.get(format!("{restarted}/counts?username=acme.com")).send().await.unwrap();
        assert_eq!(body(counts).await, json!({"session": "open", "total": 12, "no_action": 11}));
        assert_eq!(mock.hits("verify_otp"), 1);
        std::fs::remove_file(database).unwrap();
    }

    /// An OTP works once: the session must not be lost with the browser's connection.
    #[tokio::test]
    async fn a_session_is_kept_if_the_browser_hangs_up() {
        let mock = MockServer::start().await.unwrap();
        let database = database("hang-up");
        let service = start(&mock, &database).await;
        mock.on("verify_otp").delay(Duration::from_millis(500));
        let impatient = reqwest::Client::builder().timeout(Duration::from_millis(200)).build().unwrap();
        let login = json!({"username": "acme.com", "otp": "575757"});
        impatient.post(format!("{service}/session")).json(&login).send().await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(800)).await;

        let counts = reqwest::get(format!("{service}/counts?username=acme.com")).await.unwrap();
        assert_eq!(body(counts).await["session"], "open");
        assert_eq!(mock.hits("verify_otp"), 1);
        std::fs::remove_file(database).unwrap();
    }
}
