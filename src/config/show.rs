//! The effective configuration as text.

use std::fmt::Write;
use std::path::PathBuf;

use figment::value::{Dict, Value};

use super::keys::is_secret;

/// What stands in place of a secret.
const REDACTED: &str = "\"<redacted>\"";
/// The origin that needs no mention.
const DEFAULTS: &str = "the built-in defaults";

/// Every value as TOML. `paths` replace values that were filled in; `origin` says where a key's value came from.
pub(super) fn to_toml(values: &Dict, paths: &[(&str, &PathBuf)], origin: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    for (section, value) in values {
        let Some(settings) = value.as_dict() else { continue };
        let _written = writeln!(text, "{}[{section}]", if text.is_empty() { "" } else { "\n" });
        for (name, value) in settings {
            let key = format!("{section}.{name}");
            let shown = match paths.iter().find(|(path_key, _)| *path_key == key) {
                Some((_, path)) => toml::Value::String(path.display().to_string()).to_string(),
                None => setting(name, value),
            };
            let remark = origin(&key).filter(|origin| origin != DEFAULTS).map(|origin| format!("  # {origin}"));
            let _written = writeln!(text, "{name} = {shown}{}", remark.unwrap_or_default());
        }
    }
    text
}

/// A named value as TOML on one line, if it may be shown. That there is no secret is none.
fn setting(name: &str, value: &Value) -> String {
    let is_unset = value.as_array().is_some_and(<[Value]>::is_empty) || value.as_str().is_some_and(str::is_empty);
    if is_secret(name) && !is_unset { REDACTED.to_owned() } else { literal(value) }
}

/// A value as TOML on one line; secrets within tables are redacted too.
fn literal(value: &Value) -> String {
    if let Some(table) = value.as_dict() {
        let entries = table
            .iter()
            .map(|(name, value)| format!("{} = {}", toml::Value::String(name.clone()), setting(name, value)));
        return format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "));
    }
    if let Some(items) = value.as_array() {
        return format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "));
    }
    toml::Value::try_from(value).map_or_else(|_error| "\"<no form in TOML>\"".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use figment::value::{Dict, Value};

    use super::to_toml;

    #[test]
    fn secrets_are_redacted_wherever_they_stand() {
        let inner =
            Dict::from([("client_secret".to_owned(), Value::from("s3cret")), ("id".to_owned(), Value::from("x"))]);
        let section = Dict::from([
            ("api_keys".to_owned(), Value::from(vec!["s3cret"])),
            ("client".to_owned(), Value::from(inner)),
            ("listen".to_owned(), Value::from("a\"b")),
        ]);
        let text = to_toml(&Dict::from([("grpc".to_owned(), Value::from(section))]), &[], |_| None);
        assert!(!text.contains("s3cret"), "{text}");
        let parsed: toml::Table = toml::from_str(&text).expect("is TOML");
        assert_eq!(parsed["grpc"]["listen"].as_str(), Some("a\"b"));
        assert_eq!(parsed["grpc"]["client"]["id"].as_str(), Some("x"));
    }
}
