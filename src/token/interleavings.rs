//! Every order in which the steps of several tasks can happen to one session.
//!
//! The code that runs is the slot's own. Its store and its provider stop at
//! each step until the test lets that step happen, so that a test is a choice
//! among the steps that wait, over and over. All choices are tried, each from
//! the start. Between two such steps a task changes the slot in one step that
//! nothing can come between, so these are all the orders there are.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    BoxError, Fresh, Guard, MemoryStore, Renewal, SavedToken, Slot, TAXPAYER_TERMS, TaxpayerId, Terms,
    TokenKey, TokenStore,
};
use crate::{BoxFuture, Error, Token, values::Gstin};

const HOUR: Duration = Duration::from_secs(3600);

/// What a task of a scenario does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// A call that needs a token and is answered.
    Call,
    /// A call whose first token the provider refuses.
    Refused,
    Refresh,
    /// A refresh whose caller goes away at once.
    DroppedRefresh,
    Logout,
    Forget,
    /// Another process, with the same store, logs out.
    OtherForgets,
    /// Another process, with the same store, refreshes.
    OtherRefreshes,
    Verify,
}

/// How the token stands at the start.
#[derive(Clone, Copy)]
enum Start {
    Fresh,
    NearItsEnd,
    /// The provider has ended it, which nobody knows yet; it can be replaced without a person.
    Expired,
}

/// Steps that wait, by name and in order of arrival, for the test to let them happen.
#[derive(Default)]
struct Gates {
    waiting: Mutex<BTreeMap<u32, (String, oneshot::Sender<bool>)>>,
    arrived: Mutex<u32>,
    /// Steps that may fail do so if the choice says so.
    failures: bool,
}

impl Gates {
    /// Waits for the turn of this step; `false` if it is to fail.
    async fn pass(&self, name: &str) -> bool {
        let (open, opened) = oneshot::channel();
        let number = {
            let mut arrived = self.arrived.lock().unwrap();
            *arrived += 1;
            *arrived
        };
        self.waiting.lock().unwrap().insert(number, (name.to_owned(), open));
        opened.await.unwrap_or(true)
    }

    /// What can happen next: a step, and whether it fails. Those whose task is
    /// gone cannot happen any more.
    fn choices(&self) -> Vec<(u32, bool)> {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.retain(|_, (_, open)| !open.is_closed());
        let mut choices = Vec::new();
        for (number, (name, _)) in waiting.iter() {
            choices.push((*number, true));
            if self.failures && name.starts_with("store") {
                choices.push((*number, false));
            }
        }
        choices
    }

    fn open(&self, (number, works): (u32, bool)) -> String {
        let (name, open) = self.waiting.lock().unwrap().remove(&number).unwrap();
        let _ = open.send(works);
        if works { name } else { format!("{name} fails") }
    }
}

/// The provider: which tokens live, and what was asked of it.
#[derive(Default)]
struct Provider {
    living: Mutex<HashSet<String>>,
    issued: Mutex<u32>,
    /// Requests for a renewal of this token.
    renewed: Mutex<BTreeMap<String, u32>>,
    logins: Mutex<u32>,
}

impl Provider {
    fn issue(&self) -> Token {
        let mut issued = self.issued.lock().unwrap();
        *issued += 1;
        let token = format!("token-{issued}");
        self.living.lock().unwrap().insert(token.clone());
        Token::new(token).unwrap()
    }

    fn lives(&self, token: &Token) -> bool {
        self.living.lock().unwrap().contains(token.expose_secret())
    }

    fn end(&self, token: &Token) {
        self.living.lock().unwrap().remove(token.expose_secret());
    }
}

struct Gated {
    tokens: Arc<MemoryStore>,
    gates: Arc<Gates>,
}

impl Gated {
    async fn pass(&self, name: &str) -> Result<(), BoxError> {
        if self.gates.pass(name).await { Ok(()) } else { Err("broken".into()) }
    }
}

impl TokenStore for Gated {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async {
            self.pass("store get").await?;
            self.tokens.get(key).await
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            self.pass("store put").await?;
            self.tokens.put_if_newer(key, token).await
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            self.pass("store replace").await?;
            self.tokens.replace(key, old, token).await
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.pass("store remove").await?;
            self.tokens.remove(key).await
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.pass("store remove_if").await?;
            self.tokens.remove_if(key, token).await
        })
    }
}

/// A taxpayer's session at the provider of the test.
struct Sessions {
    provider: Arc<Provider>,
    gates: Arc<Gates>,
    /// Of a kind that needs no person.
    opens: bool,
}

fn fresh(token: Token) -> Fresh {
    Fresh { token, life: HOUR, session_expires_at: None }
}

impl Renewal for Sessions {
    fn opens(&self) -> bool {
        self.opens
    }

    fn renew(&self, current: Option<Token>) -> BoxFuture<'static, Result<Fresh, Error>> {
        let (provider, gates, opens) = (Arc::clone(&self.provider), Arc::clone(&self.gates), self.opens);
        Box::pin(async move {
            let Some(current) = current else {
                if !opens {
                    return Err(Error::session_over());
                }
                *provider.logins.lock().unwrap() += 1;
                gates.pass("login").await;
                return Ok(fresh(provider.issue()));
            };
            *provider.renewed.lock().unwrap().entry(current.expose_secret().to_owned()).or_default() += 1;
            gates.pass("request").await;
            if !provider.lives(&current) {
                return Err(Error::session_over());
            }
            // The provider may end the old token with the refresh.
            provider.end(&current);
            let token = provider.issue();
            gates.pass("answer").await;
            Ok(fresh(token))
        })
    }

    fn end(&self, token: Token) -> BoxFuture<'static, ()> {
        let provider = Arc::clone(&self.provider);
        Box::pin(async move { provider.end(&token) })
    }

    fn over(&self) -> Error {
        Error::session_over()
    }
}

/// A process: a slot on the store that all share.
#[derive(Clone)]
struct Process {
    slot: Arc<Slot>,
    sessions: Arc<Sessions>,
}

struct World {
    tokens: Arc<MemoryStore>,
    provider: Arc<Provider>,
    gates: Arc<Gates>,
    this: Process,
    other: Process,
}

fn key() -> TokenKey {
    let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
    TokenKey::new("http://host", "key", super::TAXPAYER, Some(TaxpayerId { gstin, username: "u".into() }))
}

impl World {
    async fn new(start: Start, failures: bool) -> Self {
        let tokens = Arc::new(MemoryStore::default());
        let provider = Arc::new(Provider::default());
        let gates = Arc::new(Gates { failures, ..Gates::default() });
        let process = || {
            let store = Gated { tokens: Arc::clone(&tokens), gates: Arc::clone(&gates) };
            let terms = Terms { margin: Duration::ZERO, ..TAXPAYER_TERMS };
            let slot = Arc::new(Slot::new(key(), Arc::new(Guard::new(Arc::new(store))), terms));
            let sessions = Sessions {
                provider: Arc::clone(&provider),
                gates: Arc::clone(&gates),
                opens: matches!(start, Start::Expired),
            };
            Process { slot, sessions: Arc::new(sessions) }
        };
        let (this, other) = (process(), process());
        let first = SavedToken::new(provider.issue(), HOUR);
        tokens.put_if_newer(&key(), &first).await.unwrap();
        for process in [&this, &other] {
            let moment = process.slot.moment();
            assert!(process.slot.take(moment, first.clone()));
        }
        match start {
            Start::Fresh => {}
            Start::NearItsEnd => this.slot.state().be_due(),
            Start::Expired => provider.end(&first.token),
        }
        Self { tokens, provider, gates, this, other }
    }

    fn start(&self, act: Act) -> JoinHandle<Result<(), Error>> {
        let provider = Arc::clone(&self.provider);
        let process = match act {
            Act::OtherForgets | Act::OtherRefreshes => self.other.clone(),
            _ => self.this.clone(),
        };
        tokio::spawn(async move {
            let Process { slot, sessions } = process;
            // When it begins is a choice too.
            sessions.gates.pass("begin").await;
            match act {
                Act::Call => {
                    let lease = slot.token(Arc::clone(&sessions) as _).await?;
                    // One that is refused is looked after, as the pipeline does.
                    if provider.lives(&lease.token) {
                        return Ok(());
                    }
                    if slot.refused(&lease.token).await.is_none() && !sessions.opens {
                        return Err(Error::session_over());
                    }
                    let lease = slot.token(sessions).await?;
                    if provider.lives(&lease.token) { Ok(()) } else { Err(Error::session_over()) }
                }
                Act::Refused => {
                    let lease = slot.token(sessions).await?;
                    provider.end(&lease.token);
                    slot.refused(&lease.token).await.map(drop).ok_or_else(Error::session_over)
                }
                Act::Refresh | Act::OtherRefreshes => slot.renew(sessions).await,
                Act::DroppedRefresh => {
                    let refresh = slot.renew(sessions);
                    let _ = tokio::time::timeout(Duration::ZERO, refresh).await;
                    Ok(())
                }
                Act::Logout => {
                    let saved = slot.saved();
                    let _ = slot.forget().await;
                    if let Some(saved) = saved {
                        sessions.end(saved.token).await;
                    }
                    Ok(())
                }
                Act::Forget | Act::OtherForgets => {
                    let _ = slot.forget().await;
                    Ok(())
                }
                Act::Verify => {
                    let moment = slot.moment();
                    sessions.gates.pass("request").await;
                    let token = provider.issue();
                    slot.open(moment, fresh(token), &*sessions).await
                }
            }
        })
    }

    /// Lets all tasks go as far as they can.
    async fn settle(&self) {
        for _ in 0..24 {
            tokio::task::yield_now().await;
        }
    }

    async fn stored(&self) -> Option<Token> {
        self.tokens.get(&key()).await.unwrap().map(|saved| saved.token)
    }
}

/// Goes through all orders of a scenario, and calls `check` at the end of each.
fn in_every_order(
    start: Start,
    failures: bool,
    acts: &[Act],
    check: impl Fn(&World, Option<Token>, &[Result<(), Error>]),
) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // The choices of the next run: which of how many at each step.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut orders = 0;
    loop {
        let mut steps = Vec::new();
        runtime.block_on(async {
            let world = World::new(start, failures).await;
            let tasks: Vec<_> = acts.iter().map(|act| world.start(*act)).collect();
            let mut depth = 0;
            loop {
                world.settle().await;
                let choices = world.gates.choices();
                if choices.is_empty() {
                    break;
                }
                assert!(depth < 200, "{acts:?} never ends: {steps:?}");
                if depth == path.len() {
                    path.push((0, choices.len()));
                }
                assert_eq!(path[depth].1, choices.len(), "the same choices lead to the same place");
                steps.push(world.gates.open(choices[path[depth].0]));
                depth += 1;
            }
            let mut ends = Vec::new();
            for task in tasks {
                let end = tokio::time::timeout(Duration::from_millis(500), task).await;
                ends.push(end.unwrap_or_else(|_| panic!("{acts:?} hangs after {steps:?}")).unwrap());
            }
            let stored = world.stored().await;
            let checked =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&world, stored, &ends)));
            if let Err(panic) = checked {
                eprintln!("{acts:?} went wrong in this order: {steps:?}");
                std::panic::resume_unwind(panic);
            }
        });
        orders += 1;
        // The next path: the last choice that has another.
        while let Some((choice, of)) = path.pop() {
            if choice + 1 < of {
                path.push((choice + 1, of));
                break;
            }
        }
        if path.is_empty() {
            return orders;
        }
    }
}

/// No token was renewed twice, by whatever process: the second would be refused.
fn one_renewal_each(world: &World) {
    let renewed = world.provider.renewed.lock().unwrap();
    assert!(renewed.values().all(|times| *times == 1), "{renewed:?}");
}

/// Nothing of the session is left, here or in the store; what the provider still has is not held.
fn session_is_over(world: &World, stored: Option<&Token>) {
    assert!(stored.is_none(), "the store has it again");
    assert!(!world.this.slot.is_alive(), "the slot holds it again");
}

/// What is held is what lives, and what is stored.
fn session_lives(world: &World, stored: Option<&Token>) {
    let held = world.this.slot.saved().expect("a session").token;
    assert!(world.provider.lives(&held), "an expired token is held");
    assert_eq!(stored, Some(&held));
}

#[test]
fn many_whose_token_is_refused_share_one_login() {
    in_every_order(Start::Expired, false, &[Act::Call, Act::Call], |world, stored, ends| {
        assert!(ends.iter().all(Result::is_ok), "{ends:?}");
        session_lives(world, stored.as_ref());
        assert_eq!(*world.provider.logins.lock().unwrap(), 1);
    });
}

const STARTS: [Start; 2] = [Start::Fresh, Start::NearItsEnd];

#[test]
fn a_logout_wins_over_whatever_is_in_flight() {
    let mut orders = 0;
    for start in STARTS {
        for end in [Act::Logout, Act::Forget] {
            for other in [Act::Call, Act::Refused, Act::Refresh, Act::DroppedRefresh] {
                orders += in_every_order(start, false, &[other, end], |world, stored, _| {
                    session_is_over(world, stored.as_ref());
                    one_renewal_each(world);
                    if end == Act::Logout {
                        assert!(
                            world.provider.living.lock().unwrap().is_empty(),
                            "a token is left at the provider"
                        );
                    }
                });
            }
        }
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn a_logout_wins_over_two_others() {
    let mut orders = 0;
    for others in [[Act::Call, Act::Refresh], [Act::Refresh, Act::Refresh], [Act::Call, Act::Refused]] {
        let acts = [others[0], others[1], Act::Forget];
        orders += in_every_order(Start::NearItsEnd, false, &acts, |world, stored, _| {
            session_is_over(world, stored.as_ref());
            one_renewal_each(world);
        });
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn a_logout_wins_while_the_store_fails() {
    for other in [Act::Call, Act::Refresh] {
        in_every_order(Start::NearItsEnd, true, &[other, Act::Forget], |world, _, _| {
            // What a broken store keeps cannot be helped, but it is not used.
            assert!(!world.this.slot.is_alive(), "the slot holds it again");
            one_renewal_each(world);
        });
    }
}

#[test]
fn a_logout_by_another_process_wins() {
    for start in STARTS {
        for other in [Act::Refresh, Act::DroppedRefresh, Act::Call] {
            in_every_order(start, false, &[other, Act::OtherForgets], |world, stored, _| {
                assert!(stored.is_none(), "the store has it again");
                one_renewal_each(world);
            });
        }
    }
}

#[test]
fn many_who_refresh_send_one_request() {
    let acts = [Act::Refresh, Act::Refresh, Act::Call];
    for start in STARTS {
        in_every_order(start, false, &acts, |world, stored, ends| {
            assert!(ends.iter().all(Result::is_ok), "{ends:?}");
            session_lives(world, stored.as_ref());
            one_renewal_each(world);
        });
    }
}

#[test]
fn a_dropped_caller_loses_no_token() {
    for acts in [&[Act::DroppedRefresh][..], &[Act::DroppedRefresh, Act::Call]] {
        in_every_order(Start::NearItsEnd, false, acts, |world, stored, ends| {
            assert!(ends.iter().all(Result::is_ok), "{ends:?}");
            session_lives(world, stored.as_ref());
        });
    }
}

#[test]
fn a_failing_store_loses_no_token() {
    for acts in [&[Act::Refresh][..], &[Act::Call], &[Act::Call, Act::Call]] {
        in_every_order(Start::NearItsEnd, true, acts, |world, _, ends| {
            assert!(ends.iter().all(Result::is_ok), "{ends:?}");
            let held = world.this.slot.saved().expect("a session").token;
            assert!(world.provider.lives(&held), "an expired token is held");
            one_renewal_each(world);
        });
    }
}

/// The provider ended the old token at the refresh, and the calls with it wait.
#[test]
fn a_call_that_is_refused_during_a_refresh_is_made_with_the_new_token() {
    for acts in [&[Act::Refresh, Act::Call][..], &[Act::Call, Act::Call, Act::Refresh]] {
        in_every_order(Start::NearItsEnd, false, acts, |world, stored, ends| {
            assert!(ends.iter().all(Result::is_ok), "{ends:?}");
            session_lives(world, stored.as_ref());
        });
    }
}

#[test]
fn a_new_session_is_not_overwritten_by_a_refresh_of_the_old_one() {
    in_every_order(Start::NearItsEnd, false, &[Act::Refresh, Act::Verify], |world, stored, ends| {
        assert!(ends[1].is_ok(), "{ends:?}");
        session_lives(world, stored.as_ref());
    });
    // An OTP that is verified while somebody logs out is not left behind half.
    in_every_order(Start::Fresh, false, &[Act::Verify, Act::Logout], |world, stored, ends| {
        if ends[0].is_err() {
            session_is_over(world, stored.as_ref());
        } else {
            let held = world.this.slot.saved().map(|saved| saved.token);
            assert_eq!(held, stored, "here and in the store it is the same");
        }
    });
}

/// Without a claim, two processes may both ask; the loser takes what the other has.
#[test]
fn two_processes_that_refresh_end_with_one_token() {
    in_every_order(Start::Fresh, false, &[Act::Refresh, Act::OtherRefreshes], |world, stored, _| {
        let stored = stored.expect("a session");
        assert!(world.provider.lives(&stored), "an expired token is stored");
    });
}
