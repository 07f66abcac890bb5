//! Who was seen before: templates of people, the exact search among them, and what a similarity is worth.
//!
//! In: identity vectors of one model. Out: templates, the hits of a search ordered by similarity, the ratio that a similarity
//! speaks for one person, and the threshold that gives a wished number of false matches a search.
//! Deliberately not here: names, storage, who may ask, and any decision. A hit is a proposal; a person confirms it.

mod calibration;
mod error;
mod gallery;
mod quantised;
mod scene;
mod tail;
mod template;

pub use self::calibration::{SearchCalibration, SearchPolicy, SearchThreshold};
pub use self::error::IdentityError;
pub use self::gallery::{Gallery, Hit, TemplateKey};
pub use self::scene::{
    SCENE_MODEL, SceneCalibration, SceneFinds, SceneGallery, SceneHit, SceneKey, SceneKnot, SceneLine, ScenePolicy,
    SceneTail, SceneThreshold,
};
pub use self::tail::{FalseMatches, ImpostorTail, Knot, Support, WeighedSimilarity};
pub use self::template::{ModelDigest, Template, TemplateSum};
