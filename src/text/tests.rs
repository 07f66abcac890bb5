//! Both languages say the same.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;

use super::Language;

fn files(language: Language) -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text").join(language.tag());
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .map(|path| {
            let name = path.file_name().expect("has one").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("readable"))
        })
        .collect();
    files.sort();
    files
}

/// Keys with the variables that their texts use.
fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (_, text) in files(language) {
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with([' ', '}'])) {
                key = name.to_owned();
                assert!(found.insert(key.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            let variables = line.split('$').skip(1).map(|rest| {
                rest.chars()
                    .take_while(|character| character.is_alphanumeric() || *character == '_')
                    .collect::<String>()
            });
            if let Some(known) = found.get_mut(&key) {
                known.extend(variables);
            }
        }
    }
    found
}

#[test]
fn every_file_is_read_without_errors_and_is_built_in() {
    for language in Language::ALL {
        let files = files(language);
        let total: usize = files.iter().map(|(_, text)| keys_in(text)).sum();
        assert!(total > 40);
        for (name, text) in files {
            let parsed = FluentResource::try_new(text.clone());
            assert!(parsed.is_ok(), "{language:?} {name}: {:?}", parsed.err().map(|(_, errors)| errors));
        }
        for key in keys(language).keys() {
            assert!(super::bundle::bundle(language).has_message(key), "{language:?} {key} is not built in");
        }
    }
}

fn keys_in(text: &str) -> usize {
    text.lines().filter(|line| line.contains(" =") && !line.starts_with(['#', ' '])).count()
}

#[test]
fn both_languages_have_the_same_keys_and_variables() {
    let (en, de) = (keys(Language::En), keys(Language::De));
    let names = |of: &BTreeMap<String, BTreeSet<String>>| of.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&en).symmetric_difference(&names(&de)).collect::<Vec<_>>(), Vec::<&String>::new());
    for (key, variables) in &en {
        assert_eq!(de.get(key), Some(variables), "{key}");
    }
}
