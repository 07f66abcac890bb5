//! Which keys exist, and which of them hold secrets.

use figment::value::{Dict, Value};

use super::error::ConfigError;

/// Keys with these endings hold secrets: their values are neither shown nor part of a message.
const SECRET_ENDINGS: [&str; 6] = ["_secret", "_password", "_token", "_key", "_keys", "_url"];

/// Keys that are absent by default, which the file of the defaults can only mention in a comment.
pub(super) const OPTIONAL: [&str; 3] = ["grpc.tls", "web.oidc", "web.tls"];

/// Whether a key's value must not be shown.
pub(super) fn is_secret(key: &str) -> bool {
    SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// Refuses keys that the defaults do not have. A table that is empty in the defaults takes any key.
///
/// # Errors
/// [`ConfigError::UnknownKey`] with the keys that exist there.
pub(super) fn check(given: &Dict, known: &Dict, section: &str, origin: &str) -> Result<(), ConfigError> {
    for (name, value) in given {
        let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        match (known.get(name), value) {
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) if !known.is_empty() => {
                check(given, known, &key, origin)?;
            }
            (None, _) if OPTIONAL.contains(&key.as_str()) => {}
            (Some(_), _) => {}
            (None, _) => return Err(unknown(key, name, known, origin)),
        }
    }
    Ok(())
}

fn unknown(key: String, name: &str, known: &Dict, origin: &str) -> ConfigError {
    let allowed = match closest(name, known) {
        Some(similar) => format!("did you mean {similar}?"),
        None => format!("known here: {}", known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    };
    ConfigError::UnknownKey { key, origin: origin.to_owned(), allowed }
}

/// The one known key that is at most a third of its letters away.
fn closest<'a>(name: &str, known: &'a Dict) -> Option<&'a str> {
    let distances = known.keys().map(|key| (edit_distance(name, key), key));
    distances.min().filter(|(distance, key)| distance * 3 <= key.len()).map(|(_, key)| key.as_str())
}

/// Letters to insert, delete or replace (Levenshtein), row by row.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, is_secret};

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (left, right, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0)] {
            assert_eq!(edit_distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        assert!(is_secret("api_keys") && is_secret("resume_secret"));
        assert!(!is_secret("log_level") && !is_secret("keyframes"));
    }
}
