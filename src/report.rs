//! The report on a session: a PDF to read, JSON of the same content, and a signature over both that can be checked offline.
//!
//! In: [`ReportContent`](crate::service::ReportContent), a language, a signing key. Out: bytes; the same content gives the same
//! bytes. The PDF is tagged (PDF/UA-1) and made to last (PDF/A-3a), with the JSON attached; what it leaves out for length, it
//! counts, and the JSON has.
//! Deliberately not here: who may have a report (`service`), files, clocks.

mod error;
mod export;
mod json;
mod pdf;
mod signature;
mod words;

pub use self::error::{ReportError, VerifyError};
pub use self::export::{ExportedReport, JSON_FILE, PDF_FILE, SIGNATURE_FILE, Signer, export};
pub use self::json::{WrittenJson, to_json};
pub use self::pdf::{Attached, to_pdf};
pub use self::signature::{FileClaim, ReportSignature, Verified};
