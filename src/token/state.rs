//! What a slot knows, and what each event makes of it. Each method is one step
//! that nothing can come between; none waits.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::SavedToken;
use crate::{Error, Token};

/// After a failed early renewal, the next is tried no sooner than this.
pub(super) const RENEWAL_PAUSE: Duration = Duration::from_secs(60);

/// How many tokens that must not come back are remembered.
const SPENT: usize = 8;

/// How a renewal ended; `None` while it is in flight.
type Outcome = Option<Result<Landed, Error>>;

/// The token that a renewal has led to.
#[derive(Clone)]
pub(super) struct Landed {
    pub token: Token,
    /// It came from the server, and not from the store.
    pub new: bool,
}

#[derive(Default)]
pub(super) struct State {
    held: Option<Held>,
    moment: Moment,
    flight: Option<Flight>,
    flights: u64,
    /// Tokens that the server refused, or that another has replaced: a store
    /// may still give them.
    spent: VecDeque<Token>,
    /// The token that the store is known to have: it gave it back.
    pub stored: Option<Token>,
}

/// When something began, as far as later events can make it void.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Moment {
    /// Logouts and the like so far.
    ended: u64,
    /// Sessions opened so far.
    opened: u64,
}

struct Held {
    saved: SavedToken,
    renew_at: Instant,
    expires_at: Instant,
}

struct Flight {
    number: u64,
    outcome: watch::Receiver<Outcome>,
}

/// What a renewal is to do.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Aim {
    /// Any valid token.
    Any,
    /// A new one although one is valid, since that is near its end.
    Early,
    /// A new one although one is valid, since somebody asks for it.
    New,
}

/// A renewal that is to be started.
pub(super) struct Start {
    pub number: u64,
    pub aim: Aim,
    /// The token that is to be replaced.
    pub from: Option<Token>,
    pub moment: Moment,
    pub outcome: watch::Sender<Outcome>,
    pub joined: watch::Receiver<Outcome>,
}

/// The answer to one who needs a token.
pub(super) enum Asked {
    Use(Token),
    Join(watch::Receiver<Outcome>),
    Start(Start),
}

/// The outcome for a token that the server has issued.
#[derive(Debug, PartialEq)]
pub(super) enum Accepted {
    Held,
    /// The session was ended after the request began.
    Ended,
    /// Another session was opened after the request began.
    Superseded,
}

impl State {
    /// The token if it lives, and whether it should be renewed.
    pub fn alive(&self, now: Instant) -> Option<(&Token, bool)> {
        let held = self.held.as_ref().filter(|held| now < held.expires_at)?;
        Some((&held.saved.token, now >= held.renew_at))
    }

    pub fn saved(&self) -> Option<&SavedToken> {
        self.held.as_ref().map(|held| &held.saved)
    }

    /// As if the token were near its end.
    #[cfg(test)]
    pub fn be_due(&mut self) {
        if let Some(held) = &mut self.held {
            held.renew_at = Instant::now();
        }
    }

    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// How long the token lives on.
    pub fn left(&self, now: Instant) -> Duration {
        self.held.as_ref().map_or(Duration::ZERO, |held| held.expires_at.saturating_duration_since(now))
    }

    /// One needs a token. Near its end it is renewed by one of them, while the
    /// others go on with it.
    pub fn ask(&mut self, now: Instant) -> Asked {
        match (self.alive(now), &self.flight) {
            (Some((token, false)), _) | (Some((token, true)), Some(_)) => Asked::Use(token.clone()),
            (Some((_, true)), None) => Asked::Start(self.start(Aim::Early)),
            (None, Some(flight)) => Asked::Join(flight.outcome.clone()),
            (None, None) => Asked::Start(self.start(Aim::Any)),
        }
    }

    /// One wants a new token although one is valid.
    pub fn ask_for_new(&mut self) -> Asked {
        match &self.flight {
            Some(flight) => Asked::Join(flight.outcome.clone()),
            None => Asked::Start(self.start(Aim::New)),
        }
    }

    fn start(&mut self, aim: Aim) -> Start {
        let (sender, outcome) = watch::channel(None);
        self.flights += 1;
        let number = self.flights;
        self.flight = Some(Flight { number, outcome: outcome.clone() });
        let from = self.saved().map(|saved| saved.token.clone());
        Start { number, aim, from, moment: self.moment, outcome: sender, joined: outcome }
    }

    /// The token that makes a renewal needless, as far as one is held:
    /// another call may have found it in the store since the renewal began.
    pub fn suffices(&self, start: &Start, now: Instant) -> Option<Token> {
        let (token, due) = self.alive(now)?;
        let replaced = start.from.as_ref() != Some(token);
        let enough = match start.aim {
            Aim::Any => true,
            Aim::Early => !due,
            Aim::New => replaced,
        };
        enough.then(|| token.clone())
    }

    /// A renewal has ended, or was given up.
    /// Whether it still was in flight.
    pub fn landed(&mut self, number: u64) -> bool {
        self.flight.take_if(|flight| flight.number == number).is_some()
    }

    /// No early renewal for this long.
    pub fn postpone(&mut self, now: Instant, pause: Duration) {
        if let Some(held) = &mut self.held {
            held.renew_at = held.renew_at.max(now + pause);
        }
    }

    /// Whether what began at `moment` may still change the session.
    pub fn is_void(&self, moment: Moment) -> bool {
        self.moment != moment
    }

    pub fn has_ended_since(&self, moment: Moment) -> bool {
        self.moment.ended != moment.ended
    }

    /// A renewal that began at `moment` has a token from the server.
    pub fn renewed(&mut self, moment: Moment, saved: SavedToken, margin: Duration, now: Instant) -> Accepted {
        if self.has_ended_since(moment) {
            return Accepted::Ended;
        }
        if self.moment.opened != moment.opened {
            return Accepted::Superseded;
        }
        self.hold(saved, margin, now);
        Accepted::Held
    }

    /// A login that began at `moment` has a token from the server.
    pub fn opened(&mut self, moment: Moment, saved: SavedToken, margin: Duration, now: Instant) -> Accepted {
        if self.has_ended_since(moment) {
            return Accepted::Ended;
        }
        self.moment.opened += 1;
        self.flight = None;
        self.stored = None;
        self.hold(saved, margin, now);
        Accepted::Held
    }

    /// The caller gave a token that was kept elsewhere.
    pub fn resumed(&mut self, saved: SavedToken, margin: Duration, now: Instant) {
        self.moment.opened += 1;
        self.flight = None;
        self.stored = None;
        self.spent.retain(|spent| *spent != saved.token);
        self.hold(saved, margin, now);
    }

    /// The store has a token; whether it was taken. What began before the
    /// session ended, or before another was opened, takes none.
    pub fn found(&mut self, moment: Moment, saved: SavedToken, margin: Duration, now: Instant) -> bool {
        if self.is_void(moment) || self.is_spent(&saved.token) {
            return false;
        }
        self.stored = Some(saved.token.clone());
        self.hold(saved, margin, now);
        true
    }

    fn hold(&mut self, saved: SavedToken, margin: Duration, now: Instant) {
        if let Some(before) = self.held.take()
            && before.saved.token != saved.token
        {
            self.spend(before.saved.token);
        }
        let life = saved.life_left();
        // A tenth of the whole life, not of what is left: a session that was
        // restored shortly before its end is due at once.
        let whole = saved.expires_at.duration_since(saved.issued_at).unwrap_or(life);
        let renew_at = now + life.saturating_sub(margin.min(whole / 10));
        self.held = Some(Held { saved, renew_at, expires_at: now + life });
    }

    /// The caller has ended the session. What began before is void.
    pub fn ended(&mut self) {
        self.moment.ended += 1;
        self.flight = None;
        self.stored = None;
        if let Some(held) = self.held.take() {
            self.spend(held.saved.token);
        }
    }

    /// The store no longer has `token`: another process has ended the session.
    /// Whether that concerns what is held.
    pub fn ended_elsewhere(&mut self, token: &Token) -> bool {
        let concerned = self.saved().is_some_and(|saved| saved.token == *token);
        if concerned {
            self.ended();
        }
        concerned
    }

    /// The server refused `token`.
    pub fn refused(&mut self, token: &Token) -> Refused {
        self.spend(token.clone());
        if let Some(other) = self.other_than(token) {
            return Refused::Replaced(other);
        }
        match &self.flight {
            Some(flight) => Refused::Wait(flight.outcome.clone()),
            None => Refused::Alone,
        }
    }

    /// No other token was found in the place of `token`.
    pub fn drop_refused(&mut self, token: &Token) -> Option<Token> {
        let other = self.other_than(token);
        if other.is_none() {
            self.held = None;
            self.stored.take_if(|stored| stored == token);
        }
        other
    }

    pub fn other_than(&self, token: &Token) -> Option<Token> {
        self.saved().map(|saved| saved.token.clone()).filter(|held| held != token)
    }

    pub fn is_spent(&self, token: &Token) -> bool {
        self.spent.contains(token)
    }

    fn spend(&mut self, token: Token) {
        if self.is_spent(&token) {
            return;
        }
        if self.spent.len() == SPENT {
            self.spent.pop_front();
        }
        self.spent.push_back(token);
    }
}

/// What there is for a call whose token was refused.
pub(super) enum Refused {
    Replaced(Token),
    /// A renewal is in flight, and may be why: the provider may end the old
    /// token with it.
    Wait(watch::Receiver<Outcome>),
    Alone,
}

#[cfg(test)]
#[allow(clippy::unchecked_time_subtraction)] // moments that are hours ahead
mod tests {
    use std::time::SystemTime;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const MARGIN: Duration = Duration::from_secs(60);

    fn saved(token: &str) -> SavedToken {
        SavedToken::new(Token::new(token).unwrap(), HOUR)
    }

    fn token(state: &State, now: Instant) -> Option<(String, bool)> {
        state.alive(now).map(|(token, due)| (token.expose_secret().to_owned(), due))
    }

    fn opened(token: &str, now: Instant) -> State {
        let mut state = State::default();
        assert_eq!(state.opened(state.moment(), saved(token), MARGIN, now), Accepted::Held);
        state
    }

    /// How far two moments may be apart that are computed by different clocks.
    const CLOSE: Duration = Duration::from_secs(1);

    #[test]
    fn a_token_is_used_until_it_is_due_and_lives_until_its_end() {
        let now = Instant::now();
        let state = opened("a", now);
        assert_eq!(token(&state, now), Some(("a".to_owned(), false)));
        let due = now + HOUR - MARGIN;
        assert_eq!(token(&state, due - CLOSE), Some(("a".to_owned(), false)));
        assert_eq!(token(&state, due), Some(("a".to_owned(), true)));
        let held = state.held.as_ref().unwrap();
        assert!(held.expires_at <= now + HOUR && held.expires_at > now + HOUR - CLOSE);
        assert_eq!(token(&state, held.renew_at), Some(("a".to_owned(), true)), "due at once");
        assert!(token(&state, held.renew_at - Duration::from_nanos(1)).is_some_and(|(_, due)| !due));
        assert_eq!(token(&state, held.expires_at), None, "at its end it is over");
        assert!(token(&state, held.expires_at - Duration::from_nanos(1)).is_some());
        assert_eq!(state.left(held.expires_at), Duration::ZERO);
        assert_eq!(state.left(held.expires_at - MARGIN), MARGIN);
    }

    #[test]
    fn a_short_life_has_a_short_margin_and_a_restored_token_the_whole_one() {
        let now = Instant::now();
        let mut state = State::default();
        let short = SavedToken::new(Token::new("a").unwrap(), 10 * CLOSE);
        state.resumed(short, MARGIN, now);
        assert!(token(&state, now + 8 * CLOSE).is_some_and(|(_, due)| !due), "a tenth, and not the margin");
        assert!(token(&state, now + 9 * CLOSE).is_some_and(|(_, due)| due));
        // Of an hour, thirty seconds are left: within the margin of a minute.
        let long_ago = SystemTime::now() - HOUR + 30 * CLOSE;
        let old = SavedToken { issued_at: long_ago, expires_at: long_ago + HOUR, ..saved("b") };
        state.resumed(old, MARGIN, now);
        assert!(token(&state, now).is_some_and(|(_, due)| due));
    }

    #[test]
    fn near_its_end_one_renews_and_the_others_go_on() {
        let now = Instant::now();
        let mut state = opened("a", now);
        let due = now + HOUR - MARGIN;
        let Asked::Start(start) = state.ask(due) else { panic!("the first renews") };
        assert!(
            start.aim == Aim::Early && start.from.as_ref().is_some_and(|from| from.expose_secret() == "a")
        );
        assert!(matches!(state.ask(due), Asked::Use(token) if token.expose_secret() == "a"));
        assert!(matches!(state.ask(now + HOUR), Asked::Join(_)), "over: all wait");
        assert!(matches!(state.ask_for_new(), Asked::Join(_)));
        // It failed: the next is tried after a pause.
        assert!(state.landed(start.number) && !state.landed(start.number));
        state.postpone(due, MARGIN / 2);
        assert!(matches!(state.ask(due), Asked::Use(_)));
        assert!(matches!(state.ask(due + MARGIN / 2), Asked::Start(_)));
    }

    #[test]
    fn what_was_held_already_makes_a_renewal_needless() {
        let now = Instant::now();
        let mut state = opened("a", now);
        let Asked::Start(new) = state.ask_for_new() else { panic!() };
        assert!(state.suffices(&new, now).is_none(), "it is the one to be replaced");
        assert!(state.found(state.moment(), saved("b"), MARGIN, now));
        assert_eq!(state.suffices(&new, now).unwrap().expose_secret(), "b");
        state.landed(new.number);
        let due = now + HOUR - MARGIN;
        let Asked::Start(early) = state.ask(due) else { panic!() };
        assert!(state.suffices(&early, due).is_none());
        assert!(state.suffices(&early, now).is_some(), "not due any more");
        assert!(state.suffices(&early, now + HOUR).is_none(), "over");
    }

    #[test]
    fn what_began_before_the_end_of_a_session_is_void() {
        let now = Instant::now();
        let mut state = opened("a", now);
        let before = state.moment();
        state.ended();
        assert!(state.is_void(before) && state.has_ended_since(before));
        assert_eq!(state.renewed(before, saved("b"), MARGIN, now), Accepted::Ended);
        assert_eq!(state.opened(before, saved("b"), MARGIN, now), Accepted::Ended);
        assert!(!state.found(before, saved("b"), MARGIN, now));
        assert!(!state.found(state.moment(), saved("a"), MARGIN, now), "the store may still have it");
        assert!(token(&state, now).is_none());
        // Another session makes renewals of the one before void, no logins.
        let mut state = opened("a", now);
        let before = state.moment();
        assert_eq!(state.opened(before, saved("b"), MARGIN, now), Accepted::Held);
        assert!(state.is_void(before) && !state.has_ended_since(before));
        assert_eq!(state.renewed(before, saved("c"), MARGIN, now), Accepted::Superseded);
        assert_eq!(state.renewed(state.moment(), saved("c"), MARGIN, now), Accepted::Held);
        assert!(state.is_spent(&Token::new("b").unwrap()), "replaced");
    }

    #[test]
    fn a_refused_token_does_not_come_back() {
        let now = Instant::now();
        let mut state = opened("a", now);
        let refused = Token::new("a").unwrap();
        assert!(matches!(state.refused(&refused), Refused::Alone));
        assert!(state.drop_refused(&refused).is_none());
        assert!(token(&state, now).is_none());
        assert!(!state.found(state.moment(), saved("a"), MARGIN, now));
        // The caller may insist.
        state.resumed(saved("a"), MARGIN, now);
        assert!(token(&state, now).is_some());
        // Another token in its place is not touched.
        assert!(state.found(state.moment(), saved("b"), MARGIN, now));
        assert!(matches!(state.refused(&refused), Refused::Replaced(other) if other.expose_secret() == "b"));
        assert_eq!(state.drop_refused(&refused).unwrap().expose_secret(), "b");
        let Asked::Start(_) = state.ask_for_new() else { panic!() };
        assert!(matches!(state.refused(&Token::new("b").unwrap()), Refused::Wait(_)));
    }

    #[test]
    fn a_renewal_that_was_given_up_ends_no_later_one() {
        let now = Instant::now();
        let mut state = opened("a", now);
        let Asked::Start(first) = state.ask_for_new() else { panic!() };
        state.ended();
        let Asked::Start(second) = state.ask_for_new() else { panic!() };
        assert!(!state.landed(first.number) && state.landed(second.number));
    }

    #[test]
    fn a_resumed_token_is_trusted_again_and_outlives_a_renewal_of_the_one_before() {
        let now = Instant::now();
        let mut state = opened("a", now);
        state.refused(&Token::new("b").unwrap());
        state.refused(&Token::new("c").unwrap());
        let moment = state.moment();
        state.resumed(saved("b"), MARGIN, now);
        assert!(!state.is_spent(&Token::new("b").unwrap()) && state.is_spent(&Token::new("c").unwrap()));
        assert_eq!(state.renewed(moment, saved("d"), MARGIN, now), Accepted::Superseded);
        assert_eq!(token(&state, now), Some(("b".to_owned(), false)));
    }

    #[test]
    fn few_refused_tokens_are_remembered() {
        let now = Instant::now();
        let mut state = State::default();
        for number in 0..=SPENT {
            state.refused(&Token::new(format!("token-{number}")).unwrap());
            state.refused(&Token::new(format!("token-{number}")).unwrap());
        }
        assert_eq!(state.spent.len(), SPENT);
        assert!(state.found(state.moment(), saved("token-0"), MARGIN, now), "long ago");
        assert!(!state.found(state.moment(), saved("token-1"), MARGIN, now));
    }

    #[test]
    fn an_end_elsewhere_concerns_the_token_that_is_held() {
        let now = Instant::now();
        let mut state = opened("a", now);
        assert!(!state.ended_elsewhere(&Token::new("b").unwrap()));
        assert!(token(&state, now).is_some());
        let before = state.moment();
        assert!(state.ended_elsewhere(&Token::new("a").unwrap()));
        assert!(token(&state, now).is_none() && state.has_ended_since(before));
    }
}
