//! Ed25519 (RFC 8032) signatures.

use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};

use super::hex;

/// Hex digits of a public key's digest that name it.
const KEY_ID_DIGITS: usize = 16;

/// A secret key that signs.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// A signature and the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The first 16 hex digits of the SHA-256 of the public key.
    pub key_id: String,
    /// R and S.
    pub bytes: [u8; 64],
}

/// A public key that checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// A signature that the key did not make, or of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// Text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no public key: 64 hex digits are")]
pub struct BadKey;

impl SigningKey {
    /// A new key, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_seed(rand::random())
    }

    /// The key of a seed of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature { key_id: self.verifying_key().key_id(), bytes: self.0.sign(message).to_bytes() }
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().key_id())
    }
}

impl VerifyingKey {
    /// The key's name: the first 16 hex digits of the SHA-256 of its bytes.
    #[must_use]
    pub fn key_id(&self) -> String {
        let mut id = hex::encode(&Sha256::digest(self.0.as_bytes()));
        id.truncate(KEY_ID_DIGITS);
        id
    }

    /// The key of 64 hex digits.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_hex(text: &str) -> Result<Self, BadKey> {
        let bytes = hex::decode(text).ok_or(BadKey)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey)?;
        if key.is_weak() { Err(BadKey) } else { Ok(Self(key)) }
    }

    /// The key as 64 hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// Checks a signature strictly: no malleability, no weak key.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).map_err(|_| BadSignature)
    }
}
