//! Where configuration and sessions are kept, and who may read them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};

use super::failure::Failure;

/// The configuration file, whether it exists or not.
pub fn config_file() -> Result<PathBuf, Failure> {
    Ok(folder("SANDBOX_CONFIG_DIR", |native| native.config)?.join("config.toml"))
}

/// The folder of saved sessions, whether it exists or not.
pub fn sessions() -> Result<PathBuf, Failure> {
    Ok(folder("SANDBOX_DATA_DIR", |native| native.data)?.join("sessions"))
}

/// The platform's folders for this program.
struct Native {
    config: PathBuf,
    data: PathBuf,
}

fn folder(variable: &str, of: impl FnOnce(Native) -> PathBuf) -> Result<PathBuf, Failure> {
    if let Some(chosen) = env::var_os(variable).filter(|chosen| !chosen.is_empty()) {
        return Ok(chosen.into());
    }
    let strategy = choose_app_strategy(AppStrategyArgs {
        top_level_domain: "in".to_owned(),
        author: "sandbox-client".to_owned(),
        app_name: "sandbox-client".to_owned(),
    });
    strategy
        .map(|native| of(Native { config: native.config_dir(), data: native.data_dir() }))
        .map_err(|_| Failure::configuration(format!("this user has no home folder; set {variable}")))
}

/// Refuses what others than its owner may read or change. Outside of Unix the
/// folders of a user are private already.
pub fn refuse_public(path: &Path) -> Result<(), Failure> {
    let mode = mode(path)
        .map_err(|error| Failure::configuration(format!("cannot look at {}: {error}", path.display())))?;
    let Some(mode) = mode else { return Ok(()) };
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let right = if path.is_dir() { "700" } else { "600" };
    Err(Failure::configuration(format!("{} is accessible to other users (mode {mode:03o})", path.display()))
        .hint(format!("Restrict it: chmod {right} '{}'", path.display())))
}

/// The permission bits; `None` where there are none, or nothing is there.
fn mode(path: &Path) -> io::Result<Option<u32>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(permission_bits(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // as elsewhere
fn permission_bits(metadata: &fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777)
}

#[cfg(not(unix))]
fn permission_bits(_: &fs::Metadata) -> Option<u32> {
    None
}

/// Makes a folder that its owner alone may enter.
pub fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
