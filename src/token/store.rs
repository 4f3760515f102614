//! Where tokens are kept, so that they can be saved, restored and shared.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

use crate::{BoxFuture, Error, Token, field, hex::hex, values::Gstin};

/// The error of a [`TokenStore`]: any error type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A taxpayer at GSTN: GSTIN and user name on the portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaxpayerId {
    /// The registration.
    pub gstin: Gstin,
    /// The user name on the GST portal.
    pub username: String,
}

impl From<(Gstin, String)> for TaxpayerId {
    fn from((gstin, username): (Gstin, String)) -> Self {
        Self { gstin, username }
    }
}

/// The key of a stored token: host, API key, and taxpayer for a session.
///
/// Its [`id`](TokenKey::id) contains neither API key nor user name in clear text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    host: String,
    key_hash: [u8; 32],
    /// The security scheme of the token.
    kind: &'static str,
    taxpayer: Option<TaxpayerId>,
    /// The server that gave it, where it is not the one that is meant by default.
    server: Option<&'static str>,
}

impl TokenKey {
    pub(crate) fn new(host: &str, api_key: &str, kind: &'static str, taxpayer: Option<TaxpayerId>) -> Self {
        let key_hash = Hash::hash(api_key.as_bytes());
        Self { host: host.to_owned(), key_hash, kind, taxpayer, server: None }
    }

    /// The key of the same session on another server of NIC.
    pub(crate) fn on(self, server: Option<&'static str>) -> Self {
        Self { server, ..self }
    }

    /// The kind of the token: the name of its security scheme, such as
    /// `taxpayer_token`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The taxpayer of a session; `None` for the platform token.
    #[must_use]
    pub fn taxpayer(&self) -> Option<&TaxpayerId> {
        self.taxpayer.as_ref()
    }

    /// The NIC server that issued the token of a session, such as `secondary`.
    /// `None` for the first server, and for kinds without servers.
    #[must_use]
    pub fn server(&self) -> Option<&'static str> {
        self.server
    }

    /// A name for files and databases: 64 hexadecimal digits, the same on
    /// every machine, which reveals neither key nor taxpayer.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hash = Hash::new();
        // Lengths in front keep two keys apart whose parts run together.
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.host.as_bytes());
        part(&self.key_hash);
        // The first two kinds were stored before there were others, and are
        // told apart by whether there is a taxpayer.
        if ![super::PLATFORM, super::TAXPAYER].contains(&self.kind) {
            part(b"kind");
            part(self.kind.as_bytes());
        }
        if let Some(taxpayer) = &self.taxpayer {
            part(taxpayer.gstin.as_str().as_bytes());
            part(taxpayer.username.as_bytes());
        }
        if let Some(server) = self.server {
            part(b"server");
            part(server.as_bytes());
        }
        hex(&hash.finalize())
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("host", &self.host)
            .field("taxpayer", &self.taxpayer.is_some())
            .finish_non_exhaustive()
    }
}

/// A token with its times, to be stored.
#[derive(Debug, Clone)]
pub struct SavedToken {
    pub(crate) token: Token,
    pub(crate) issued_at: SystemTime,
    pub(crate) expires_at: SystemTime,
    pub(crate) session_expires_at: Option<SystemTime>,
    /// When its session was opened, where it was renewed since.
    pub(crate) opened_at: Option<SystemTime>,
    /// The [`id`](TokenKey::id) that it was stored under.
    pub(crate) key: Option<String>,
}

/// How a saved token is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    token: String,
    issued_at: u64,
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl SavedToken {
    pub(crate) fn new(token: Token, life: Duration) -> Self {
        let issued_at = SystemTime::now();
        Self {
            token,
            issued_at,
            expires_at: issued_at + life,
            session_expires_at: None,
            opened_at: None,
            key: None,
        }
    }

    /// With times that can be true now: the clock of who stored it may have
    /// been wrong, and no token lives longer than its kind.
    pub(crate) fn clamped(self, longest: Duration, now: SystemTime) -> Self {
        Self {
            issued_at: self.issued_at.min(now),
            expires_at: self.expires_at.min(now + longest),
            opened_at: self.opened_at.map(|opened| opened.min(now)),
            ..self
        }
    }

    /// When its session was opened: renewals go on with the same.
    pub(crate) fn opened(&self) -> SystemTime {
        self.opened_at.unwrap_or(self.issued_at)
    }

    /// Whether `other` must not take its place. A time in the future says
    /// nothing but that a clock was ahead.
    pub(crate) fn is_later_than(&self, other: &Self) -> bool {
        self.issued_at > other.issued_at && self.issued_at <= SystemTime::now()
    }

    /// How long it lives on.
    pub(crate) fn life_left(&self) -> Duration {
        self.expires_at.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// The token itself.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// When this token was issued, by the clock of this machine.
    #[must_use]
    pub fn issued_at(&self) -> SystemTime {
        self.issued_at
    }

    /// When the token expires, by the clock of this machine.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The provider's `session_expiry`: it is unknown whether the live
    /// service means the token or the whole session.
    #[must_use]
    pub fn session_expires_at(&self) -> Option<SystemTime> {
        self.session_expires_at
    }

    /// The token and its times as one line of JSON. It gives access to the
    /// taxpayer's account: store it where nobody else can read it.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // text and numbers always serialise
    pub fn expose_secret(&self) -> String {
        let written = Written {
            token: self.token.expose_secret().to_owned(),
            issued_at: millis(self.issued_at),
            expires_at: millis(self.expires_at),
            session_expires_at: self.session_expires_at.map(millis),
            opened_at: self.opened_at.map(millis),
            key: self.key.clone(),
        };
        serde_json::to_string(&written).expect("text and numbers")
    }

    /// Reads what [`expose_secret`](SavedToken::expose_secret) wrote. Members
    /// of newer versions are ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `saved_token`.
    pub fn from_exposed(text: &str) -> Result<Self, Error> {
        let written: Written = serde_json::from_str(text)
            .map_err(|_| Error::input(field::SAVED_TOKEN, "is not what `expose_secret` wrote"))?;
        Ok(Self {
            token: Token::for_field(field::SAVED_TOKEN, written.token.into())?,
            issued_at: moment(written.issued_at),
            expires_at: moment(written.expires_at),
            session_expires_at: written.session_expires_at.map(moment),
            opened_at: written.opened_at.map(moment),
            key: written.key,
        })
    }
}

fn millis(moment: SystemTime) -> u64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn moment(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Stores tokens for a client and all its clones, or for several machines.
///
/// The feature `mock` has a test suite for implementations, `mock::check_token_store`.
///
/// The default is [`MemoryStore`]. A failing store never fails a call: the client
/// continues with the tokens in memory and reports the cause in a `tracing` event. Each
/// method has two seconds and must not block its thread. A token must stay until it
/// expires, unless the client replaces or removes it: if it disappears, the client treats
/// the session as logged out.
pub trait TokenStore: Send + Sync + 'static {
    /// The token under `key`, if there is one.
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>>;

    /// Stores `token` unless the store has one with a later
    /// [`issued_at`](SavedToken::issued_at); returns whether it did. A time in the future
    /// does not count as later: the clock that wrote it was ahead.
    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>>;

    /// Replaces `old` with `token`, which was renewed from it. Returns `false` and stores
    /// nothing if `old` is not in the store: the session was ended or renewed elsewhere.
    /// Times do not matter.
    ///
    /// A store that several processes share must do this atomically, or a renewal could
    /// revive a session that another process ends at the same moment. The default is not
    /// atomic.
    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            if self.get(key).await?.is_none_or(|known| known.token != *old) {
                return Ok(false);
            }
            if self.put_if_newer(key, token).await? {
                return Ok(true);
            }
            // It was issued later, by its own account.
            self.remove_if(key, old).await?;
            self.put_if_newer(key, token).await
        })
    }

    /// Removes the token of `key`.
    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Removes the token of `key` if it is still `token`, which the server has refused. A
    /// store that several processes share must not remove a newer token of another
    /// process; the default does not check.
    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        let _ = token;
        self.remove(key)
    }

    /// Requests the right to renew the token of `key`, which one process has at a time.
    /// `false` means that another process has it; the client then reads the store again
    /// after a moment. It must expire if its holder dies.
    ///
    /// The default always grants it: within one process, all calls of a
    /// client share one renewal.
    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        let _ = key;
        Box::pin(async { Ok(true) })
    }

    /// Releases what [`claim`](TokenStore::claim) granted, whether or not
    /// there is a new token. Must not block.
    fn release(&self, key: &TokenKey) {
        let _ = key;
    }
}

/// Tokens in the memory of this process.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<TokenKey, SavedToken>>);

impl MemoryStore {
    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<TokenKey, SavedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("tokens", &self.tokens().len()).finish()
    }
}

impl TokenStore for MemoryStore {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        let found = self.tokens().get(key).cloned();
        Box::pin(async move { Ok(found) })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            let mut tokens = self.tokens();
            if tokens.get(key).is_some_and(|known| known.is_later_than(token)) {
                return Ok(false);
            }
            tokens.insert(key.clone(), token.clone());
            Ok(true)
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            let mut tokens = self.tokens();
            let known = tokens.get_mut(key).filter(|known| known.token == *old);
            Ok(known.map(|known| *known = token.clone()).is_some())
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        self.tokens().remove(key);
        Box::pin(async { Ok(()) })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        let mut tokens = self.tokens();
        if tokens.get(key).is_some_and(|known| known.token == *token) {
            tokens.remove(key);
        }
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A store with what a store must have, and no more.
    #[derive(Default)]
    struct Plain(MemoryStore);

    impl TokenStore for Plain {
        fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
            self.0.get(key)
        }

        fn put_if_newer<'a>(
            &'a self,
            key: &'a TokenKey,
            token: &'a SavedToken,
        ) -> BoxFuture<'a, Result<bool, BoxError>> {
            self.0.put_if_newer(key, token)
        }

        fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
            self.0.remove(key)
        }
    }

    fn issued(name: &str, issued_at: SystemTime) -> SavedToken {
        SavedToken { issued_at, ..SavedToken::new(Token::new(name).unwrap(), HOUR) }
    }

    #[tokio::test]
    async fn of_two_tokens_the_one_that_was_issued_later_stays() {
        let key = TokenKey::new("http://host", "key", "platform_token", None);
        let now = SystemTime::now();
        let (old, new, ahead) = (issued("old", now - HOUR), issued("new", now), issued("ahead", now + HOUR));
        for (known, other, stays) in
            [(&new, &old, true), (&old, &new, false), (&new, &new, false), (&ahead, &new, false)]
        {
            assert_eq!(known.is_later_than(other), stays);
            let store = MemoryStore::default();
            assert!(store.put_if_newer(&key, known).await.unwrap());
            assert_eq!(store.put_if_newer(&key, other).await.unwrap(), !stays);
        }
    }

    #[tokio::test]
    async fn a_token_takes_the_place_of_the_one_that_is_named() {
        let key = TokenKey::new("http://host", "key", "platform_token", None);
        let store = Plain::default();
        let (a, b) = (issued("a", SystemTime::now() - HOUR), issued("b", SystemTime::now()));
        assert!(!store.replace(&key, &a.token, &b).await.unwrap(), "there is none");
        store.put_if_newer(&key, &a).await.unwrap();
        assert!(!store.replace(&key, &b.token, &b).await.unwrap(), "it is another");
        assert!(store.replace(&key, &a.token, &b).await.unwrap());
        assert_eq!(store.get(&key).await.unwrap().unwrap().token, b.token);
    }
}
