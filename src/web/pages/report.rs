//! A session to take along: PDF, JSON, and both with their signature.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use zip::write::SimpleFileOptions;

use crate::report::{ExportedReport, JSON_FILE, PDF_FILE, SIGNATURE_FILE, export};
use crate::session::SessionId;
use crate::text::Language;
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::Member;

use super::session::session_id;

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct ReportQuery {
    /// In which language; the visitor's own unless it is said.
    #[serde(default)]
    lang: String,
}

/// The PDF.
pub(in crate::web) async fn pdf(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Failure> {
    let id = session_id(&id)?;
    let report = written(&web, &member, &id, &query).await?;
    Ok(file(&id, "pdf", "application/pdf", report.pdf))
}

/// The same content as JSON.
pub(in crate::web) async fn json(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Failure> {
    let id = session_id(&id)?;
    let report = written(&web, &member, &id, &query).await?;
    Ok(file(&id, "json", "application/json", report.json))
}

/// Both with the signature over them, which holds for these very bytes alone.
pub(in crate::web) async fn archive(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Failure> {
    let id = session_id(&id)?;
    let report = written(&web, &member, &id, &query).await?;
    let packed = pack(&report).map_err(|error| Failure::internal(&error.to_string()))?;
    Ok(file(&id, "zip", "application/zip", packed))
}

/// Writes a report, few at a time.
async fn written(web: &Web, member: &Member, id: &SessionId, query: &ReportQuery) -> Result<ExportedReport, Failure> {
    let language = Language::from_tag(&query.lang).unwrap_or(member.visit.language);
    let failed = |error: &dyn std::fmt::Display| Failure::internal(&error.to_string());
    // Waits before the audit log says that there was a report; a visitor who leaves meanwhile gets none.
    let turn = Arc::clone(&web.reports).acquire_owned().await.map_err(|error| failed(&error))?;
    let content = web.services.reports.content(member.caller(), id).await?;
    let signer = web.services.signer.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        export(&content, language, &signer)
    });
    writing.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

fn pack(report: &ExportedReport) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [(PDF_FILE, &report.pdf), (JSON_FILE, &report.json), (SIGNATURE_FILE, &report.signature)] {
        archive.start_file(name, SimpleFileOptions::default())?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A file to keep; ids have no character that means anything in a file's name.
fn file(id: &SessionId, ending: &str, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"bonafide-{id}.{ending}\"");
    ([(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response()
}
