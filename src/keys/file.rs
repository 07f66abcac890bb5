//! The operator's key file: which keys there are, and when they were made.
//!
//! TOML, mode 0600, one table a key. The newest key of a kind is the one in use; older ones still open and verify what they
//! sealed and signed. It belongs apart from the database and its backups: whoever has both can read what was sealed, and
//! without it nobody can.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::hex;
use super::sealing::{MasterKey, Reload, SealingKeys};
use super::signing::{SigningKey, VerifyingKey};

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// A key file of a century of monthly keys is smaller.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const HEADER: &str = "# Keys of Bonafide. Whoever has this file and the database can read the stills and templates in it; without this file\n\
                      # nobody can. Keep a copy of it where no backup of the database is.\n";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Signs the audit log and reports.
    Signing,
    /// Wraps the keys of sessions.
    Sealing,
}

/// A key by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// What for.
    pub kind: KeyKind,
    /// Its name.
    pub id: String,
    /// Whether it is the one in use; others only open and verify.
    pub is_current: bool,
}

/// The keys of one installation.
#[derive(Debug)]
pub struct KeyFile {
    former: Vec<Arc<SigningKey>>,
    current: Arc<SigningKey>,
    sealing: Arc<SealingKeys>,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none.
    #[error("keys.file: {} does not exist: restore it, or make a new one with `bonafide keys create`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is one already.
    #[error("keys.file: {} exists already and is not overwritten", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// It is of before there were sealing keys.
    #[error("keys.file: {} has no sealing key: start the server once, which adds one", path.display())]
    NoSealingKey {
        /// Where.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("keys.file: cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// It is no key file, or was cut short.
    #[error("keys.file: {}: {problem}", path.display())]
    Malformed {
        /// Where.
        path: PathBuf,
        /// What is wrong; never a key.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    signing: Vec<StoredKey>,
    #[serde(default)]
    sealing: Vec<StoredKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    created: String,
    secret: String,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl KeyFile {
    /// Makes the file with new keys; it survives a power cut.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Io`].
    pub fn create(path: &Path, now: Timestamp) -> Result<Self, KeyFileError> {
        let failed = |doing| move |source| KeyFileError::Io { doing, path: path.to_owned(), source };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(folder).map_err(failed("make the folder of"))?;
        let mut text = Zeroizing::new(HEADER.to_owned());
        append_key(&mut text, "signing", now);
        append_key(&mut text, "sealing", now);
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(KeyFileError::Exists { path: path.to_owned() });
            }
            opened => opened.map_err(failed("make"))?,
        };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write"))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("flush the folder of"))?;
        Self::parse(path, &text, stamp(path))
    }

    /// Reads the file, or makes it when there is none; a file of before there were sealing keys gets one.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn load_or_create(path: &Path, now: Timestamp) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::NoSealingKey { .. }) => {
                Self::add_sealing_key(path, now)?;
                tracing::info!(keys.file = %path.display(), "added a sealing key to the key file: renew the copy of it");
                Self::load(path)
            }
            Err(KeyFileError::Missing { .. }) => {
                let made = Self::create(path, now)?;
                tracing::info!(keys.file = %path.display(), "made a key file: keep a copy of it where no backup of the database is");
                Ok(made)
            }
            loaded => loaded,
        }
    }

    /// Reads the file; warns when others may read it too.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source: std::io::Error| {
            if source.kind() == std::io::ErrorKind::NotFound {
                return KeyFileError::Missing { path: path.to_owned() };
            }
            KeyFileError::Io { doing: "read", path: path.to_owned(), source }
        };
        let seen = stamp(path);
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(
                keys.mode = format!("{mode:03o}"),
                "key file is open to other users of this machine: set mode 600"
            );
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
        Self::parse(path, &text, seen)
    }

    /// `seen` is the state of the file that `text` was read of.
    fn parse(path: &Path, text: &str, seen: Option<Stamp>) -> Result<Self, KeyFileError> {
        let malformed = |problem: String| KeyFileError::Malformed { path: path.to_owned(), problem };
        // The parser's message may quote a line with a key in it; its place is enough.
        let stored: Stored = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
            malformed(format!("is not a key file: see line {line}"))
        })?;
        let mut signing: Vec<_> = secrets(path, "signing", &stored.signing)?
            .into_iter()
            .map(|secret| Arc::new(SigningKey::from_seed(secret)))
            .collect();
        let current = signing.pop();
        let current = current.ok_or_else(|| malformed("has no signing key: was it cut short?".to_owned()))?;
        let mut masters: Vec<_> = secrets(path, "sealing", &stored.sealing)?.into_iter().map(MasterKey::new).collect();
        let master = masters.pop().ok_or_else(|| KeyFileError::NoSealingKey { path: path.to_owned() })?;
        let sealing = SealingKeys::new(masters, master).reloading(reload_of(path, seen));
        Ok(Self { former: signing, current, sealing: Arc::new(sealing) })
    }

    /// Adds a sealing key, the file replaced in one step.
    fn add_sealing_key(path: &Path, now: Timestamp) -> Result<(), KeyFileError> {
        let failed = |doing| move |source| KeyFileError::Io { doing, path: path.to_owned(), source };
        let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed("read"))?);
        append_key(&mut text, "sealing", now);
        let beside = path.with_extension("toml.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(&beside)
            .map_err(failed("write beside"))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write beside"))?;
        std::fs::rename(&beside, path).map_err(failed("replace"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("flush the folder of"))
    }

    /// Adds a sealing key, which wraps from then on.
    ///
    /// # Errors
    /// [`KeyFileError`]; the file is as it was then.
    pub fn rotate_sealing_key(path: &Path, now: Timestamp) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Ok(_) | Err(KeyFileError::NoSealingKey { .. }) => {}
            Err(error) => return Err(error),
        }
        Self::add_sealing_key(path, now)?;
        Self::load(path)
    }

    /// Every key, by kind and age.
    #[must_use]
    pub fn list(&self) -> Vec<KeyInfo> {
        let signing: Vec<_> = self.verifying_keys().iter().map(VerifyingKey::key_id).collect();
        let of_kind = |kind, ids: Vec<String>| {
            let newest = ids.len().saturating_sub(1);
            ids.into_iter().enumerate().map(move |(at, id)| KeyInfo { kind, id, is_current: at == newest })
        };
        of_kind(KeyKind::Signing, signing).chain(of_kind(KeyKind::Sealing, self.sealing.key_ids())).collect()
    }

    /// The keys that wrap the keys of stills and templates.
    #[must_use]
    pub fn sealing_keys(&self) -> Arc<SealingKeys> {
        Arc::clone(&self.sealing)
    }

    /// The key that signs now: the last one.
    #[must_use]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current)
    }

    /// The public halves of every signing key, oldest first.
    #[must_use]
    pub fn verifying_keys(&self) -> Vec<VerifyingKey> {
        self.former.iter().chain([&self.current]).map(|key| key.verifying_key()).collect()
    }
}

/// What tells a state of the file from another: it is replaced as a whole.
type Stamp = (u64, u64, i64, i64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// Reads the sealing keys again once the file is another than `seen`.
fn reload_of(path: &Path, seen: Option<Stamp>) -> Reload {
    let (path, seen) = (path.to_owned(), Mutex::new(seen));
    Box::new(move || {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&path)?;
        if *seen == Some(now) {
            return None;
        }
        let mut text = Zeroizing::new(String::new());
        File::open(&path).ok()?.take(MAX_FILE_BYTES).read_to_string(&mut text).ok()?;
        let stored: Stored = toml::from_str(&text).ok()?;
        let mut masters: Vec<_> =
            secrets(&path, "sealing", &stored.sealing).ok()?.into_iter().map(MasterKey::new).collect();
        let current = masters.pop()?;
        *seen = Some(now);
        Some((masters, current))
    })
}

/// The secrets of one kind, oldest first.
fn secrets(path: &Path, kind: &str, keys: &[StoredKey]) -> Result<Vec<[u8; 32]>, KeyFileError> {
    let malformed = |problem: String| KeyFileError::Malformed { path: path.to_owned(), problem };
    let mut secrets = Vec::with_capacity(keys.len());
    for (position, key) in keys.iter().enumerate() {
        let name = format!("{kind} key {}", position + 1);
        key.created
            .parse::<Timestamp>()
            .map_err(|_| malformed(format!("{name}: created is no time such as 2026-11-23T00:00:00Z")))?;
        let secret = hex::decode(&key.secret)
            .ok_or_else(|| malformed(format!("{name}: secret must be 64 hex digits: was the file cut short?")))?;
        secrets.push(secret);
    }
    Ok(secrets)
}

fn append_key(text: &mut String, kind: &str, now: Timestamp) {
    let secret = Zeroizing::new(rand::random::<[u8; 32]>());
    let _written =
        write!(text, "\n[[{kind}]]\ncreated = \"{now:.0}\"\nsecret = \"{}\"\n", hex::encode(secret.as_slice()));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{KeyFile, KeyFileError, KeyKind};
    use crate::keys::{DataKey, SealError, WrappedKey};

    fn now() -> jiff::Timestamp {
        "2026-11-23T01:02:03Z".parse().expect("a time")
    }

    #[test]
    fn a_made_file_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/keys.toml");
        assert!(matches!(KeyFile::load(&path), Err(KeyFileError::Missing { .. })));
        let made = KeyFile::load_or_create(&path, now()).expect("makes");
        assert_eq!(std::fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(KeyFile::create(&path, now()), Err(KeyFileError::Exists { .. })));
        let loaded = KeyFile::load_or_create(&path, now()).expect("loads");
        assert_eq!(loaded.verifying_keys(), made.verifying_keys());
        assert_eq!(loaded.sealing_keys().key_id(), made.sealing_keys().key_id());
        assert!(!format!("{loaded:?}").contains(&std::fs::read_to_string(&path).expect("reads")[280..]));
    }

    #[test]
    fn the_last_key_signs_and_earlier_ones_still_verify() {
        let key = |kind: &str, digit: &str| {
            format!("[[{kind}]]\ncreated = \"2026-11-23T00:00:00Z\"\nsecret = \"{}\"\n", digit.repeat(64))
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let text = key("signing", "1") + &key("signing", "2") + &key("sealing", "3");
        std::fs::write(&path, text).expect("writes");
        let keys = KeyFile::load(&path).expect("loads");
        let (known, signature) = (keys.verifying_keys(), keys.signing_key().sign(b"message"));
        assert_eq!(known.len(), 2);
        assert!(known[1].verify(b"message", &signature.bytes).is_ok());
        assert!(known[0].verify(b"message", &signature.bytes).is_err());
        assert!(known[1].verify(b"massage", &signature.bytes).is_err());
    }

    #[test]
    fn a_file_without_sealing_key_gets_one_and_keeps_its_signing_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let digits = "1".repeat(64);
        let old = format!("[[signing]]\ncreated = \"2026-11-23T00:00:00Z\"\nsecret = \"{digits}\"\n");
        std::fs::write(&path, old).expect("writes");
        assert!(matches!(KeyFile::load(&path), Err(KeyFileError::NoSealingKey { .. })));
        let (first, again) =
            (KeyFile::load_or_create(&path, now()).expect("adds"), KeyFile::load(&path).expect("loads"));
        assert_eq!(first.sealing_keys().key_id(), again.sealing_keys().key_id());
        assert_eq!(first.verifying_keys().len(), 1);
        assert_eq!(std::fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_rotated_file_wraps_with_the_new_key_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        assert!(matches!(KeyFile::rotate_sealing_key(&path, now()), Err(KeyFileError::Missing { .. })));
        let before = KeyFile::create(&path, now()).expect("makes");
        let after = KeyFile::rotate_sealing_key(&path, now()).expect("rotates");
        assert_eq!(std::fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(after.sealing_keys().key_ids()[0], before.sealing_keys().key_id());
        assert_ne!(after.sealing_keys().key_id(), before.sealing_keys().key_id());
        let wrapped = after.sealing_keys().wrap(b"a", &DataKey::generate()).expect("wraps");
        assert!(before.sealing_keys().unwrap(b"a", &wrapped).is_ok(), "who read the file before reads it again");
        let lost = WrappedKey { key_id: "0011223344556677".to_owned(), ..wrapped };
        assert!(matches!(before.sealing_keys().unwrap(b"a", &lost), Err(SealError::UnknownKey { .. })));
        std::fs::write(&path, "cut short").expect("writes");
        assert!(before.sealing_keys().unwrap(b"a", &lost).is_err(), "a broken file changes nothing");
        assert_eq!(before.sealing_keys().key_id(), after.sealing_keys().key_id());
        let shown: Vec<_> = after.list().into_iter().map(|key| (key.kind, key.is_current)).collect();
        assert_eq!(shown, [(KeyKind::Signing, true), (KeyKind::Sealing, false), (KeyKind::Sealing, true)]);
    }

    #[test]
    fn what_is_no_key_file_is_refused_without_telling_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let good = "[[signing]]\ncreated = \"2026-11-23T00:00:00Z\"\nsecret = \"5ecre7\"\n";
        for (text, problem) in [
            ("", "no signing key"),
            (good, "secret must be 64 hex digits"),
            ("[[signing]]\nsecret = 5ecre7\n", "see line 2"),
            ("[[signing]]\nsecret = \"5ecre7\"\n", "see line"),
            ("[[ceiling]]\n", "see line 1"),
            (&good.replace("2026-11-23T00:00:00Z", "yesterday"), "created is no time"),
        ] {
            std::fs::write(&path, text).expect("writes");
            let error = KeyFile::load(&path).expect_err("is none").to_string();
            assert!(error.contains(problem) && !error.contains("5ecre7"), "{text:?}: {error}");
        }
    }
}
