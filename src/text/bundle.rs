//! The Fluent files, read once.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use super::language::Language;
use super::number;

/// Every file of a language.
const EN: [&str; 7] = [
    include_str!("en/admin.ftl"),
    include_str!("en/identity.ftl"),
    include_str!("en/pages.ftl"),
    include_str!("en/reasons.ftl"),
    include_str!("en/report.ftl"),
    include_str!("en/review.ftl"),
    include_str!("en/stills.ftl"),
];
const DE: [&str; 7] = [
    include_str!("de/admin.ftl"),
    include_str!("de/identity.ftl"),
    include_str!("de/pages.ftl"),
    include_str!("de/reasons.ftl"),
    include_str!("de/report.ftl"),
    include_str!("de/review.ftl"),
    include_str!("de/stills.ftl"),
];

pub(super) type Bundle = FluentBundle<FluentResource>;

/// A value in a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text as it is.
    Text(Cow<'a, str>),
    /// A number, for functions of the text and for plurals.
    Number(f64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

/// The text of a key; a key that no file has is shown as it is.
#[must_use]
pub fn text(language: Language, key: &str) -> String {
    text_with(language, key, &[])
}

/// The text of a key with values put in.
#[must_use]
pub fn text_with(language: Language, key: &str, values: &[(&str, Value<'_>)]) -> String {
    find(language, key, values).unwrap_or_else(|| key.to_owned())
}

/// The text of a key, if there is one.
pub(super) fn find(language: Language, key: &str, values: &[(&str, Value<'_>)]) -> Option<String> {
    let bundle = bundle(language);
    let (key, attribute) = key.split_once('.').map_or((key, None), |(key, attribute)| (key, Some(attribute)));
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(attribute) => message.get_attribute(attribute)?.value(),
    };
    let mut args = FluentArgs::new();
    for (name, value) in values {
        match value {
            Value::Text(text) => args.set(*name, text.as_ref()),
            Value::Number(number) => args.set(*name, *number),
        }
    }
    let mut errors = Vec::new();
    Some(bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned())
}

pub(super) fn bundle(language: Language) -> &'static Bundle {
    static EN_BUNDLE: OnceLock<Bundle> = OnceLock::new();
    static DE_BUNDLE: OnceLock<Bundle> = OnceLock::new();
    match language {
        Language::En => EN_BUNDLE.get_or_init(|| build(Language::En, &EN)),
        Language::De => DE_BUNDLE.get_or_init(|| build(Language::De, &DE)),
    }
}

fn build(language: Language, files: &[&str]) -> Bundle {
    let tag = language.tag().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![tag]);
    // The marks around values are for texts that mix writing directions; here they would end up in reports and logs.
    bundle.set_use_isolating(false);
    for file in files {
        // A test holds that every file is read without errors.
        let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(resource, _errors)| resource);
        bundle.add_resource_overriding(resource);
    }
    add_function(&mut bundle, "SECS", move |value, _| format!("{} s", number::fixed(language, value, 1)));
    add_function(&mut bundle, "MOMENT", move |value, _| number::moment(language, value));
    add_function(&mut bundle, "FIXED", move |value, decimals| number::fixed(language, value, decimals));
    add_function(&mut bundle, "WHOLE", move |value, _| number::fixed(language, value.abs(), 0));
    add_function(&mut bundle, "PERCENT", move |value, _| number::percent(language, value));
    bundle
}

/// Adds a function of a number and, where the text gives one, a count of decimals.
fn add_function(bundle: &mut Bundle, name: &str, write: impl Fn(f64, usize) -> String + Send + Sync + 'static) {
    let added = bundle.add_function(name, move |positional, _named| {
        let number = |position: usize| match positional.get(position) {
            Some(FluentValue::Number(number)) => number.value,
            _ => f64::NAN,
        };
        // Decimals stand in the texts: small and whole.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let decimals = number(1).clamp(0.0, 9.0) as usize;
        FluentValue::from(write(number(0), decimals))
    });
    debug_assert!(added.is_ok(), "{name} is added once");
}
