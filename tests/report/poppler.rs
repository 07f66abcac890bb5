//! The PDF read by poppler and qpdf.

use std::path::Path;
use std::process::Command;

use bonafide::text::Language;

use crate::{make, sample};

/// What a program says; `None`, said aloud, when it is not installed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: {program} is not installed; see scripts/lib/debian-test.txt");
            return None;
        }
        output => output.expect("starts"),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    Some(said)
}

/// The text of a PDF, in reading order.
pub(crate) fn text(path: &Path) -> Option<String> {
    run("pdftotext", &["-enc", "UTF-8", "-raw", &path.to_string_lossy(), "-"])
}

/// The same without line ends, so that sentences are whole.
pub(crate) fn flat_text(path: &Path) -> Option<String> {
    Some(text(path)?.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_document_says_what_it_is_and_is_tagged() {
    for (language, title) in [(Language::En, "Interview report"), (Language::De, "Interviewbericht")] {
        let (_, path) = make("sample", &sample::content(), language);
        let path = path.to_string_lossy().into_owned();
        let Some(info) = run("pdfinfo", &[&path]) else { return };
        for line in [
            &format!("Title:           {title}: backend-2026-11"),
            "Tagged:          yes",
            "Creator:         bonafide 0.1.0",
            "PDF version:     1.7",
            "Page size:       595.28 x 841.89 pts (A4)",
            "Encrypted:       no",
            "JavaScript:      no",
        ] {
            assert!(info.contains(line), "{line} is not in\n{info}");
        }
        let n_pages: u32 =
            info.lines().find_map(|line| line.strip_prefix("Pages:")?.trim().parse().ok()).expect("pages");
        assert!((4..=9).contains(&n_pages), "{n_pages}");
        let structure = run("pdfinfo", &["-struct", &path]).expect("is installed");
        for role in [
            "Document",
            "Sect",
            "H1",
            "H2",
            "H3",
            "Table",
            "TR",
            "TH",
            "TD",
            "L",
            "LI",
            "LBody",
            "Figure",
            "BlockQuote",
        ] {
            assert!(
                structure.lines().any(|line| line.trim_start().split([' ', '"', ':']).next() == Some(role)),
                "{role}\n{structure}"
            );
        }
        let checked = run("qpdf", &["--check", &path]).expect("is installed");
        assert!(checked.contains("No syntax or stream encoding errors found"), "{checked}");
        let raw = run("qpdf", &["--qdf", "--object-streams=disable", "--stream-data=uncompress", &path, "-"]);
        let raw = raw.expect("is installed");
        for part in [
            "/Marked true",
            "/StructTreeRoot",
            &format!("/Lang ({})", language.tag()),
            "/AFRelationship /Alternative",
            "/DisplayDocTitle true",
            "<pdfaid:part>3</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "<pdfuaid:part>1</pdfuaid:part>",
        ] {
            assert!(raw.contains(part), "{part}");
        }
    }
}

#[test]
fn the_text_is_there_in_both_languages_and_every_page_is_numbered() {
    let expected: [(Language, &[&str]); 2] = [
        (
            Language::En,
            &[
                "Suspicious Something in this interview is worth a second look.",
                "Score 0.17 95 % interval 0.04 to 0.36",
                "Same person: another person from 20:14.4 on, similarity 0.08",
                "Participant panel-2: Inconclusive",
                "2.4 s of usable face, 5.0 s needed",
                "What it does not say",
                "No. 2 Alert 20:10.0 to 20:36.5",
                "Confirmed: worth a second look",
                "Nobody has said anything about it.",
                "Asked for a second interview with an identity check",
                "API key platform",
                "deleted the session (refused)",
                "Measurements (16,214 entries), SHA-256",
                "Sound is not analysed.",
                "20:14.4 · photo or screen 0.03 · altered face 0.34",
                "No still: the session has as many as it may keep.",
            ],
        ),
        (
            Language::De,
            &[
                "Auffällig Etwas in diesem Interview verdient einen zweiten Blick.",
                "Wert 0,17 95-%-Intervall 0,04 bis 0,36",
                "Gleiche Person: andere Person ab 20:14,4, Ähnlichkeit 0,08",
                "Teilnehmer panel-2: Ohne Ergebnis",
                "Was es nicht besagt",
                "Nr. 2 Alarm 20:10,0 bis 20:36,5",
                "Bestätigt: verdient einen zweiten Blick",
                "API-Schlüssel platform",
                "löschte die Sitzung (abgewiesen)",
                "Messwerte (16.214 Einträge), SHA-256",
            ],
        ),
    ];
    for (language, sentences) in expected {
        let content = sample::content();
        let (_, path) = make("text", &content, language);
        let Some(text) = flat_text(&path) else { return };
        for sentence in sentences {
            assert!(text.contains(sentence), "{sentence:?} is not in\n{text}");
        }
        for digest in [content.journal.sha256.to_string(), format!("4719:{}", content.log_end.hash)] {
            assert!(text.replace(' ', "").contains(&digest), "{digest}");
        }
        assert!(!text.contains("report-"), "a text is missing: {text}");
        let info = run("pdfinfo", &[&path.to_string_lossy()]).expect("is installed");
        let n_pages: u32 =
            info.lines().find_map(|line| line.strip_prefix("Pages:")?.trim().parse().ok()).expect("pages");
        for page in 1..=n_pages {
            let numbered = match language {
                Language::En => format!("Page {page} of {n_pages}"),
                Language::De => format!("Seite {page} von {n_pages}"),
            };
            assert!(text.contains(&numbered), "{numbered}");
        }
    }
}

#[test]
fn the_attached_json_is_the_one_beside_it() {
    let (report, path) = make("attached", &sample::content(), Language::En);
    let Some(listed) = run("pdfdetach", &["-list", &path.to_string_lossy()]) else { return };
    assert!(listed.contains("report.json"), "{listed}");
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("saved.json");
    run("pdfdetach", &["-save", "1", "-o", &saved.to_string_lossy(), &path.to_string_lossy()]);
    assert_eq!(std::fs::read(saved).expect("was saved"), report.json);
    let text = text(&path).expect("is installed").split_whitespace().collect::<String>();
    assert!(text.contains(&bonafide::report::FileClaim::of(&report.json).sha256.to_string()));
}
