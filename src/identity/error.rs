//! What can be wrong with templates and searches.

use crate::error::{ErrorKind, Kinded};

/// A template, a search or a calibration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A vector has no direction: zero, not finite, not of unit length, or vectors that cancel out.
    #[error("template: {problem}: send a unit vector of finite numbers")]
    NoDirection {
        /// What it is instead.
        problem: &'static str,
    },
    /// Vectors of different models, which mean nothing to each other.
    #[error(
        "template: made by model {found}, but {expected} is compared here: make the template again with that model"
    )]
    OtherModel {
        /// Whose vectors are compared.
        expected: String,
        /// Whose vector was given.
        found: String,
    },
    /// A vector of another length than the model makes.
    #[error("template: has {found} numbers, but {expected} are compared here: make the template again with this model")]
    Dimension {
        /// Length of the vectors that are compared.
        expected: usize,
        /// Length of the one given.
        found: usize,
    },
    /// A number out of its range.
    #[error("{field}: {problem}")]
    Invalid {
        /// The parameter.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The key is in the gallery already.
    #[error("template key: is in the gallery already: replace it instead")]
    KeyTaken,
    /// The key is not in the gallery.
    #[error("template key: is not in the gallery: add it instead")]
    KeyUnknown,
    /// The gallery holds as many templates as it may.
    #[error("gallery: holds {max_templates} templates, as many as it may: remove some or allow it more")]
    Full {
        /// The bound.
        max_templates: usize,
    },
    /// Fewer false matches were wished for than the data behind the calibration can vouch for.
    #[error(
        "wished_false_matches: {wished:e} a search of {n_templates} templates is less than the data vouch for: wish for \
         {least:.3e} or more (similarity {similarity:.3}), search fewer templates, or fit on more people"
    )]
    BeyondData {
        /// What was wished for.
        wished: f64,
        /// How many templates are searched.
        n_templates: usize,
        /// The least that can be wished for.
        least: f64,
        /// Similarity that gives the least.
        similarity: f64,
    },
    /// A search calibration that cannot be read.
    #[error("search calibration cannot be read: {source}")]
    Parse {
        /// What the parser said, with line and key.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Too little to fit a tail on.
    #[error("{problem}")]
    TooFew {
        /// What is missing and what to add.
        problem: String,
    },
}

impl Kinded for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoDirection { .. }
            | Self::Invalid { .. }
            | Self::Dimension { .. }
            | Self::BeyondData { .. }
            | Self::Parse { .. }
            | Self::TooFew { .. } => ErrorKind::InvalidInput,
            Self::OtherModel { .. } => ErrorKind::FailedPrecondition,
            Self::KeyTaken => ErrorKind::AlreadyExists,
            Self::KeyUnknown => ErrorKind::NotFound,
            Self::Full { .. } => ErrorKind::Overloaded,
        }
    }
}
