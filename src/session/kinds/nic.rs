//! The session of an API user of the e-invoice or the e-way bill portal: it is
//! opened with user name and password, by itself and whenever it is needed.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

#[cfg(feature = "e_invoice")]
use super::EInvoiceToken;
#[cfg(feature = "e_way_bill")]
use super::EWayBillToken;
use super::{Kind, SessionKind};
use crate::{
    BoxFuture, Client, Error, ErrorKind, Session, TaxpayerId, Token,
    client::ClientState,
    field,
    token::{Fresh, SessionAuth, Slot, Terms, TokenSource, session_lifetime},
    values::{Gstin, NicServer, Password, Timestamp},
};

/// Six hours. The portal gives another token in the last ten minutes of one.
const TERMS: Terms = Terms { longest: Duration::from_secs(6 * 3600), margin: Duration::from_secs(10 * 60) };

#[cfg(feature = "e_invoice")]
pub(super) static E_INVOICE: Kind = Kind {
    scheme: EInvoiceToken::SCHEME,
    terms: TERMS,
    opens: |_, slot| slot.credential().is_some(),
    renew: e_invoice_login,
    end: None,
    over: refused_at_once,
};

#[cfg(feature = "e_way_bill")]
pub(super) static E_WAY_BILL: Kind = Kind {
    scheme: EWayBillToken::SCHEME,
    terms: TERMS,
    opens: |_, slot| slot.credential().is_some(),
    renew: e_way_bill_login,
    end: None,
    over: refused_at_once,
};

fn refused_at_once() -> Error {
    Error::new(ErrorKind::SessionExpired, "the token of the API user was refused at once")
        .with_advice("check on the portal that the API user is active and made for this product")
}

impl Client {
    /// A session for e-invoices, for an API user that the taxpayer created on
    /// the e-invoice portal. Sends nothing.
    ///
    /// The first call fetches the token; concurrent calls share one login. The token is
    /// renewed in the last ten minutes of its six hours, and when the portal refuses it.
    /// All sessions of a client for the same user and server share it. The client's token
    /// store keeps the token, but never the password, which stays in memory while a
    /// session exists and is then zeroized.
    ///
    /// Documents are registered on the first NIC server; see [`Session::on`].
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::values::Gstin;
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let client = mock.client()?;
    ///
    /// let session = client.e_invoice(Gstin::new("33ABKCS2033B1ZW")?, "api_user", "not-a-real-password")?;
    /// let invoice = session
    ///     .e_invoice()
    ///     .get_e_invoice()
    ///     .irn("49a7c675b25f730d2353622e4767df203fed2495411953e0351737d47308d868")
    ///     .send()
    ///     .await?;
    /// println!("acknowledged {}", invoice.ack_dt.as_deref().unwrap_or("at an unknown time"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`] for an empty user name or password. If the login is
    /// refused, the first call fails:
    /// [`Auth`](ErrorKind::Auth) with 1015, 1017 or 1019.
    ///
    /// Source: the provider's guide to [API credentials of
    /// e-invoices](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/7391d7c9ccba/api-reference/gst/compliance/guides/e-invoice/create_api_credentials.mdx).
    #[cfg(feature = "e_invoice")]
    pub fn e_invoice<P>(
        &self,
        gstin: Gstin,
        username: impl Into<String>,
        password: P,
    ) -> Result<Session<EInvoiceToken>, Error>
    where
        P: TryInto<Password>,
        Error: From<P::Error>,
    {
        open(self, &E_INVOICE, gstin, username.into(), password.try_into()?)
    }

    /// A session for e-way bills, for an API user that the taxpayer created on the e-way
    /// bill portal. Sends nothing; works like [`Client::e_invoice`](Client::e_invoice).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`] for an empty user name or password. If the login is
    /// refused, the first call fails: [`Auth`](ErrorKind::Auth) with 108.
    ///
    /// Source: the provider's guide to [API credentials of e-way
    /// bills](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/e0f2d19b7661/api-reference/gst/compliance/guides/e-way-bill/create_api_credentials.mdx).
    #[cfg(feature = "e_way_bill")]
    pub fn e_way_bill<P>(
        &self,
        gstin: Gstin,
        username: impl Into<String>,
        password: P,
    ) -> Result<Session<EWayBillToken>, Error>
    where
        P: TryInto<Password>,
        Error: From<P::Error>,
    {
        open(self, &E_WAY_BILL, gstin, username.into(), password.try_into()?)
    }
}

fn open<K: SessionKind>(
    client: &Client,
    kind: &'static Kind,
    gstin: Gstin,
    username: String,
    password: Password,
) -> Result<Session<K>, Error> {
    if username.trim().is_empty() || username.chars().any(char::is_control) {
        return Err(Error::input(field::USERNAME, "must be the user name of the API user, in one line"));
    }
    let slot = kind.slot(client.state(), TaxpayerId { gstin, username }, None);
    slot.set_credential(password.into());
    Ok(on_slot(client.state(), kind, slot, NicServer::Primary))
}

fn on_slot<K: SessionKind>(
    state: &ClientState,
    kind: &Kind,
    slot: Arc<Slot>,
    server: NicServer,
) -> Session<K> {
    let mut auth = SessionAuth::new(kind.scheme, TokenSource::Slot(slot));
    auth.route.server = Some(server.as_str());
    Session::of(state.with_auth(auth))
}

/// The settings of sessions of API users.
macro_rules! on_servers {
    ($kind:ident, $of:expr, $servers:expr) => {
        impl Session<$kind> {
            /// The same user on another NIC server, with a separate token. Every call
            /// sends the server as `x-source` if its operation accepts it, unless the
            /// request sets another.
            ///
            /// A document can be changed only on the server where it was
            /// registered: store the server with it.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Input`] with the field `x-source` for a server that
            /// this product does not have.
            pub fn on(&self, server: NicServer) -> Result<Self, Error> {
                if !$servers.contains(&server) {
                    return Err(Error::input(field::X_SOURCE, "is a server that this product does not have"));
                }
                moved(self, $of, server)
            }

            /// The server of the session. `None` for a session with a token
            /// of your own, whose server is unknown.
            #[must_use]
            pub fn server(&self) -> Option<NicServer> {
                self.state().auth()?.route.server?.parse().ok()
            }

            /// Reaches the server through another one (`x-proxy`) when it
            /// cannot be reached directly. Applies to operations that accept it.
            #[must_use]
            pub fn through(&self, proxy: NicServer) -> Self {
                match self.state().auth().cloned() {
                    Some(mut auth) => {
                        auth.route.proxy = Some(proxy.as_str());
                        Session::of(self.state().with_auth(auth))
                    }
                    None => self.clone(),
                }
            }
        }
    };
}

#[cfg(feature = "e_invoice")]
on_servers!(EInvoiceToken, &E_INVOICE, [NicServer::Primary, NicServer::Secondary]);
#[cfg(feature = "e_way_bill")]
on_servers!(EWayBillToken, &E_WAY_BILL, [NicServer::Primary, NicServer::Secondary, NicServer::Tertiary]);

fn moved<K: SessionKind>(
    session: &Session<K>,
    kind: &'static Kind,
    server: NicServer,
) -> Result<Session<K>, Error> {
    let state = session.state();
    let Some(auth) = state.auth() else { return Ok(session.clone()) };
    let mut auth = auth.clone();
    auth.route.server = Some(server.as_str());
    if let TokenSource::Slot(slot) = &auth.source {
        let user = slot.key().taxpayer().cloned().ok_or_else(refused_at_once)?;
        // The first server came first, and its tokens are stored without its name.
        let name = (server != NicServer::Primary).then_some(server.as_str());
        let other = kind.slot(state, user, name);
        if let Some(password) = slot.credential() {
            other.set_credential((*password).clone());
        }
        auth.source = TokenSource::Slot(other);
    }
    Ok(Session::of(state.with_auth(auth)))
}

/// Whom a login is for.
struct Login {
    user: TaxpayerId,
    password: Password,
    server: NicServer,
}

impl Login {
    fn of(slot: &Slot) -> Result<Self, Error> {
        let password = slot.credential().ok_or_else(refused_at_once)?;
        let key = slot.key();
        Ok(Self {
            user: key.taxpayer().cloned().ok_or_else(refused_at_once)?,
            password: Password::of(SecretString::clone(&password)),
            server: key.server().and_then(|name| name.parse().ok()).unwrap_or_default(),
        })
    }
}

#[cfg(feature = "e_invoice")]
fn e_invoice_login(
    state: ClientState,
    slot: Arc<Slot>,
    current: Option<Token>,
) -> BoxFuture<'static, Result<Fresh, Error>> {
    use crate::e_invoice::types::IrpLogin;

    Box::pin(async move {
        let Login { user, password, server } = Login::of(&slot)?;
        // Without force, the portal may give the token that is near its end or
        // was refused once more (inferred).
        let force = current.is_some() || slot.saved().is_some();
        let answer = Client::of(state)
            .e_invoice_api()
            .e_invoice_authenticate()
            .force(force)
            .x_source(server)
            .body(IrpLogin { gstin: user.gstin, username: user.username, password })
            .send()
            .await?;
        let token = answer.access_token.clone();
        let token = token.ok_or_else(|| answer.incomplete("has no token at `data.access_token`"))?;
        Ok(fresh(token, answer.expiry.as_ref(), answer.timestamp()))
    })
}

#[cfg(feature = "e_way_bill")]
fn e_way_bill_login(
    state: ClientState,
    slot: Arc<Slot>,
    _: Option<Token>,
) -> BoxFuture<'static, Result<Fresh, Error>> {
    use crate::e_way_bill::types::EwbLogin;

    Box::pin(async move {
        let Login { user, password, server } = Login::of(&slot)?;
        let answer = Client::of(state)
            .e_way_bill_api()
            .e_way_bill_authenticate()
            .x_source(server)
            .body(EwbLogin { gstin: user.gstin, username: user.username, password })
            .send()
            .await?;
        let token = answer.access_token.clone();
        let token = token.ok_or_else(|| answer.incomplete("has no token at `data.access_token`"))?;
        Ok(fresh(token, answer.expiry.as_ref(), answer.timestamp()))
    })
}

fn fresh(token: Token, expiry: Option<&Timestamp>, answered: Option<&Timestamp>) -> Fresh {
    let life = session_lifetime(TERMS.longest, &token, expiry, answered);
    Fresh { token, life, session_expires_at: None }
}
