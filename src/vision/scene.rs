//! How a picture's background looks, without the person: what tells whether two interviews were held in the same place.
//!
//! In: a picture and where the faces in it are. Out: a descriptor of at most 6 KiB, and how well two of them agree. A
//! descriptor is a list of features: corners and blobs of the background, each with its place, its size and a code of 256
//! bits. Two backgrounds agree in as many features as one move of the camera explains.
//! Deliberately not here: what an agreement is worth, search among many, any statement about a person.
//!
//! A bare wall has no features and no place of its own: it is [`SceneGap::Plain`], never alike. A virtual background is a
//! picture like any other: two people who chose the same one agree.

mod agreement;
mod background;
mod bytes;
mod code;
mod keypoint;

use super::error::VisionError;
use super::geometry::BoxPx;
use crate::media::PictureView;

use self::background::Background;
use self::code::encode;
use self::keypoint::keypoints;

pub use self::agreement::{SceneSimilarity, compare};
pub use self::bytes::SceneBytesError;
pub use self::code::{FeatureCode, MAX_CODE_DISTANCE, WORD_BITS, words_near};

pub(crate) use self::agreement::{FeatureMatch, agreement, best_score};

/// Longer side of the picture on which features are sought, in pixels.
const WORK_SIDE_PX: u16 = 640;
/// Shorter side of that picture below which nothing is sought.
const MIN_SIDE_PX: u16 = 96;
/// Features that are kept, the strongest first.
const MAX_FEATURES: usize = 160;
/// Features without which a background is plain.
const MIN_FEATURES: usize = 12;
/// Cells of a grid over the picture, a side, and how many of them must hold a feature: one poster or one logo is no place.
const GRID: usize = 8;
const MIN_CELLS: usize = 6;
/// Share of the picture that must be free of people.
const MIN_FREE_RATIO: f64 = 0.1;
/// Mean luma of the background, in levels of 0..=255, below which it is too dark rather than plain.
const DARK_LUMA: f64 = 24.0;

/// Why a background says nothing about its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SceneGap {
    /// The picture is too small or too narrow.
    TooSmall,
    /// A face has no place, so that the person cannot be left out.
    PersonUnknown,
    /// People fill the picture.
    Hidden,
    /// There is too little light.
    Dark,
    /// There is too little in it: a bare wall, a blurred or plain virtual background.
    Plain,
}

impl SceneGap {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::TooSmall, Self::PersonUnknown, Self::Hidden, Self::Dark, Self::Plain];

    /// A name that stays, for reports and stored rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooSmall => "scene.too_small",
            Self::PersonUnknown => "scene.person_unknown",
            Self::Hidden => "scene.hidden",
            Self::Dark => "scene.dark",
            Self::Plain => "scene.plain",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gap| gap.name() == name)
    }
}

/// A descriptor, or why there is none.
pub type SceneReading = Result<SceneDescriptor, SceneGap>;

/// Where a feature lies and how large it is, in pixels of the working picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScenePlace {
    /// From the left edge.
    x: f32,
    /// From the top edge.
    y: f32,
    /// Standard deviation of the Gaussian at which it stands out.
    sigma: f32,
}

/// One corner or blob of a background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneFeature {
    place: ScenePlace,
    code: FeatureCode,
}

impl SceneFeature {
    /// Where it lies.
    #[must_use]
    pub const fn place(&self) -> ScenePlace {
        self.place
    }

    /// How its surroundings look.
    #[must_use]
    pub const fn code(&self) -> &FeatureCode {
        &self.code
    }
}

/// What is known of one picture's background.
///
/// # Shapes
/// 12 to 160 features, 37 bytes each as [`Self::to_bytes`].
#[derive(Clone, PartialEq)]
pub struct SceneDescriptor {
    width: u16,
    height: u16,
    features: Vec<SceneFeature>,
}

impl SceneDescriptor {
    /// Describes the background of a picture.
    ///
    /// `people` are the boxes of all faces in it, forehead to chin. Head, shoulders and everything below them are left out
    /// of each: no pixel of there is looked at. Hands, long hair and whoever stands with their back to the camera are not known
    /// and stay in, so that a picture in which nobody was found should be given only when nobody is there.
    ///
    /// # Errors
    /// [`VisionError::Operation`] when the image library fails. That there is no descriptor is an answer, not an error.
    ///
    /// # Source
    /// Lowe, IJCV 60(2), 2004, for features. Unlike there, nothing turns with the picture (cameras in interviews are upright),
    /// the smallest scale is that of the working picture, and of each histogram only which of its entries are large is kept.
    pub fn of(picture: PictureView<'_>, people: &[BoxPx]) -> Result<SceneReading, VisionError> {
        let background = match Background::of(picture, people)? {
            Ok(background) => background,
            Err(gap) => return Ok(Err(gap)),
        };
        let (pyramid, found) = keypoints(&background)?;
        let features: Vec<SceneFeature> = found
            .iter()
            .take(MAX_FEATURES)
            .map(|keypoint| bytes::rounded(keypoint, encode(&pyramid, keypoint)))
            .collect();
        let (width, height) = background.size();
        if features.len() < MIN_FEATURES || n_cells(&features, width, height) < MIN_CELLS {
            return Ok(Err(if background.mean_luma() < DARK_LUMA { SceneGap::Dark } else { SceneGap::Plain }));
        }
        Ok(Ok(Self { width, height, features }))
    }

    /// The features, the strongest first.
    #[must_use]
    pub fn features(&self) -> &[SceneFeature] {
        &self.features
    }

    /// Where the features lie, in their order.
    #[must_use]
    pub fn places(&self) -> Vec<ScenePlace> {
        self.features.iter().map(SceneFeature::place).collect()
    }

    /// The descriptor of the picture's mirror image.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let across = f32::from(self.width.saturating_sub(1));
        let mirror = |feature: &SceneFeature| SceneFeature {
            place: ScenePlace { x: across - feature.place.x, ..feature.place },
            code: feature.code.mirrored(),
        };
        Self { features: self.features.iter().map(mirror).collect(), ..*self }
    }
}

impl std::fmt::Debug for SceneDescriptor {
    /// Counts only: what a room looks like never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SceneDescriptor({} features of {}x{})", self.features.len(), self.width, self.height)
    }
}

/// Cells of the grid that hold a feature.
fn n_cells(features: &[SceneFeature], width: u16, height: u16) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is bounded")]
    let cell = |at: f32, side: u16| ((at / f32::from(side.max(1)) * GRID as f32) as usize).min(GRID - 1);
    let cells = features.iter().map(|feature| (cell(feature.place.x, width), cell(feature.place.y, height)));
    cells.collect::<std::collections::BTreeSet<_>>().len()
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
