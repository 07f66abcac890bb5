//! Sealed files in a folder: `ab/ab12…` by digest, mode 0600, each durable before its name is known to anybody.
//!
//! A file is written under another name, flushed, renamed, and its folder flushed, so that under a digest there is either the
//! whole file or none. Several servers may share the folder; two databases may not, which a marker in it holds.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::ports::{EvidenceError, EvidenceStore, FileDigest};

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// Says which database the folder belongs to.
const MARKER: &str = "database-id";
/// Ending of a file that is being written.
const UNFINISHED: &str = ".part";
/// No file is larger: two pictures and a seal.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The folder of one database's stills.
#[derive(Clone, Debug)]
pub struct EvidenceFolder {
    root: Arc<Path>,
}

impl EvidenceFolder {
    /// The folder at `root`; made when it is claimed.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Runs something that reads or writes files, on a thread that may wait for them.
    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Path) -> Result<T, EvidenceError> + Send + 'static,
    ) -> Result<T, EvidenceError> {
        let root = Arc::clone(&self.root);
        let outcome = tokio::task::spawn_blocking(move || work(&root)).await;
        outcome.unwrap_or_else(|panic| Err(EvidenceError::Failed { doing, source: std::io::Error::other(panic) }))
    }
}

fn failed(doing: &'static str) -> impl Fn(std::io::Error) -> EvidenceError {
    move |source| EvidenceError::Failed { doing, source }
}

#[async_trait::async_trait]
impl EvidenceStore for EvidenceFolder {
    async fn claim(&self, database_id: &str) -> Result<(), EvidenceError> {
        let id = database_id.to_owned();
        self.run("make the folder of stills", move |root| claim(root, &id)).await
    }

    async fn keep(&self, sealed: Vec<u8>) -> Result<FileDigest, EvidenceError> {
        self.run("write a still", move |root| keep(root, &sealed)).await
    }

    async fn read(&self, file: FileDigest) -> Result<Vec<u8>, EvidenceError> {
        self.run("read a still", move |root| read(root, file)).await
    }

    async fn remove(&self, files: Vec<FileDigest>) -> Result<(), EvidenceError> {
        self.run("remove stills", move |root| remove(root, &files)).await
    }

    async fn older_than(&self, age: Duration, shelf: u8) -> Result<Vec<FileDigest>, EvidenceError> {
        self.run("list stills", move |root| older_than(&root.join(format!("{shelf:02x}")), age)).await
    }
}

fn claim(root: &Path, database_id: &str) -> Result<(), EvidenceError> {
    let failed = failed("make the folder of stills");
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(root).map_err(&failed)?;
    let marker = root.join(MARKER);
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&marker) {
        Ok(mut file) => {
            file.write_all(database_id.as_bytes()).and_then(|()| file.sync_all()).map_err(&failed)?;
            return flush(root).map_err(&failed);
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let known = std::fs::read_to_string(&marker).map_err(&failed)?;
    if known.trim() == database_id {
        return Ok(());
    }
    Err(EvidenceError::Foreign { place: root.display().to_string(), marker: MARKER })
}

/// The folder of a file, and its path.
fn place(root: &Path, file: FileDigest) -> (PathBuf, PathBuf) {
    let name = file.to_string();
    let shelf = root.join(&name[..2]);
    let path = shelf.join(name);
    (shelf, path)
}

fn keep(root: &Path, sealed: &[u8]) -> Result<FileDigest, EvidenceError> {
    let failed = failed("write a still");
    let file = FileDigest::of(sealed);
    let (shelf, path) = place(root, file);
    // The folder itself is not made again: where it is gone, so may be the disk that it was on.
    match DirBuilder::new().mode(DIR_MODE).create(&shelf) {
        Ok(()) => flush(root).map_err(&failed)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let unfinished = shelf.join(format!("{:016x}{UNFINISHED}", rand::random::<u64>()));
    let written = write(&unfinished, sealed).and_then(|()| std::fs::rename(&unfinished, &path));
    if let Err(error) = written {
        // What is left of it, if it cannot be removed now, is swept.
        let _removed = std::fs::remove_file(&unfinished);
        return Err(failed(error));
    }
    flush(&shelf).map_err(&failed)?;
    Ok(file)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes names in a folder durable.
fn flush(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn read(root: &Path, file: FileDigest) -> Result<Vec<u8>, EvidenceError> {
    let failed = failed("read a still");
    let (_shelf, path) = place(root, file);
    let opened = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(EvidenceError::Missing { file }),
        opened => opened.map_err(&failed)?,
    };
    let mut bytes = Vec::new();
    opened.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(&failed)?;
    if FileDigest::of(&bytes) == file { Ok(bytes) } else { Err(EvidenceError::Changed { file }) }
}

fn remove(root: &Path, files: &[FileDigest]) -> Result<(), EvidenceError> {
    let failed = failed("remove stills");
    let mut shelves = std::collections::BTreeSet::new();
    for file in files {
        let (shelf, path) = place(root, *file);
        match std::fs::remove_file(path) {
            Ok(()) => drop(shelves.insert(shelf)),
            // A folder that is gone as a whole is one that is not mounted: its files may come back.
            Err(error) if error.kind() == ErrorKind::NotFound && root.join(MARKER).exists() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    shelves.iter().try_for_each(|shelf| flush(shelf)).map_err(&failed)
}

/// The finished files of a shelf that are old enough; unfinished ones of that age are removed.
fn older_than(shelf: &Path, age: Duration) -> Result<Vec<FileDigest>, EvidenceError> {
    let failed = failed("list stills");
    let entries = match std::fs::read_dir(shelf) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let now = SystemTime::now();
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        let modified = match entry.metadata().and_then(|metadata| metadata.modified()) {
            // Another server was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            modified => modified.map_err(&failed)?,
        };
        if now.duration_since(modified).unwrap_or_default() < age {
            continue;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(UNFINISHED) {
            let _removed = std::fs::remove_file(entry.path());
        }
        found.extend(FileDigest::from_hex(name));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
