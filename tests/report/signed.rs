//! The signature, checked as those do who have the files and a public key.

use bonafide::keys::SigningKey;
use bonafide::report::{ReportSignature, VerifyError};
use bonafide::text::Language;

use crate::{make, sample, signer};

#[test]
fn what_was_signed_verifies_with_the_public_key_alone() {
    let (report, _) = make("signed", &sample::content(), Language::En);
    let signature = ReportSignature::from_file(&report.signature).expect("reads");
    let known = [signer().verifying_key()];
    let verified = signature.verify(Some(&report.pdf), Some(&report.json), &known).expect("holds");
    assert_eq!((verified.session.as_str(), verified.is_key_known), ("backend-2026-11", true));
    assert_eq!(verified.files, ["report.pdf", "report.json"]);
    let alone = signature.verify(Some(&report.pdf), None, &[]).expect("holds");
    assert_eq!((alone.files.len(), alone.is_key_known), (1, false));
    let other = SigningKey::from_seed([8; 32]).verifying_key();
    let refused = signature.verify(Some(&report.pdf), None, &[other]).expect_err("another key");
    assert!(matches!(refused, VerifyError::OtherKey { .. }), "{refused}");
}

#[test]
fn one_changed_byte_anywhere_is_found_and_its_file_is_named() {
    let (report, _) = make("signed", &sample::content(), Language::En);
    let known = [signer().verifying_key()];
    let check = |pdf: &[u8], json: &[u8], signature: &[u8]| {
        ReportSignature::from_file(signature)?.verify(Some(pdf), Some(json), &known).map(|_verified| ())
    };
    check(&report.pdf, &report.json, &report.signature).expect("holds");
    let flipped = |bytes: &[u8], at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        changed
    };
    let places = |length: usize| (0..length).step_by(length / 97 + 1).chain([length - 1]);
    for at in places(report.pdf.len()) {
        let error = check(&flipped(&report.pdf, at), &report.json, &report.signature).expect_err("was changed");
        assert!(error.to_string().starts_with("report.pdf: differs"), "{at}: {error}");
    }
    for at in places(report.json.len()) {
        let error = check(&report.pdf, &flipped(&report.json, at), &report.signature).expect_err("was changed");
        assert!(error.to_string().starts_with("report.json: differs"), "{at}: {error}");
    }
    for at in 0..report.signature.len() {
        // White space between members says nothing.
        if report.signature[at].is_ascii_whitespace() {
            continue;
        }
        let error = check(&report.pdf, &report.json, &flipped(&report.signature, at)).expect_err("was changed");
        let text = error.to_string();
        assert!(text.starts_with("report."), "{at}: {text}");
    }
    for length in [0, 1, report.pdf.len() / 2, report.pdf.len() - 1] {
        let error = check(&report.pdf[..length], &report.json, &report.signature).expect_err("was cut short");
        assert!(matches!(error, VerifyError::Differs { file: "report.pdf", .. }), "{error}");
    }
    for length in 0..report.signature.len() - 1 {
        assert!(ReportSignature::from_file(&report.signature[..length]).is_err(), "{length}");
    }
    let long = vec![b' '; 1_000_000];
    assert!(ReportSignature::from_file(&long).is_err());
}

#[test]
fn files_of_two_reports_do_not_mix() {
    let (english, _) = make("signed", &sample::content(), Language::En);
    let (german, _) = make("signed", &sample::content(), Language::De);
    let signature = ReportSignature::from_file(&english.signature).expect("reads");
    assert!(signature.verify(Some(&german.pdf), None, &[]).is_err());
    assert!(signature.verify(None, Some(&german.json), &[]).is_err());
    // Somebody who signs the other's files with a key of their own is found by the key alone.
    let mut stolen = ReportSignature::from_file(&german.signature).expect("reads");
    stolen.public_key = SigningKey::from_seed([8; 32]).verifying_key().to_hex();
    let error = stolen.verify(Some(&german.pdf), None, &[]).expect_err("was not signed with it");
    assert_eq!(error, VerifyError::BadSignature);
}

/// Follows docs/report.md: what somebody does who has OpenSSL and not this program.
#[test]
fn the_signature_can_be_checked_with_openssl() {
    let (report, _) = make("signed", &sample::content(), Language::De);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [("report.pdf", &report.pdf), ("report.json", &report.json), ("report.sig", &report.signature)]
    {
        std::fs::write(folder.path().join(name), bytes).expect("writes");
    }
    let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.md"));
    let (_, script) = document.split_once("```sh\n").expect("has a script");
    let (script, _) = script.split_once("```").expect("it ends");
    let check = || {
        let mut command = std::process::Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(folder.path());
        let output = command.output().expect("there is a shell");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned(), output.stderr)
    };
    for tool in ["openssl", "python3"] {
        if std::process::Command::new(tool).arg("--help").output().is_err() {
            eprintln!("SKIPPED: {tool} is not installed");
            return;
        }
    }
    let (is_good, said, complaints) = check();
    assert!(
        is_good && said.contains("Signature Verified Successfully"),
        "{said}{}",
        String::from_utf8_lossy(&complaints)
    );
    let mut changed = report.pdf.clone();
    changed[1_000] ^= 1;
    std::fs::write(folder.path().join("report.pdf"), changed).expect("writes");
    let (is_good, said, _) = check();
    assert!(!is_good && !said.contains("Successfully"), "{said}");
}
