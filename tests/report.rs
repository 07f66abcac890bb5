//! Reports as those who get them see them: files, read back by other people's programs.
//!
//! What is made here stays under `target/tmp/reports` to be looked at.

#[path = "report/hostile.rs"]
mod hostile;
#[path = "report/poppler.rs"]
mod poppler;
#[path = "report/sample.rs"]
mod sample;
#[path = "report/signed.rs"]
mod signed;

use std::path::PathBuf;
use std::sync::Arc;

use bonafide::keys::SigningKey;
use bonafide::report::{ExportedReport, Signer, export};
use bonafide::service::ReportContent;
use bonafide::text::Language;

fn signer() -> Signer {
    Signer::new(Arc::new(SigningKey::from_seed([7; 32])))
}

/// Makes a report and keeps its PDF where a person can look at it.
fn make(name: &str, content: &ReportContent, language: Language) -> (ExportedReport, PathBuf) {
    let started = std::time::Instant::now();
    let report = export(content, language, &signer()).expect("makes a report");
    eprintln!("{name}: {} kB of PDF in {:?}", report.pdf.len() / 1_000, started.elapsed());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{name}-{}.pdf", language.tag()));
    std::fs::write(&path, &report.pdf).expect("writes");
    (report, path)
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let content = sample::content();
    for language in Language::ALL {
        let (first, _) = make("twice", &content, language);
        let (second, _) = make("twice", &content, language);
        assert_eq!(first, second, "{language:?}");
    }
}

/// The same without sentences, which may be put better at any time.
fn without_words(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => members
            .iter()
            .filter(|(key, _)| !["text", "words", "content_sha256"].contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), without_words(value)))
            .collect(),
        serde_json::Value::Array(items) => items.iter().map(without_words).collect(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => value.clone(),
    }
}

/// `tests/data/report/report_v1.json` is what version 1 looks like; `BONAFIDE_TEST_BLESS=1` writes it anew, which only a member
/// that is added may need.
#[test]
fn the_json_is_canonical_and_stays_what_it_is() {
    let (report, _) = make("golden", &sample::content(), Language::En);
    let text = String::from_utf8(report.json).expect("is text");
    let value: serde_json::Value = serde_json::from_str(&text).expect("parses");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/report/report_v1.json");
    if std::env::var_os("BONAFIDE_TEST_BLESS").is_some() {
        let pretty = serde_json::to_string_pretty(&without_words(&value)).expect("writes");
        std::fs::write(golden, pretty + "\n").expect("writes");
    }
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(golden).expect("is there")).expect("parses");
    assert_eq!(without_words(&value), kept);
    let is_sorted = |value: &serde_json::Value| value.as_object().expect("an object").keys().is_sorted();
    assert!(is_sorted(&value) && is_sorted(&value["content"]["session"]));
    assert!(!text.trim_end().contains('\n') && !text.contains("\": ") && text.ends_with("}\n"));
    // The digest is that of the bytes of the member, as anybody can cut them out.
    let inner = text.strip_prefix("{\"content\":").and_then(|rest| rest.split_once(",\"content_sha256\""));
    let (inner, _) = inner.expect("begins with the content");
    let digest = bonafide::report::FileClaim::of(inner.as_bytes()).sha256;
    assert_eq!(value["content_sha256"], digest.to_string());
    assert_eq!(value["content"]["participants"][1]["authenticity"], serde_json::Value::Null);
    assert_eq!(value["content"]["participants"][0]["authenticity"]["value"].as_f64(), Some(0.17));
}
