//! `sandbox config`, and the configuration file that it tells of.

use std::{env, io, num::NonZeroU32, path::Path};

use sandbox_client::ClientBuilder;
use serde::Deserialize;

use super::{
    arguments::Shared, connection::REQUESTS_PER_MINUTE, failure::Failure, files, folders, output::Sheet,
};

/// The configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    api_key: String,
    api_secret: Option<String>,
    base_url: Option<String>,
    requests_per_minute: Option<NonZeroU32>,
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    1 + text.get(..start).map_or(0, |before| before.matches('\n').count())
}

impl ConfigFile {
    /// `None` where there is no file. Refuses one that others may read.
    pub fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match files::refuse_other(path).and_then(|()| files::text(files::read(path)?)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::configuration(format!("cannot read {}: {error}", path.display())));
            }
        };
        folders::refuse_public(path)?;
        toml::from_str(&text).map(Some).map_err(|error| {
            // The parser's own message would quote the line, secrets and all. The name of a
            // member that is missing is one of ours.
            let reason = match error.message().strip_prefix("missing field ") {
                Some(name) => format!("lacks {name}"),
                None => format!("is invalid at line {}", line_of(&text, error.span())),
            };
            Failure::configuration(format!("{} {reason}", path.display())).hint(
                "Its settings: api_key, api_secret, base_url \
                 (strings), requests_per_minute (a positive integer).",
            )
        })
    }

    pub fn builder(self) -> ClientBuilder {
        let mut builder = ClientBuilder::default().key(self.api_key);
        if let Some(secret) = self.api_secret {
            builder = builder.secret(secret);
        }
        if let Some(base_url) = self.base_url {
            builder = builder.base_url(base_url);
        }
        if let Some(limit) = self.requests_per_minute {
            builder = builder.requests_per_minute(limit.get());
        }
        builder
    }

    pub fn requests_per_minute(&self) -> Option<u32> {
        self.requests_per_minute.map(NonZeroU32::get)
    }
}

/// Shows where things are and whether they are as they should be. Never a value.
pub fn run(shared: &Shared) -> Result<(), Failure> {
    let config = folders::config_file()?;
    let sessions = folders::sessions()?;
    let mut sheet = Sheet::new(&[("what", "What"), ("where", "Where"), ("state", "State")]);
    let mut problem = None;
    let mut check = |outcome: Result<String, Failure>| {
        outcome.unwrap_or_else(|failure| {
            problem.get_or_insert(failure);
            "refused".to_owned()
        })
    };

    let from_env = env::var_os("SANDBOX_API_KEY").is_some();
    let file = check(ConfigFile::read(&config).map(|file| match (file, from_env) {
        (None, _) => "does not exist".to_owned(),
        (Some(_), true) => "not used: SANDBOX_API_KEY is set".to_owned(),
        (Some(_), false) => "in use".to_owned(),
    }));
    sheet.row(vec!["configuration".into(), config.display().to_string().into(), file.into()]);
    for name in [
        "SANDBOX_API_KEY",
        "SANDBOX_API_SECRET",
        "SANDBOX_ACCESS_TOKEN",
        "SANDBOX_BASE_URL",
        REQUESTS_PER_MINUTE,
        "SANDBOX_REDIS_URL",
        "SANDBOX_REDIS_KEY",
        "SANDBOX_REDIS_WORKERS",
    ] {
        let state = if env::var_os(name).is_some() { "set" } else { "not set" };
        sheet.row(vec![name.into(), "environment".into(), state.into()]);
    }
    let state = if sessions.exists() {
        check(folders::refuse_public(&sessions).map(|()| "private".to_owned()))
    } else {
        "does not exist yet".to_owned()
    };
    sheet.row(vec!["sessions".into(), sessions.display().to_string().into(), state.into()]);
    sheet.print(shared.format)?;
    problem.map_or(Ok(()), Err)
}
