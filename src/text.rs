//! Everything that people read in their own language: English and German.
//!
//! In: a language, a key, values. Out: a sentence, numbers written as the language does.
//! The texts are Fluent files beside this module (`en/`, `de/`), one a subject; both languages have the same keys and
//! variables, which a test holds. Deliberately not here: markup, log lines, error messages of the wire.

mod bundle;
mod language;
mod number;
mod reason;

#[cfg(test)]
mod tests;

pub use self::bundle::{Value, text, text_with};
pub use self::language::Language;
pub use self::number::{clock_time, count, date_time, fixed, moment, percent};
pub use self::reason::reason;
