//! XChaCha20-Poly1305 (RFC 8439 with 192-bit nonces, draft-irtf-cfrg-xchacha-03): keys of data, wrapped by a master key.
//!
//! Sealed bytes are `version (1) || nonce (24) || ciphertext || tag (16)`. What they belong to is associated data: sealed bytes
//! that are moved to another row or session do not open there.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::hex;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
/// What sealing adds to a text, in bytes.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + 16;
/// Hex digits of a master key's digest that name it.
const KEY_ID_DIGITS: usize = 16;

/// Sealed bytes that do not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Changed, cut short, moved from elsewhere, or sealed with another key.
    #[error("sealed bytes do not open: they were changed or moved, or belong to another key")]
    Broken,
    /// The master key is not in the key file.
    #[error("keys.file: has no sealing key {key_id}: put it back from the copy of the key file")]
    UnknownKey {
        /// Its name.
        key_id: String,
    },
}

/// Seals what belongs to one session. Whoever destroys it has destroyed what it sealed.
#[derive(ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// A new key, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// Seals `text`, which belongs to `owner`.
    ///
    /// # Errors
    /// [`SealError::Broken`] for texts of 256 GiB and more.
    pub fn seal(&self, owner: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, owner, text)
    }

    /// Opens what was sealed for `owner`.
    ///
    /// # Errors
    /// [`SealError::Broken`].
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        open(&self.0, owner, sealed)
    }

    /// Wraps the key of a part, which belongs to `owner`: whoever destroys the wrapped key has destroyed that part alone.
    ///
    /// # Errors
    /// [`SealError::Broken`] never in practice: a key is short.
    pub fn wrap(&self, owner: &[u8], part: &Self) -> Result<Vec<u8>, SealError> {
        seal(&self.0, owner, &part.0)
    }

    /// The key of a part that was wrapped for `owner`.
    ///
    /// # Errors
    /// [`SealError::Broken`].
    pub fn unwrap(&self, owner: &[u8], wrapped: &[u8]) -> Result<Self, SealError> {
        unwrap(&self.0, owner, wrapped)
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(<redacted>)")
    }
}

/// A data key that a master key sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The master key's name.
    pub key_id: String,
    /// The sealed key.
    pub bytes: Vec<u8>,
}

/// A master key: wraps data keys, and seals nothing else.
#[derive(ZeroizeOnDrop)]
pub(super) struct MasterKey([u8; 32]);

impl MasterKey {
    pub(super) const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The first 16 hex digits of the SHA-256 of a label and the key: says nothing about the key.
    fn key_id(&self) -> String {
        let digest = Sha256::new().chain_update(b"bonafide master key id").chain_update(self.0).finalize();
        let mut id = hex::encode(&digest);
        id.truncate(KEY_ID_DIGITS);
        id
    }
}

/// Reads the master keys again, former ones and the newest; `None` when they are what they were, or cannot be read.
pub(super) type Reload = Box<dyn Fn() -> Option<(Vec<MasterKey>, MasterKey)> + Send + Sync>;

struct Masters {
    former: Vec<MasterKey>,
    current: MasterKey,
}

/// The master keys of one installation: the newest wraps, all of them unwrap.
///
/// Those of a key file are read again when a key is not known: it may have been added since.
pub struct SealingKeys {
    masters: RwLock<Masters>,
    reload: Option<Reload>,
}

impl SealingKeys {
    pub(super) const fn new(former: Vec<MasterKey>, current: MasterKey) -> Self {
        Self { masters: RwLock::new(Masters { former, current }), reload: None }
    }

    /// The same, read again with `reload`.
    pub(super) fn reloading(self, reload: Reload) -> Self {
        Self { reload: Some(reload), ..self }
    }

    /// One new master key, from the operating system's randomness; for tests and installations that keep nothing.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(Vec::new(), MasterKey(rand::random()))
    }

    /// The name of the key that wraps now.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.masters().current.key_id()
    }

    /// The names of all of them, oldest first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        let masters = self.masters();
        masters.former.iter().chain([&masters.current]).map(MasterKey::key_id).collect()
    }

    /// Reads the key file again, so that a key that was added wraps from now on; keys of no file stay as they are.
    pub fn refresh(&self) {
        if let Some((former, current)) = self.reload.as_ref().and_then(|reload| reload()) {
            *self.masters.write().unwrap_or_else(PoisonError::into_inner) = Masters { former, current };
        }
    }

    /// Wraps a data key, which belongs to `owner`.
    ///
    /// # Errors
    /// [`SealError::Broken`] never in practice: a key is short.
    pub fn wrap(&self, owner: &[u8], key: &DataKey) -> Result<WrappedKey, SealError> {
        let masters = self.masters();
        Ok(WrappedKey { key_id: masters.current.key_id(), bytes: seal(&masters.current.0, owner, &key.0)? })
    }

    /// The data key that was wrapped for `owner`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn unwrap(&self, owner: &[u8], wrapped: &WrappedKey) -> Result<DataKey, SealError> {
        match self.masters().unwrap(owner, wrapped) {
            Err(SealError::UnknownKey { .. }) => {}
            outcome => return outcome,
        }
        self.refresh();
        self.masters().unwrap(owner, wrapped)
    }

    fn masters(&self) -> RwLockReadGuard<'_, Masters> {
        self.masters.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Masters {
    fn unwrap(&self, owner: &[u8], wrapped: &WrappedKey) -> Result<DataKey, SealError> {
        let master = std::iter::once(&self.current).chain(&self.former).find(|key| key.key_id() == wrapped.key_id);
        let master = master.ok_or_else(|| SealError::UnknownKey { key_id: wrapped.key_id.clone() })?;
        unwrap(&master.0, owner, &wrapped.bytes)
    }
}

impl std::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let masters = self.masters();
        write!(f, "SealingKeys({}, {} former)", masters.current.key_id(), masters.former.len())
    }
}

fn seal(key: &[u8; 32], owner: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed =
        cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: owner }).map_err(|_| SealError::Broken)?;
    let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn unwrap(key: &[u8; 32], owner: &[u8], wrapped: &[u8]) -> Result<DataKey, SealError> {
    let bytes = Zeroizing::new(open(key, owner, wrapped)?);
    let mut key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SealError::Broken)?;
    let unwrapped = DataKey(key);
    key.zeroize();
    Ok(unwrapped)
}

fn open(key: &[u8; 32], owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (version, rest) = sealed.split_first().ok_or(SealError::Broken)?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or(SealError::Broken)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| SealError::Broken)?;
    if *version != VERSION {
        return Err(SealError::Broken);
    }
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: owner }).map_err(|_| SealError::Broken)
}

#[cfg(test)]
mod tests {
    use super::{DataKey, MasterKey, SEAL_OVERHEAD_BYTES, SealError, SealingKeys};

    #[test]
    fn what_was_sealed_opens_for_its_owner_alone() {
        let key = DataKey::generate();
        let sealed = key.seal(b"sessions/a", b"a still").expect("seals");
        assert_eq!(sealed.len(), 7 + SEAL_OVERHEAD_BYTES);
        assert_eq!(key.open(b"sessions/a", &sealed).expect("opens"), b"a still");
        assert_eq!(key.open(b"sessions/b", &sealed), Err(SealError::Broken));
        assert_eq!(DataKey::generate().open(b"sessions/a", &sealed), Err(SealError::Broken));
        assert_ne!(sealed, key.seal(b"sessions/a", b"a still").expect("seals"), "nonces are random");
    }

    #[test]
    fn the_key_of_a_part_opens_with_the_whole_ones_alone() {
        let (whole, part) = (DataKey::generate(), DataKey::generate());
        let sealed = part.seal(b"still", b"pixels").expect("seals");
        let wrapped = whole.wrap(b"key of still", &part).expect("wraps");
        let unwrapped = whole.unwrap(b"key of still", &wrapped).expect("unwraps");
        assert_eq!(unwrapped.open(b"still", &sealed).expect("opens"), b"pixels");
        assert!(whole.unwrap(b"key of another", &wrapped).is_err());
        assert!(DataKey::generate().unwrap(b"key of still", &wrapped).is_err());
    }

    #[test]
    fn whatever_is_changed_or_cut_does_not_open() {
        let key = DataKey::generate();
        let sealed = key.seal(b"", b"text").expect("seals");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(b"", &changed), Err(SealError::Broken), "byte {at}");
            assert_eq!(key.open(b"", &sealed[..at]), Err(SealError::Broken), "cut at {at}");
        }
    }

    #[test]
    fn former_master_keys_still_unwrap_and_lost_ones_are_named() {
        let key = DataKey::generate();
        let wrapped = SealingKeys::new(Vec::new(), MasterKey::new([1; 32])).wrap(b"a", &key).expect("wraps");
        let rotated = SealingKeys::new(vec![MasterKey::new([1; 32])], MasterKey::new([2; 32]));
        let sealed = key.seal(b"a", b"text").expect("seals");
        let unwrapped = rotated.unwrap(b"a", &wrapped).expect("unwraps");
        assert_eq!(unwrapped.open(b"a", &sealed).expect("opens"), b"text");
        assert!(matches!(rotated.unwrap(b"b", &wrapped), Err(SealError::Broken)));
        let lost = SealingKeys::new(Vec::new(), MasterKey::new([2; 32]));
        assert!(
            matches!(lost.unwrap(b"a", &wrapped), Err(SealError::UnknownKey { key_id }) if key_id == wrapped.key_id)
        );
        assert!(!format!("{rotated:?} {key:?}").contains("0101"));
    }
}
