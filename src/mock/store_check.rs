//! What every `TokenStore` must do, for those who write one.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;

use crate::{
    SavedToken, TaxpayerId, Token, TokenKey, TokenStore,
    token::{Guard, PLATFORM, TAXPAYER},
    values::Gstin,
};

const HOUR: Duration = Duration::from_secs(3600);
/// How many write at once.
const MANY: usize = 8;

/// Checks everything that clients rely on in a [`TokenStore`], with keys that
/// no other run uses. Other content of the store does not matter.
///
/// ```
/// use std::sync::Arc;
/// use sandbox_client::{MemoryStore, mock::check_token_store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// check_token_store(Arc::new(MemoryStore::default())).await.unwrap();
/// # }
/// ```
///
/// # Errors
///
/// A line for each violation.
pub async fn check_token_store(store: Arc<dyn TokenStore>) -> Result<(), String> {
    let suite = Suite { store: Guard::new(store) };
    let mut faults = String::new();
    macro_rules! cases {
        ($($case:ident),*) => {
            $(if let Err(fault) = suite.$case().await {
                let _ = writeln!(faults, "{}: {fault}", stringify!($case).replace('_', " "));
            })*
        };
    }
    cases!(
        an_unknown_key_has_nothing,
        what_is_kept_is_given_back,
        keys_are_kept_apart,
        a_newer_token_takes_the_place,
        an_older_token_does_not,
        a_time_in_the_future_is_not_later,
        replace_takes_the_place_of_that_token_alone,
        replace_does_not_bring_back_what_was_removed,
        of_many_who_replace_one_does,
        what_is_removed_is_gone,
        a_session_that_is_opened_after_a_removal_is_renewed,
        a_refused_token_is_removed_and_no_other,
        a_claim_that_was_released_is_granted_again
    );
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

struct Suite {
    store: Guard,
}

type Case = Result<(), String>;

/// A taxpayer whom no other run knows.
fn key() -> TokenKey {
    key_of("27AACCA8432H2ZP", &format!("suite '\"\\ \u{0915} {}", fastrand::u128(..)), TAXPAYER)
}

fn key_of(gstin: &str, username: &str, kind: &'static str) -> TokenKey {
    let gstin = Gstin::unchecked(gstin).expect("a GSTIN");
    TokenKey::new(
        "http://127.0.0.1:1",
        "key_test_suite",
        kind,
        Some(TaxpayerId { gstin, username: username.to_owned() }),
    )
}

fn token(key: &TokenKey) -> SavedToken {
    // As long as real ones become.
    let text = format!("{:0>1500}.{}", fastrand::u64(..), fastrand::u128(..));
    let saved = SavedToken::new(Token::new(text).expect("visible ASCII"), HOUR);
    let session_expires_at = Some(saved.issued_at + 24 * HOUR);
    SavedToken { session_expires_at, key: Some(key.id()), ..saved }
}

fn ensure(holds: bool, otherwise: &str) -> Case {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn failed(failure: impl std::fmt::Display) -> String {
    format!("a step failed: {failure}")
}

impl Suite {
    async fn get(&self, key: &TokenKey) -> Result<Option<SavedToken>, String> {
        self.store.stored(key).await.map_err(failed)
    }

    async fn put(&self, key: &TokenKey, token: &SavedToken) -> Result<bool, String> {
        self.store.put_if_newer(key, token).await.map_err(failed)
    }

    async fn has(&self, key: &TokenKey, token: &SavedToken) -> Case {
        let found = self.get(key).await?;
        ensure(
            found.is_some_and(|found| found.token == token.token),
            "`get` does not give the token that should be there",
        )
    }

    async fn has_nothing(&self, key: &TokenKey) -> Case {
        ensure(self.get(key).await?.is_none(), "`get` gives a token where there should be none")
    }

    /// A key with a token.
    async fn kept(&self) -> Result<(TokenKey, SavedToken), String> {
        let key = key();
        let token = token(&key);
        ensure(self.put(&key, &token).await?, "`put_if_newer` says false where nothing was before")?;
        Ok((key, token))
    }

    async fn an_unknown_key_has_nothing(&self) -> Case {
        let key = key();
        self.has_nothing(&key).await?;
        self.store.remove(&key).await.map_err(failed)?;
        self.store.remove_if(&key, &token(&key).token).await.map_err(failed)
    }

    async fn what_is_kept_is_given_back(&self) -> Case {
        let (key, token) = self.kept().await?;
        let found = self.get(&key).await?.ok_or("`get` gives nothing")?;
        ensure(found.token == token.token, "`get` gives another token")?;
        let near = |one: SystemTime, other: SystemTime| {
            let apart = one.duration_since(other).or_else(|_| other.duration_since(one));
            apart.is_ok_and(|apart| apart < Duration::from_secs(2))
        };
        ensure(near(found.issued_at, token.issued_at), "`issued_at` has changed")?;
        ensure(near(found.expires_at, token.expires_at), "`expires_at` has changed")?;
        ensure(found.session_expires_at.is_some(), "`session_expires_at` is lost")
    }

    async fn keys_are_kept_apart(&self) -> Case {
        let name = format!("suite {}", fastrand::u128(..));
        let all = [
            key_of("27AACCA8432H2ZP", &name, TAXPAYER),
            key_of("33ABKCS2033B1ZW", &name, TAXPAYER),
            key_of("27AACCA8432H2ZP", &name.to_uppercase(), TAXPAYER),
            key_of("27AACCA8432H2ZP", &name, "another_token"),
            key_of("27AACCA8432H2ZP", &format!("{name} of {PLATFORM}"), TAXPAYER),
        ];
        let mut tokens = Vec::new();
        for key in &all {
            self.has_nothing(key).await?;
            let token = token(key);
            self.put(key, &token).await?;
            tokens.push(token);
        }
        for (key, token) in all.iter().zip(&tokens) {
            self.has(key, token).await?;
        }
        Ok(())
    }

    async fn a_newer_token_takes_the_place(&self) -> Case {
        let (key, _) = self.kept().await?;
        let newer = token(&key);
        ensure(self.put(&key, &newer).await?, "`put_if_newer` refuses a newer token")?;
        self.has(&key, &newer).await
    }

    async fn an_older_token_does_not(&self) -> Case {
        let (key, known) = self.kept().await?;
        let older = token(&key);
        let issued_at = known.issued_at - HOUR / 2;
        let older = SavedToken { issued_at, expires_at: issued_at + HOUR, ..older };
        // A store that orders its writes by a number of its own may keep it: what is
        // written last is newer.
        let kept = self.put(&key, &older).await?;
        self.has(&key, if kept { &older } else { &known }).await
    }

    async fn a_time_in_the_future_is_not_later(&self) -> Case {
        let key = key();
        let ahead = token(&key);
        let issued_at = ahead.issued_at + HOUR;
        self.put(&key, &SavedToken { issued_at, expires_at: issued_at + HOUR, ..ahead }).await?;
        let now = token(&key);
        ensure(
            self.put(&key, &now).await?,
            "`put_if_newer` refuses a token because of one that was issued in the future: the clock was ahead",
        )?;
        self.has(&key, &now).await
    }

    async fn replace_takes_the_place_of_that_token_alone(&self) -> Case {
        let (key, first) = self.kept().await?;
        let (second, third) = (token(&key), token(&key));
        let kept = self.store.replace(&key, &first.token, &second).await.map_err(failed)?;
        ensure(kept, "`replace` says false although the old token is there")?;
        self.has(&key, &second).await?;
        let kept = self.store.replace(&key, &first.token, &third).await.map_err(failed)?;
        // A store that knows the order of its writes may do without the comparison.
        self.has(&key, if kept { &third } else { &second }).await
    }

    async fn replace_does_not_bring_back_what_was_removed(&self) -> Case {
        let (key, old) = self.kept().await?;
        self.store.remove(&key).await.map_err(failed)?;
        let kept = self.store.replace(&key, &old.token, &token(&key)).await.map_err(failed)?;
        ensure(!kept, "`replace` revives a session that was removed")?;
        self.has_nothing(&key).await
    }

    async fn of_many_who_replace_one_does(&self) -> Case {
        let (key, old) = self.kept().await?;
        let tokens: Vec<_> = (0..MANY).map(|_| token(&key)).collect();
        let kept = join_all(tokens.iter().map(|token| self.store.replace(&key, &old.token, token))).await;
        let found = self.get(&key).await?.ok_or("nothing is left")?;
        let winners: Vec<_> =
            tokens.iter().zip(kept).filter(|(_, kept)| kept.as_ref().is_ok_and(|kept| *kept)).collect();
        ensure(
            winners.iter().any(|(token, _)| token.token == found.token),
            "the token that is kept is none of those whose `replace` said true",
        )
    }

    async fn what_is_removed_is_gone(&self) -> Case {
        let (key, _) = self.kept().await?;
        self.store.remove(&key).await.map_err(failed)?;
        self.has_nothing(&key).await?;
        // A new session is no revival.
        let new = token(&key);
        ensure(self.put(&key, &new).await?, "a new token is refused after `remove`")?;
        self.has(&key, &new).await
    }

    /// At once, so that a store whose times are coarse takes them for one moment.
    async fn a_session_that_is_opened_after_a_removal_is_renewed(&self) -> Case {
        let (key, _) = self.kept().await?;
        self.store.remove(&key).await.map_err(failed)?;
        let new = token(&key);
        ensure(self.put(&key, &new).await?, "a new token is refused after `remove`")?;
        let newer = token(&key);
        let kept = self.store.replace(&key, &new.token, &newer).await.map_err(failed)?;
        ensure(kept, "a token that came after `remove` cannot be replaced")?;
        self.has(&key, &newer).await
    }

    async fn a_refused_token_is_removed_and_no_other(&self) -> Case {
        let (key, known) = self.kept().await?;
        self.store.remove_if(&key, &token(&key).token).await.map_err(failed)?;
        self.has(&key, &known).await?;
        self.store.remove_if(&key, &known.token).await.map_err(failed)?;
        self.has_nothing(&key).await
    }

    async fn a_claim_that_was_released_is_granted_again(&self) -> Case {
        let key = key();
        for _ in 0..2 {
            let mut granted = false;
            // It may be released a moment later.
            for _ in 0..20 {
                granted = self.store.claim(&key).await.map_err(failed)?;
                if granted {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            ensure(granted, "`claim` is not granted although nobody has it")?;
            self.store.release(&key);
        }
        Ok(())
    }
}
