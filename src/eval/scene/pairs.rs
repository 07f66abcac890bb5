//! All pairs of views, compared by the search that serves.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval::error::EvalError;
use crate::eval::run::Bench;
use crate::identity::{SceneGallery, SceneKey};
use crate::vision::scene::{SceneDescriptor, SceneSimilarity};

use super::views::{Origin, View};

/// What two views have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Two frames of one recording.
    LaterFrame,
    /// Two files that were recorded in one place.
    OtherRecording,
    /// A recording, and a simulated sitting in its place.
    Simulated,
    /// The same, in a mirror.
    Mirrored,
    /// Two places.
    Different,
    /// Two places before which one person was put.
    OnePerson,
}

impl Kind {
    pub(super) const SAME: [Self; 4] = [Self::LaterFrame, Self::OtherRecording, Self::Simulated, Self::Mirrored];

    pub(super) fn is_same_scene(self) -> bool {
        !matches!(self, Self::Different | Self::OnePerson)
    }

    /// For tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::LaterFrame => "same recording, another time",
            Self::OtherRecording => "another recording in the same place",
            Self::Simulated => "simulated: somebody else, camera moved, other light",
            Self::Mirrored => "simulated: the same, mirrored",
            Self::Different => "two places",
            Self::OnePerson => "two places, one person before both",
        }
    }

    fn of(a: &View, b: &View) -> Option<Self> {
        match (a.scene == b.scene, a.file == b.file, a.origin, b.origin) {
            (false, _, Origin::Recorded(_), Origin::Recorded(_) | Origin::Simulated) => {
                Some(if a.sitter.is_some() && a.sitter == b.sitter { Self::OnePerson } else { Self::Different })
            }
            (true, true, Origin::Recorded(_), Origin::Recorded(_)) => Some(Self::LaterFrame),
            (true, false, Origin::Recorded(_), Origin::Recorded(_)) => Some(Self::OtherRecording),
            (true, true, Origin::Recorded(0), Origin::Simulated) => Some(Self::Simulated),
            (true, true, Origin::Recorded(0), Origin::Mirrored) => Some(Self::Mirrored),
            _ => None,
        }
    }
}

/// Two views that can both be assessed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// Numbers of the two views.
    pub(super) views: [u32; 2],
    /// Numbers of their places.
    pub(super) scenes: [u32; 2],
    pub(super) kind: Kind,
    pub(super) similarity: SceneSimilarity,
}

/// All of them, and how many could not be assessed.
pub(super) struct Pairs {
    all: Vec<Pair>,
    /// Pairs of one place of which a view has no descriptor.
    unassessable: BTreeMap<Kind, usize>,
    scenes: BTreeSet<u32>,
}

impl Pairs {
    /// Compares every view with every later one, but two of one place that say nothing new.
    pub(super) fn new(bench: &Bench<'_>, views: &[View]) -> Result<Self, EvalError> {
        let described: Vec<(u32, &View, &SceneDescriptor)> = (0_u32..)
            .zip(views)
            .filter_map(|(at, view)| Some((at, view, view.reading.as_ref().ok()?.as_ref().ok()?)))
            .collect();
        let scenes: BTreeSet<u32> = described.iter().map(|(_, view, _)| view.scene).collect();
        if scenes.len() < 2 {
            let problem = "fewer than two places can be assessed: add pictures whose backgrounds show something";
            return Err(EvalError::TooFew { problem: problem.to_owned() });
        }
        let mut gallery = SceneGallery::new(described.len())?;
        for (at, _, scene) in &described {
            gallery.add(SceneKey(u64::from(*at)), scene)?;
        }
        let recorded: Vec<&(u32, &View, &SceneDescriptor)> =
            described.iter().filter(|(_, view, _)| matches!(view.origin, Origin::Recorded(_))).collect();
        let of_views = bench.for_each(&recorded, |(at, view, scene)| {
            let finds = gallery.search(scene, f32::MIN_POSITIVE, described.len())?;
            let found: BTreeMap<u64, SceneSimilarity> =
                finds.hits.iter().map(|hit| (hit.key.0, hit.similarity)).collect();
            let pairs = described.iter().filter_map(|(other_at, other, _)| {
                let is_later = other_at > at || !matches!(other.origin, Origin::Recorded(_));
                let kind = Kind::of(view, other).filter(|_| is_later)?;
                let similarity = found.get(&u64::from(*other_at)).copied().unwrap_or_default();
                Some(Pair { views: [*at, *other_at], scenes: [view.scene, other.scene], kind, similarity })
            });
            Ok::<_, EvalError>(pairs.collect::<Vec<_>>())
        })?;
        let is_described = |view: &View| matches!(view.reading, Ok(Ok(_)));
        let mut by_scene: BTreeMap<u32, Vec<&View>> = BTreeMap::new();
        for view in views {
            by_scene.entry(view.scene).or_default().push(view);
        }
        let mut unassessable = BTreeMap::new();
        for of_scene in by_scene.values() {
            for (at, view) in of_scene.iter().enumerate() {
                for other in of_scene.iter().skip(at + 1) {
                    if let (Some(kind), false) = (Kind::of(view, other), is_described(view) && is_described(other)) {
                        *unassessable.entry(kind).or_insert(0) += 1;
                    }
                }
            }
        }
        Ok(Self { all: of_views.into_iter().flatten().collect(), unassessable, scenes })
    }

    pub(super) fn all(&self) -> &[Pair] {
        &self.all
    }

    /// Pairs of a kind that could not be assessed.
    pub(super) fn n_unassessable(&self, kind: Kind) -> usize {
        self.unassessable.get(&kind).copied().unwrap_or(0)
    }

    /// Places that can be assessed, of those that are wanted.
    pub(super) fn n_scenes(&self, is_in: &dyn Fn(u32) -> bool) -> u32 {
        u32::try_from(self.scenes.iter().filter(|scene| is_in(**scene)).count()).unwrap_or(u32::MAX)
    }
}
