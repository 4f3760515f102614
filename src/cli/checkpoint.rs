//! What a batch or a sweep has answered, so that it is not asked again after a stop.
//!
//! A file of JSON lines that only grows: a head that names the service, then a
//! record for each answer, written whole before it is shown. A line that a
//! sudden end has cut is dropped when the file is opened.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    failure::{Exit, Failure},
    files,
};

pub struct Checkpoint {
    file: File,
    path: PathBuf,
}

impl Checkpoint {
    /// Opens or makes the file, and gives the records in it, in order.
    ///
    /// The first line has the kind of the file with the version of its form,
    /// and whose answers these are: those of a test are none for the real service.
    pub fn open<R: DeserializeOwned>(
        path: &Path,
        kind: &str,
        service: &str,
    ) -> Result<(Self, Vec<R>), Failure> {
        let unusable = |reason: &str| Failure::usage(format!("checkpoint {} {reason}", path.display()));
        files::refuse_other(path).map_err(|error| unusable(&format!("cannot be used: {error}")))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Others may read it, and not open it to write.
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
        let mut file = options.open(path).map_err(|error| unusable(&format!("cannot be opened: {error}")))?;
        if is_taken(&file) {
            return Err(unusable(&format!("is in use by another {kind}"))
                .hint("Wait until it ends, or use another file."));
        }

        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());

        let start = format!("{{\"{kind}\"");
        match lines.next().map(serde_json::from_slice::<Value>) {
            // Not even a line: new, or cut while its head was written.
            None if text.is_empty() || text.starts_with(start.as_bytes()) => {}
            Some(Ok(known)) if known[kind] == 1 && known["service"] == service => {}
            Some(Ok(known)) if known[kind] == 1 && known["service"].is_string() => {
                let other = known["service"].as_str().unwrap_or_default();
                return Err(
                    unusable(&format!("belongs to another service, {other}")).hint("Use another file.")
                );
            }
            _ => return Err(unusable("is not a checkpoint of this program").hint("Use another file.")),
        }
        let mut records = Vec::new();
        for (index, line) in lines.enumerate() {
            let record = serde_json::from_slice(line)
                .map_err(|_| unusable(&format!("cannot be read at line {}", index + 2)))?;
            records.push(record);
        }

        let mut checkpoint = Self { file, path: path.to_owned() };
        let cut = checkpoint.file.set_len(whole as u64);
        cut.and_then(|()| checkpoint.file.seek(SeekFrom::End(0)))
            .map_err(|error| checkpoint.unwritable(&error))?;
        if whole == 0 {
            checkpoint.note(&json!({kind: 1, "service": service}))?;
        }
        Ok((checkpoint, records))
    }

    /// One write for a whole line: the system has it when this returns, so it
    /// survives the end of this process, however sudden.
    pub fn note(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(record).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &std::io::Error) -> Failure {
        Failure::new(Exit::Other, format!("checkpoint {} cannot be written: {error}", self.path.display()))
            .hint("Recorded results are kept; run the same command to continue.")
    }
}

/// Locks the file until it is closed. Two runs would write over each other: a
/// long one and the next that a timer starts. Where the file system knows no
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
