//! The list of reasons in `docs/reasons.md` is the list in the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that give reasons.
const SOURCES: [&str; 3] = ["src/signals", "src/scoring", "src/session"];
/// First parts of codes.
const TOPICS: [&str; 9] =
    ["evidence", "quality", "score", "segment", "identity", "presentation", "deepfake", "motion", "presence"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Words between two `mark`s that look like `topic.what`.
fn codes(text: &str, mark: char) -> BTreeSet<String> {
    let is_code = |word: &&str| {
        word.split_once('.').is_some_and(|(topic, what)| {
            (TOPICS.contains(&topic) || topic == "stream")
                && !what.is_empty()
                && what.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    text.lines().flat_map(|line| line.split(mark)).filter(is_code).map(str::to_owned).collect()
}

#[test]
fn every_reason_is_documented_and_every_documented_reason_exists() {
    let in_code: BTreeSet<String> = SOURCES
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .flat_map(|file| codes(&fs::read_to_string(file).expect("readable"), '"'))
        .collect();
    let documented = codes(&fs::read_to_string(root().join("docs/reasons.md")).expect("readable"), '`');
    assert!(in_code.len() > 30, "the search still finds them: {in_code:?}");
    assert_eq!(in_code, documented);
}

#[test]
fn every_reason_has_a_sentence_in_every_language() {
    let documented = codes(&fs::read_to_string(root().join("docs/reasons.md")).expect("readable"), '`');
    for language in ["en", "de"] {
        let file = root().join("src/text").join(language).join("reasons.ftl");
        let text = fs::read_to_string(file).expect("readable");
        let keys: BTreeSet<_> = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
        let missing: Vec<_> =
            documented.iter().filter(|code| !keys.contains(code.replace('.', "-").as_str())).collect();
        assert!(missing.is_empty(), "{language}: {missing:?}");
    }
}
