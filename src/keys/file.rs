//! The operator's key file: which keys there are, and when they were made.
//!
//! TOML, mode 0600, one table a key. The newest key of a kind is the one in use; older ones still open and verify what they
//! sealed and signed. It belongs apart from the database and its backups: whoever has both can read what was sealed, and
//! without it nobody can.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::hex;
use super::sealing::{MasterKey, SealingKeys};
use super::signing::{SigningKey, VerifyingKey};

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// A key file of a century of monthly keys is smaller.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const HEADER: &str = "# Keys of Bonafide. Whoever has this file and the database can read the stills and templates in it; without this file\n\
                      # nobody can. Keep a copy of it where no backup of the database is.\n";

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
        Self::parse(path, &text)
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
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, KeyFileError> {
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
        Ok(Self { former: signing, current, sealing: Arc::new(SealingKeys::new(masters, master)) })
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

    use super::{KeyFile, KeyFileError};

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
