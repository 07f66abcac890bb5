//! What signs and what seals, and the file that holds it: the only module that knows secret keys.
//!
//! In: the operator's key file and messages. Out: signatures, and whether one holds; sealed bytes, and what was in them.
//! Deliberately not here: what is signed (`audit`) and sealed (`service`), and why.

mod file;
mod hex;
mod options;
mod sealing;
mod signing;

pub use self::file::{KeyFile, KeyFileError, KeyInfo, KeyKind};
pub use self::options::KeysOptions;
pub use self::sealing::{DataKey, SEAL_OVERHEAD_BYTES, SealError, SealingKeys, WrappedKey};
pub use self::signing::{BadKey, BadSignature, Signature, SigningKey, VerifyingKey};
