//! `bonafide.v1.ReportService`.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use crate::report::{ExportedReport, JSON_FILE, PDF_FILE, Signer, export};
use crate::service::{Caller, Reports, ServiceError};
use crate::text::Language;

use super::access;
use super::call::{CallError, Calls};
use super::convert::timestamp_to_wire;
use super::field::FieldError;
use super::name;
use super::proto::v1;
use super::proto::v1::report_service_server::ReportService;

/// Reports that are written at the same time: each keeps a core busy, which live sessions want too.
const MAX_WRITTEN_AT_ONCE: usize = 1;

/// The report service.
pub(super) struct Report {
    reports: Reports,
    signer: Signer,
    writing: Arc<Semaphore>,
    calls: Arc<Calls>,
}

impl Report {
    /// A service with these use cases and bounds.
    pub(super) fn new(reports: Reports, signer: Signer, calls: Arc<Calls>) -> Self {
        Self { reports, signer, writing: Arc::new(Semaphore::new(MAX_WRITTEN_AT_ONCE)), calls }
    }

    async fn export(
        &self,
        caller: &Caller,
        request: v1::ExportReportRequest,
    ) -> Result<v1::ExportReportResponse, CallError> {
        let id = name::parse_session("session", &request.session)?;
        let language = language(&request.language_code)?;
        let formats = formats(&request.formats)?;
        let internal = |problem: String| ServiceError::Internal { problem };
        // Waits before the audit log says that there was a report; a caller who leaves meanwhile gets none.
        let permit = Arc::clone(&self.writing).acquire_owned().await.map_err(|error| internal(error.to_string()))?;
        let content = self.reports.content(caller, &id).await?;
        let (made, signer) = (content.made, self.signer.clone());
        let written = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            export(&content, language, &signer)
        });
        let report = written.await.map_err(|error| internal(error.to_string()))?;
        let ExportedReport { pdf, json, signature } = report.map_err(|error| internal(error.to_string()))?;
        let file = |format| {
            let (file_name, content_type, content) = match format {
                v1::ReportFormat::Json => (JSON_FILE, "application/json", &json),
                v1::ReportFormat::Pdf | v1::ReportFormat::Unspecified => (PDF_FILE, "application/pdf", &pdf),
            };
            v1::ReportFile {
                format: format.into(),
                file_name: file_name.to_owned(),
                content_type: content_type.to_owned(),
                content: content.clone().into(),
            }
        };
        Ok(v1::ExportReportResponse {
            files: formats.into_iter().map(file).collect(),
            signature: signature.into(),
            make_time: Some(timestamp_to_wire(made)),
        })
    }
}

/// The language of a request; none is English.
fn language(tag: &str) -> Result<Language, FieldError> {
    if tag.is_empty() {
        return Ok(Language::En);
    }
    Language::from_tag(tag).ok_or_else(|| FieldError::new("language_code", "is not known: use \"en\" or \"de\""))
}

/// The formats of a request.
fn formats(numbers: &[i32]) -> Result<Vec<v1::ReportFormat>, FieldError> {
    let refused = |problem| Err(FieldError::new("formats", problem));
    let mut formats = Vec::new();
    for number in numbers {
        match v1::ReportFormat::try_from(*number) {
            Ok(v1::ReportFormat::Unspecified) | Err(_) => {
                return refused("holds one that is not set or not known: use REPORT_FORMAT_PDF or REPORT_FORMAT_JSON");
            }
            Ok(format) if formats.contains(&format) => return refused("names one twice: name each once"),
            Ok(format) => formats.push(format),
        }
    }
    if formats.is_empty() {
        refused("is empty: name REPORT_FORMAT_PDF, REPORT_FORMAT_JSON or both")
    } else {
        Ok(formats)
    }
}

#[tonic::async_trait]
impl ReportService for Report {
    async fn export_report(
        &self,
        request: Request<v1::ExportReportRequest>,
    ) -> Result<Response<v1::ExportReportResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReportService/ExportReport", &metadata, self.export(&caller, message)).await
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, formats, language, v1};

    #[test]
    fn unset_and_unknown_values_name_what_to_send() {
        let (pdf, json) = (v1::ReportFormat::Pdf, v1::ReportFormat::Json);
        assert_eq!(formats(&[json.into(), pdf.into()]).expect("good"), [json, pdf]);
        for bad in [&[][..], &[0], &[3], &[1, 1], &[-1]] {
            let error = formats(bad).expect_err("is refused").to_string();
            assert!(error.contains("formats") && (error.contains("use") || error.contains("name")), "{error}");
        }
        assert_eq!((language("").expect("good"), language("de").expect("good")), (Language::En, Language::De));
        for bad in ["fr", "DE", "de-AT", "\u{202e}"] {
            assert!(language(bad).is_err(), "{bad}");
        }
    }
}
