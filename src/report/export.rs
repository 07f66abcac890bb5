//! The three files of a report, made together.

use std::sync::Arc;

use crate::keys::{SigningKey, VerifyingKey};
use crate::service::ReportContent;
use crate::text::Language;

use super::error::ReportError;
use super::json::to_json;
use super::pdf::{Attached, to_pdf};
use super::signature::{FileClaim, ReportSignature};

/// The PDF's name; part of what is signed.
pub const PDF_FILE: &str = "report.pdf";
/// The JSON's name; part of what is signed.
pub const JSON_FILE: &str = "report.json";
/// The signature's name.
pub const SIGNATURE_FILE: &str = "report.sig";

/// Signs reports: the server's key, for those who may not know keys. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Signer(Arc<SigningKey>);

impl Signer {
    /// A signer with `key`.
    #[must_use]
    pub fn new(key: Arc<SigningKey>) -> Self {
        Self(key)
    }

    /// What its signatures are checked with.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.0.verifying_key()
    }
}

/// A report as files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedReport {
    /// `report.pdf`.
    pub pdf: Vec<u8>,
    /// `report.json`.
    pub json: Vec<u8>,
    /// `report.sig`, which covers both.
    pub signature: Vec<u8>,
}

/// Makes the files of a report. Takes tenths of a second of one core: not for a thread that others wait for.
///
/// # Errors
/// [`ReportError`], which is a defect.
pub fn export(content: &ReportContent, language: Language, signer: &Signer) -> Result<ExportedReport, ReportError> {
    let written = to_json(content, language)?;
    let attached = Attached {
        json: &written.bytes,
        json_sha256: FileClaim::of(&written.bytes).sha256,
        content_sha256: written.content_sha256,
        public_key: &signer.verifying_key().to_hex(),
    };
    let pdf = to_pdf(content, language, &attached)?;
    let claims = ReportSignature {
        session: content.session.id.as_str().to_owned(),
        made: content.made,
        content_sha256: written.content_sha256,
        json: FileClaim::of(&written.bytes),
        pdf: FileClaim::of(&pdf),
        public_key: String::new(),
        signature: [0; 64],
    };
    let signature = ReportSignature::sign(&signer.0, claims).to_file()?;
    Ok(ExportedReport { pdf, json: written.bytes, signature })
}
