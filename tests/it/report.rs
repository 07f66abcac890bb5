//! Reports over the wire and from the command line.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use bonafide::audit::{Action, Actor, Event};
use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::report_service_client::ReportServiceClient;
use bonafide::keys::KeyFile;
use bonafide::report::ReportSignature;
use bonafide::service::NewSession;
use bonafide::service::ports::{ReviewSummary, SessionRecord, SessionStore};
use bonafide::session::{EvidenceMode, SessionId, SessionName, TenantId};
use bonafide::store::{SqlStore, StoreOptions};
use jiff::Timestamp;
use tonic::Code;

use crate::evidence;
use crate::harness::{Server, operator};

#[tokio::test]
async fn a_report_comes_over_the_wire_with_a_signature_that_holds() {
    let Some(server) = Server::start(None).await else { return };
    let id = SessionId::new("interview-7").expect("a good id");
    let new = NewSession {
        id: Some(id.clone()),
        display_name: "Round two".to_owned(),
        consent_reference: "consent/1".to_owned(),
        ..NewSession::default()
    };
    server.interviews.create(&operator(), new).await.expect("creates");
    let mut client = ReportServiceClient::connect(format!("http://{}", server.address)).await.expect("connects");
    let (pdf, json) = (v1::ReportFormat::Pdf.into(), v1::ReportFormat::Json.into());
    let request = |session: &str, formats: Vec<i32>, language: &str| v1::ExportReportRequest {
        session: session.to_owned(),
        formats,
        language_code: language.to_owned(),
    };
    let answer = client.export_report(request("sessions/interview-7", vec![json, pdf], "de")).await;
    let answer = answer.expect("makes one").into_inner();
    let names: Vec<_> = answer.files.iter().map(|file| (file.file_name.as_str(), file.content_type.as_str())).collect();
    assert_eq!(names, [("report.json", "application/json"), ("report.pdf", "application/pdf")]);
    assert!(answer.files[1].content.starts_with(b"%PDF-1.7"));
    let content: serde_json::Value = serde_json::from_slice(&answer.files[0].content).expect("parses");
    assert_eq!(content["content"]["language"], "de");
    assert_eq!(content["content"]["audit"].as_array().expect("rows").len(), 2, "created, and this report");
    let signature = ReportSignature::from_file(&answer.signature).expect("reads");
    let verified = signature.verify(Some(&answer.files[1].content), Some(&answer.files[0].content), &[]);
    assert_eq!(verified.expect("holds").session, "interview-7");
    for (session, formats, language, code) in [
        ("sessions/interview-8", vec![pdf], "", Code::NotFound),
        ("interview-7", vec![pdf], "", Code::InvalidArgument),
        ("sessions/interview-7", vec![], "", Code::InvalidArgument),
        ("sessions/interview-7", vec![9], "", Code::InvalidArgument),
        ("sessions/interview-7", vec![pdf], "fr", Code::InvalidArgument),
    ] {
        let refused = client.export_report(request(session, formats, language)).await.expect_err("is refused");
        assert_eq!(refused.code(), code, "{session} {language}: {refused}");
    }
    server.stop().await;
}

/// Its PDF stays under `target/tmp/reports` to be looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_shows_the_stills_of_its_session() {
    let Some(server) = Server::start(None).await else { return };
    let Some(people) = evidence::two_people() else { return };
    evidence::play(&server, "shown", v1::EvidenceMode::Stills, &people.concat()).await;
    let listed = evidence::list(&evidence::stills(&server).await, "shown").await;
    let client = ReportServiceClient::connect(format!("http://{}", server.address)).await.expect("connects");
    let formats = vec![v1::ReportFormat::Pdf.into(), v1::ReportFormat::Json.into()];
    let request =
        v1::ExportReportRequest { session: "sessions/shown".to_owned(), formats, language_code: "en".to_owned() };
    let files = client.max_decoding_message_size(16 * 1024 * 1024).export_report(request).await;
    let files = files.expect("makes one").into_inner().files;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("real.pdf"), &files[0].content).expect("writes");
    let content: serde_json::Value = serde_json::from_slice(&files[1].content).expect("parses");
    let stills = content["content"]["stills"].as_array().expect("a list");
    assert!(stills.len() > 3 && stills.len() == listed.stills.len(), "{} of {}", stills.len(), listed.stills.len());
    let told: std::collections::BTreeSet<u64> = stills.iter().filter_map(|still| still["still"].as_u64()).collect();
    assert_eq!(told.len(), stills.len());
    for still in stills {
        assert!(still["frame"]["sha256"].as_str().is_some_and(|digest| digest.len() == 64), "{still}");
        assert!(still["chip"]["bytes"].as_u64().is_some_and(|bytes| bytes > 500), "{still}");
        assert!(still["face_box"][0].as_f64().is_some_and(|left| (0.0..1.0).contains(&left)), "{still}");
    }
    let n_pictures = files[0].content.windows(14).filter(|part| part == b"/Subtype/Image").count();
    assert_eq!(n_pictures, 2 * stills.len(), "a frame and a face each");
    let rows = content["content"]["audit"].as_array().expect("a list");
    let actions = rows.iter().filter_map(|row| row["action"].as_str());
    // The ledger takes the session in at the same time.
    let actions: Vec<_> = actions.filter(|action| !action.starts_with("identity.")).collect();
    assert!(actions.ends_with(&["report.export", "evidence.view"]), "{actions:?}");
    server.stop().await;
}

fn bonafide(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.env_clear().env("HOME", folder).current_dir(folder);
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", path);
    }
    command
        .env("BONAFIDE__STORE__DATABASE", folder.join("test.sqlite"))
        .env("BONAFIDE__KEYS__FILE", folder.join("keys.toml"))
        .args(arguments)
        .output()
        .expect("runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A store with one session in it.
async fn fill(folder: &Path) {
    let keys = KeyFile::load_or_create(&folder.join("keys.toml"), Timestamp::now()).expect("makes keys");
    let options = StoreOptions { database: folder.join("test.sqlite"), ..StoreOptions::default() };
    let store = SqlStore::open(&options, keys.signing_key(), &[]).await.expect("opens");
    let name = SessionName { tenant: TenantId::default(), id: SessionId::new("interview-7").expect("a good id") };
    let object = format!("sessions/{}", name.id);
    let record = SessionRecord {
        name,
        display_name: "Round two".to_owned(),
        external_ref: String::new(),
        candidate: None,
        consent_reference: "consent/1".to_owned(),
        evidence: EvidenceMode::NoImages,
        labels: std::collections::BTreeMap::new(),
        policy: "default@5".to_owned(),
        create_time: Timestamp::now(),
        end_time: None,
        expire_time: None,
        revision: 1,
        resume_secret: "0".repeat(32),
        journal_len: 0,
        review: ReviewSummary::default(),
        participants: Vec::new(),
    };
    let entry = Event::done(Timestamp::now(), "default", Actor::system("test"), Action::SessionCreate, object);
    Arc::clone(&store).create(record, None, entry).await.expect("creates");
    store.close().await;
}

#[tokio::test]
async fn a_report_is_written_and_checked_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fill(folder).await;
    let exported = bonafide(folder, &["report", "export", "interview-7", "--language", "de", "--out", "out"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let keys = bonafide(folder, &["report", "keys"]);
    let key = said(&keys).trim().to_owned();
    assert_eq!(key.len(), 64, "{key}");
    let verify = |more: &[&str]| {
        let output = bonafide(folder, &[&["report", "verify"], more].concat());
        (output.status.code(), said(&output))
    };
    let (code, text) = verify(&["out", "--public-key", &key]);
    assert!(code == Some(0) && text.contains("report.pdf and report.json of session interview-7"), "{text}");
    assert!(text.contains("which is one that was named"), "{text}");
    let (code, text) = verify(&["out/report.pdf", "out/report.sig", "--json"]);
    assert!(code == Some(0) && text.contains("\"is_key_known\":false"), "{text}");
    let (code, text) = verify(&["out", "--public-key", &"1".repeat(64)]);
    assert!(code == Some(2) || code == Some(1), "{code:?} {text}");
    let content: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("out/report.json")).expect("reads")).expect("parses");
    let end = &content["content"]["audit_end"];
    let end = format!("{}:{}", end["row"], end["sha256"].as_str().expect("is set"));
    let audit = bonafide(folder, &["audit", "verify", "--contains", &end]);
    assert_eq!(audit.status.code(), Some(0), "{}", said(&audit));
    // A second report never overwrites the first.
    let again = bonafide(folder, &["report", "export", "interview-7", "--out", "out"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let missing = bonafide(folder, &["report", "export", "interview-8", "--out", "none"]);
    assert!(missing.status.code() == Some(1) && !folder.join("none").exists(), "{}", said(&missing));
    for (file, places) in [("report.json", "report.json: differs"), ("report.pdf", "report.pdf: differs")] {
        let path = folder.join("out").join(file);
        let good = std::fs::read(&path).expect("reads");
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        std::fs::write(&path, &bad).expect("writes");
        let (code, text) = verify(&["out"]);
        assert!(code == Some(1) && text.contains(places), "{text}");
        std::fs::write(&path, &good[..middle]).expect("writes");
        let (code, text) = verify(&["out", "--json"]);
        assert!(code == Some(1) && text.contains(&format!("\"file\":\"{file}\"")), "{text}");
        std::fs::write(&path, &good).expect("writes");
    }
    for wrong in [&["out/report.pdf"][..], &["out/report.sig"], &["keys.toml"], &["nowhere.pdf", "out/report.sig"]] {
        let (code, text) = verify(wrong);
        assert!(matches!(code, Some(1 | 2)) && text.contains("error:"), "{wrong:?}: {text}");
    }
}
