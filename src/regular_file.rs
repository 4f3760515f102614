//! Opening files that are read to their end: a named pipe would wait for
//! whoever writes into it, and a device may have no end.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Opens a file to read. What is not a regular file, itself or at the end of a
/// link, is refused before it is opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}
