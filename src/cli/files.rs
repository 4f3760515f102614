//! Files of the user, as far as the command reads them whole or replaces them:
//! none of them may keep it waiting for ever or take all memory.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::failure::Failure;

/// The most that is read from one file, a pipe or standard input.
const LONGEST: u64 = 1 << 30;

/// What a command is to work on, and its name for messages. `-` is standard input.
pub fn input(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let (name, bytes) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), to_end(io::stdin().lock(), 0))
    } else {
        (path.display().to_string(), read(path))
    };
    match bytes {
        Ok(bytes) => Ok((name, bytes)),
        Err(error) => Err(Failure::usage(format!("cannot read {name}: {error}"))),
    }
}

/// The same as text.
pub fn input_text(path: &Path) -> Result<String, Failure> {
    let (name, bytes) = input(path)?;
    text(bytes).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))
}

/// The whole of a file. A named pipe will do, as the shell's `<(…)` gives one;
/// a device has no end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(unusable("it is a folder"));
    }
    if !metadata.is_file() && !is_pipe(&metadata) {
        return Err(unusable("it is a device, not a file"));
    }
    to_end(File::open(path)?, metadata.len())
}

/// Refuses what is there and is not a regular file, itself or at the end of a link.
pub fn refuse_other(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(unusable("it is a folder")),
        Ok(metadata) if !metadata.is_file() => Err(unusable("it is not a regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

fn to_end(source: impl Read, expected: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if expected <= LONGEST {
        source.take(LONGEST + 1).read_to_end(&mut bytes)?;
    }
    if expected > LONGEST || bytes.len() as u64 > LONGEST {
        return Err(unusable("it is larger than 1 GiB"));
    }
    Ok(bytes)
}

fn unusable(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

/// Their names are no paths of files there.
#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}
