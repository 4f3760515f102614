use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::*;
use crate::{
    BoxFuture, ErrorKind,
    token::{BoxError, Fresh, Guard, TAXPAYER, TAXPAYER_TERMS, TaxpayerId, TokenKey, TokenStore},
    values::Gstin,
};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// A store with one place, which can be told to misbehave.
#[derive(Default)]
struct Shelf {
    token: Mutex<Option<SavedToken>>,
    fails: AtomicBool,
    /// Says that it has kept a token, and has none.
    forgets: AtomicBool,
    /// Says that it has not kept a token, and has none.
    refuses: AtomicBool,
    /// Answers to claims; granted once they are used up.
    claims: Mutex<VecDeque<bool>>,
    released: AtomicUsize,
    /// Loses what it has when it is next asked to replace it.
    loses: AtomicBool,
    /// What another process puts here when a claim is asked for.
    arrives: Mutex<Option<SavedToken>>,
}

impl Shelf {
    fn set(&self, token: SavedToken) {
        *self.token.lock().unwrap() = Some(token);
    }

    fn name(&self) -> Option<String> {
        self.token.lock().unwrap().as_ref().map(|saved| saved.token.expose_secret().to_owned())
    }

    fn keep(&self, token: &SavedToken, fits: impl Fn(Option<&SavedToken>) -> bool) -> Result<bool, BoxError> {
        self.works()?;
        if self.refuses.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let mut place = self.token.lock().unwrap();
        if self.forgets.load(Ordering::Relaxed) {
            *place = None;
            return Ok(true);
        }
        let fits = fits(place.as_ref());
        if fits {
            *place = Some(token.clone());
        }
        Ok(fits)
    }

    fn works(&self) -> Result<(), BoxError> {
        if self.fails.load(Ordering::Relaxed) { Err("broken".into()) } else { Ok(()) }
    }
}

impl TokenStore for Shelf {
    fn get<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async { self.works().map(|()| self.token.lock().unwrap().clone()) })
    }

    fn put_if_newer<'a>(
        &'a self,
        _: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async { self.keep(token, |known| known.is_none_or(|known| !known.is_later_than(token))) })
    }

    fn replace<'a>(
        &'a self,
        _: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        if self.loses.swap(false, Ordering::Relaxed) {
            *self.token.lock().unwrap() = None;
        }
        Box::pin(async { self.keep(token, |known| known.is_some_and(|known| known.token == *old)) })
    }

    fn remove<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.works()?;
            *self.token.lock().unwrap() = None;
            Ok(())
        })
    }

    fn claim<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            let granted = self.claims.lock().unwrap().pop_front().unwrap_or(true);
            if let Some(token) = self.arrives.lock().unwrap().take() {
                self.set(token);
            }
            Ok(granted)
        })
    }

    fn release(&self, _: &TokenKey) {
        self.released.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the provider does with a renewal.
enum Answer {
    Gives(&'static str),
    Fails(ErrorKind),
    Panics,
}

/// The provider: gives what it is told to, and notes in exchange for what.
#[derive(Default)]
struct Provider {
    opens: bool,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Provider {
    fn new(opens: bool, answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Arc::new(Self { opens, answers, ..Self::default() })
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Renewal for Provider {
    fn opens(&self) -> bool {
        self.opens
    }

    fn renew(&self, current: Option<Token>) -> BoxFuture<'static, Result<Fresh, Error>> {
        self.asked.lock().unwrap().push(current.map(|token| token.expose_secret().to_owned()));
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(Answer::Gives(name)) => {
                    Ok(Fresh { token: token(name), life: HOUR, session_expires_at: None })
                }
                Some(Answer::Fails(kind)) => Err(Error::new(kind, "no")),
                Some(Answer::Panics) => panic!("the renewal panics"),
                None => Err(Error::session_over()),
            }
        })
    }

    fn end(&self, _: Token) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn over(&self) -> Error {
        Error::session_over()
    }
}

fn token(name: &str) -> Token {
    Token::new(name).unwrap()
}

fn saved(name: &str, life: Duration) -> SavedToken {
    SavedToken::new(token(name), life)
}

fn slot(shelf: &Arc<Shelf>) -> Arc<Slot> {
    let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
    let id = TaxpayerId { gstin, username: "u".to_owned() };
    let key = TokenKey::new("http://host", "key", TAXPAYER, Some(id));
    Arc::new(Slot::new(key, Arc::new(Guard::new(Arc::clone(shelf) as _)), TAXPAYER_TERMS))
}

/// A slot that holds `a`, as the store does.
async fn opened(shelf: &Arc<Shelf>) -> Arc<Slot> {
    let slot = slot(shelf);
    let fresh = Fresh { token: token("a"), life: HOUR, session_expires_at: None };
    slot.open(slot.moment(), fresh, &*Provider::new(false, [])).await.unwrap();
    assert_eq!(shelf.name().as_deref(), Some("a"));
    slot
}

/// When the session was opened whose token is here.
fn slot_opened(shelf: &Shelf) -> Option<SystemTime> {
    shelf.token.lock().unwrap().as_ref().map(SavedToken::opened)
}

fn held(slot: &Slot) -> Option<String> {
    slot.saved().map(|saved| saved.token.expose_secret().to_owned())
}

#[tokio::test]
async fn without_a_store_that_answers_nobody_knows_that_there_is_no_session() {
    let shelf = Arc::new(Shelf::default());
    shelf.fails.store(true, Ordering::Relaxed);
    let unknown = slot(&shelf).renew(Provider::new(false, [])).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Store);
    // What the provider says is told as it is.
    let failed = Provider::new(false, [Answer::Fails(ErrorKind::Transport)]);
    assert_eq!(slot(&shelf).renew(failed).await.unwrap_err().kind(), ErrorKind::Transport);
    let known = slot(&shelf);
    known.adopt(saved("a", HOUR));
    assert!(known.renew(Provider::new(false, [])).await.unwrap_err().is_session_expired());
}

#[tokio::test]
async fn an_early_renewal_takes_from_the_store_only_what_lives_longer() {
    let end = SystemTime::now() + HOUR;
    for (stored, taken) in [(end + SECOND, true), (end, false), (end - SECOND, false)] {
        let shelf = Arc::new(Shelf::default());
        let slot = slot(&shelf);
        slot.adopt(SavedToken { expires_at: end, ..saved("a", HOUR) });
        slot.state().be_due();
        shelf.set(SavedToken { expires_at: stored, ..saved("b", HOUR) });
        let provider = Provider::new(false, [Answer::Gives("c")]);
        let lease = slot.token(Arc::clone(&provider) as _).await.unwrap();
        assert_eq!(lease.token, token(if taken { "b" } else { "c" }));
        assert_eq!(lease.new, !taken, "one from the server itself is not worth a second renewal");
        assert_eq!(provider.asked().len(), usize::from(!taken));
    }
}

/// The token that is held is good for now, so nobody waits for the other process.
#[tokio::test]
async fn an_early_renewal_is_left_to_the_process_that_has_begun_one() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    slot.state().be_due();
    shelf.claims.lock().unwrap().push_back(false);
    let provider = Provider::new(false, [Answer::Gives("b")]);
    let lease = slot.token(Arc::clone(&provider) as _).await.unwrap();
    assert!(lease.token == token("a") && !lease.new);
    assert_eq!(provider.asked().len(), 0);
}

#[tokio::test]
async fn a_refresh_renews_what_the_store_has_and_is_not_content_with_it() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    shelf.set(saved("b", HOUR));
    let provider = Provider::new(false, [Answer::Gives("c")]);
    slot.renew(Arc::clone(&provider) as _).await.unwrap();
    assert_eq!(provider.asked(), [Some("b".to_owned())]);
    assert_eq!((held(&slot).as_deref(), shelf.name().as_deref()), (Some("c"), Some("c")));
}

/// Who waited for another process takes what that has renewed; here it renewed nothing.
#[tokio::test]
async fn a_refresh_that_waited_in_vain_renews_by_itself() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    shelf.claims.lock().unwrap().push_back(false);
    let provider = Provider::new(false, [Answer::Gives("b")]);
    slot.renew(Arc::clone(&provider) as _).await.unwrap();
    assert_eq!(provider.asked(), [Some("a".to_owned())]);
    assert_eq!(held(&slot).as_deref(), Some("b"));
}

#[tokio::test]
async fn a_session_that_was_removed_from_the_store_is_not_renewed() {
    for opens in [false, true] {
        let shelf = Arc::new(Shelf::default());
        let slot = opened(&shelf).await;
        *shelf.token.lock().unwrap() = None;
        let provider = Provider::new(opens, [Answer::Gives("b")]);
        let renewed = slot.renew(Arc::clone(&provider) as _).await;
        if opens {
            // Needs no person, so there is no session that somebody wanted to end.
            renewed.unwrap();
            assert_eq!((held(&slot).as_deref(), shelf.name().as_deref()), (Some("b"), Some("b")));
        } else {
            assert!(renewed.unwrap_err().is_session_expired());
            assert_eq!((provider.asked().len(), held(&slot)), (0, None));
        }
    }
}

#[tokio::test]
async fn a_session_that_is_removed_while_it_is_renewed_is_over() {
    for opens in [false, true] {
        let shelf = Arc::new(Shelf::default());
        let slot = opened(&shelf).await;
        shelf.loses.store(true, Ordering::Relaxed);
        let renewed = slot.renew(Provider::new(opens, [Answer::Gives("b"), Answer::Gives("c")])).await;
        assert_eq!(renewed.is_ok(), opens);
        assert_eq!(held(&slot).as_deref(), opens.then_some("b"));
        if opens {
            // The next one is stored again.
            slot.renew(Provider::new(opens, [Answer::Gives("c")])).await.unwrap();
            assert_eq!((held(&slot).as_deref(), shelf.name().as_deref()), (Some("c"), Some("c")));
        }
    }
}

#[tokio::test]
async fn what_the_store_has_is_not_taken_after_it_could_not_be_told_of_the_end() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    shelf.fails.store(true, Ordering::Relaxed);
    slot.forget().await.unwrap_err();
    shelf.fails.store(false, Ordering::Relaxed);
    // Renewed by another process, which does not know of the end.
    let opened_at = slot_opened(&shelf);
    shelf.set(SavedToken { opened_at, ..saved("b", HOUR) });
    // By a handle that was not there either.
    let later = Arc::new(Slot::new(slot.key.clone(), Arc::clone(&slot.store), TAXPAYER_TERMS));
    assert!(!later.find().await.unwrap());
    assert_eq!(shelf.name(), None, "it is removed when it is seen");
    // One that somebody opened after that is another.
    shelf.set(saved("c", HOUR));
    assert!(later.find().await.unwrap());
    // As is one that is opened here, by whatever clock.
    let fresh = Fresh { token: token("d"), life: HOUR, session_expires_at: None };
    slot.open(slot.moment(), fresh, &*Provider::new(false, [])).await.unwrap();
    let of_a_clock_that_was_set_back = SystemTime::now().checked_sub(2 * HOUR).unwrap();
    shelf.set(SavedToken { issued_at: of_a_clock_that_was_set_back, ..saved("e", 4 * HOUR) });
    let later = Arc::new(Slot::new(slot.key.clone(), Arc::clone(&slot.store), TAXPAYER_TERMS));
    assert!(later.find().await.unwrap());
}

/// A renewal goes on with the session that it renews; a login does not.
#[tokio::test]
async fn a_renewed_token_says_when_its_session_was_opened() {
    for opens in [false, true] {
        let shelf = Arc::new(Shelf::default());
        let slot = opened(&shelf).await;
        let first = slot.saved().unwrap();
        assert_eq!((first.opened_at, first.opened()), (None, first.issued_at));
        for name in ["b", "c"] {
            slot.renew(Provider::new(opens, [Answer::Gives(name)])).await.unwrap();
            let renewed = slot.saved().unwrap();
            assert_eq!(renewed.opened() == first.issued_at, !opens, "{name}");
            let read = SavedToken::from_exposed(&renewed.expose_secret()).unwrap();
            let apart = read.opened().duration_since(renewed.opened()).unwrap_or_default();
            assert!(apart < SECOND && read.opened_at.is_some() != opens, "{name}");
        }
    }
}

#[tokio::test]
async fn a_store_that_keeps_nothing_costs_no_session() {
    for (forgets, stored) in [(true, Some("a")), (true, None), (false, None)] {
        let shelf = Arc::new(Shelf::default());
        let slot = opened(&shelf).await;
        *shelf.token.lock().unwrap() = None;
        shelf.forgets.store(forgets, Ordering::Relaxed);
        shelf.refuses.store(!forgets, Ordering::Relaxed);
        let wrote = slot.write(&saved("b", HOUR), stored.map(token)).await;
        assert!(matches!(wrote, Written::Unknown), "that it was removed elsewhere is not known");
    }
    // It has the token no more, and does not take the new one: that is known.
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    *shelf.token.lock().unwrap() = None;
    assert!(matches!(slot.write(&saved("b", HOUR), Some(token("a"))).await, Written::Removed));
}

#[tokio::test]
async fn of_two_renewals_the_one_in_the_store_stays_if_it_lives() {
    let now = SystemTime::now();
    let before = now - SECOND;
    for (name, other, stays) in [
        ("lives", SavedToken { issued_at: before, ..saved("b", HOUR) }, true),
        ("expired", SavedToken { issued_at: before, expires_at: before, ..saved("b", HOUR) }, false),
        ("from a clock that was ahead", SavedToken { issued_at: now + HOUR, ..saved("b", HOUR) }, false),
        ("spent", SavedToken { issued_at: before, ..saved("spent", HOUR) }, false),
    ] {
        let shelf = Arc::new(Shelf::default());
        let slot = opened(&shelf).await;
        slot.state().refused(&token("spent"));
        shelf.set(other.clone());
        let wrote = slot.write(&saved("c", HOUR), Some(token("a"))).await;
        match wrote {
            Written::Other(found) => assert!(stays && found.token == other.token, "{name}"),
            Written::Kept => assert!(!stays && shelf.name().as_deref() == Some("c"), "{name}"),
            Written::Unknown | Written::Removed => panic!("{name}"),
        }
    }
}

#[tokio::test]
async fn a_refused_call_waits_for_the_process_that_renews() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    shelf.claims.lock().unwrap().push_back(false);
    *shelf.arrives.lock().unwrap() = Some(saved("b", HOUR));
    assert!(slot.refused(&token("a")).await.is_some_and(|other| other == token("b")));
    assert_eq!(shelf.released.load(Ordering::Relaxed), 0, "another process has the claim");
    // No one renews: nothing is found, and the claim is given back.
    assert!(slot.refused(&token("b")).await.is_none());
    assert_eq!(shelf.released.load(Ordering::Relaxed), 1);
    assert_eq!((held(&slot), shelf.name()), (None, None));
}

#[tokio::test]
async fn a_renewal_that_panics_is_not_in_flight_for_ever() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    let provider = Provider::new(false, [Answer::Panics, Answer::Gives("b")]);
    let lost = slot.renew(Arc::clone(&provider) as _).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Transport);
    slot.renew(Arc::clone(&provider) as _).await.unwrap();
    assert_eq!(held(&slot).as_deref(), Some("b"));
    assert_eq!(shelf.released.load(Ordering::Relaxed), 2, "the claim is given back in any case");
}

/// Only who began a renewal is told that it was lost; who joined it begins another.
#[tokio::test]
async fn a_renewal_that_panics_costs_nobody_else_his() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    let provider = Provider::new(false, [Answer::Panics, Answer::Gives("b")]);
    let renew = || slot.renew(Arc::clone(&provider) as _);
    let (first, second) = tokio::join!(renew(), renew());
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Transport);
    second.unwrap();
    assert_eq!(held(&slot).as_deref(), Some("b"));

    let slot = self::slot(&Arc::default());
    let provider = Provider::new(true, [Answer::Panics, Answer::Gives("c")]);
    let ask = || slot.token(Arc::clone(&provider) as _);
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!(first.err().map(|error| error.kind()), Some(ErrorKind::Transport));
    assert_eq!(second.unwrap().token, token("c"));
}

#[tokio::test]
async fn a_failed_early_renewal_is_not_tried_again_at_once() {
    let shelf = Arc::new(Shelf::default());
    let slot = opened(&shelf).await;
    slot.state().be_due();
    let provider = Provider::new(false, [Answer::Fails(ErrorKind::Transport), Answer::Gives("b")]);
    for _ in 0..3 {
        assert_eq!(slot.token(Arc::clone(&provider) as _).await.unwrap().token, token("a"));
    }
    assert_eq!(provider.asked().len(), 1);
    assert!(slot.fresh().is_some_and(|lease| lease.token == token("a") && !lease.new));
}
