//! What signs, and the file that holds it: the only module that knows secret keys.
//!
//! In: the operator's key file and messages. Out: signatures, and whether one holds.
//! Deliberately not here: what is signed, and why (`audit`).

mod file;
mod hex;
mod options;
mod signing;

pub use self::file::{KeyFile, KeyFileError};
pub use self::options::KeysOptions;
pub use self::signing::{BadKey, BadSignature, Signature, SigningKey, VerifyingKey};
