//! What a sweep has answered, so that it is not asked again after a stop.
//!
//! A file of JSON lines that only grows: a head that names the service, then a
//! [`Record`] for each answer, written whole before it is shown. A line that a
//! sudden end has cut is dropped when the file is opened.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::cli::failure::{Exit, Failure};

pub struct Checkpoint {
    file: File,
    path: PathBuf,
}

/// The first line.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    /// Version of the form.
    sweep: u32,
    /// Whose answers these are: those of a test are none for the real service.
    service: String,
}

impl Checkpoint {
    /// Opens or makes the file, and gives the last answer to each call in it.
    pub fn open(path: &Path, service: &str) -> Result<(Self, Vec<Record>), Failure> {
        let unusable = |reason: &str| Failure::usage(format!("checkpoint {} {reason}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Others may read it, and not open it to write.
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
        let mut file = options.open(path).map_err(|error| unusable(&format!("cannot be opened: {error}")))?;
        if is_taken(&file) {
            return Err(
                unusable("is in use by another sweep").hint("Wait for its end, or name another file.")
            );
        }

        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());

        let head = Head { sweep: 1, service: service.to_owned() };
        match lines.next().map(serde_json::from_slice::<Head>) {
            // Not even a line: new, or cut while its head was written.
            None if text.is_empty() || text.starts_with(b"{\"sweep\"") => {}
            Some(Ok(known)) if known == head => {}
            Some(Ok(known)) if known.sweep == 1 => {
                return Err(
                    unusable(&format!("is of another service, {}", known.service)).hint("Name another file.")
                );
            }
            _ => return Err(unusable("is no checkpoint of this program").hint("Name another file.")),
        }
        let mut answers = BTreeMap::new();
        for (index, line) in lines.enumerate() {
            let record: Record = serde_json::from_slice(line)
                .map_err(|_| unusable(&format!("cannot be read at line {}", index + 2)))?;
            let key = (record.gstin, record.username.clone(), record.type_of_goods.to_string());
            answers.insert(key, record);
        }

        let mut checkpoint = Self { file, path: path.to_owned() };
        let cut = checkpoint.file.set_len(whole as u64);
        cut.and_then(|()| checkpoint.file.seek(SeekFrom::End(0)))
            .map_err(|error| checkpoint.unwritable(&error))?;
        if whole == 0 {
            checkpoint.line(&head)?;
        }
        Ok((checkpoint, answers.into_values().collect()))
    }

    pub fn note(&mut self, record: &Record) -> Result<(), Failure> {
        self.line(record)
    }

    /// One write for a whole line: the system has it when this returns, so it
    /// survives the end of this process, however sudden.
    fn line(&mut self, content: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(content).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &std::io::Error) -> Failure {
        Failure::new(Exit::Other, format!("checkpoint {} cannot be written: {error}", self.path.display()))
            .hint("What is noted stays; the same command goes on from it.")
    }
}

/// Locks the file until it is closed. Two sweeps would write over each other:
/// a long one and the next that a timer starts. Where the file system knows no
/// locks there is none, as on some of a network.
#[cfg(unix)]
fn is_taken(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};

    flock(file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// Opening has locked it already.
#[cfg(not(unix))]
fn is_taken(_: &File) -> bool {
    false
}
