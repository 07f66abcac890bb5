//! What can be wrong with an interview, and which signals see it.

use crate::signals::SignalName;

/// Signals that look at the same thing, and so count once where independence is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Whose face it is.
    Identity,
    /// What the face is made of: skin, print, screen.
    Presentation,
    /// Whether the face was put into the picture.
    Manipulation,
    /// Whether the face moves within itself.
    Still,
    /// How the stream came about.
    Stream,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [Self::Identity, Self::Presentation, Self::Manipulation, Self::Still, Self::Stream];

    /// The family that a signal belongs to.
    #[must_use]
    pub const fn of(signal: SignalName) -> Self {
        match signal {
            SignalName::Identity => Self::Identity,
            SignalName::Presentation => Self::Presentation,
            SignalName::Deepfake => Self::Manipulation,
            SignalName::Motion => Self::Still,
            SignalName::Presence | SignalName::Stream => Self::Stream,
        }
    }
}

/// A way to attack an interview that the signals can see.
///
/// What a kind does not change looks as it does of a genuine participant: a replayed video moves as a face does, so that
/// movement never speaks for it; a photograph is told by its texture and by its stillness, and both count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttackKind {
    /// Another person than before, or than the reference.
    Substitution,
    /// A video of a person, shown to the camera on a screen.
    Replay,
    /// A picture of a person, held before the camera, moved or not.
    Photograph,
    /// Another face laid over the participant's own, or the participant's own made to move by another person.
    FaceSwap,
    /// A picture of a person in place of the camera's stream, animated as a whole.
    InjectedStill,
    /// A recording in place of the camera's stream.
    InjectedVideo,
}

impl AttackKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Substitution, Self::Replay, Self::Photograph, Self::FaceSwap, Self::InjectedStill, Self::InjectedVideo];

    /// The families whose measurements this kind changes.
    #[must_use]
    pub const fn seen_by(self) -> &'static [Family] {
        match self {
            Self::Substitution => &[Family::Identity],
            Self::Replay => &[Family::Presentation],
            Self::Photograph => &[Family::Presentation, Family::Still],
            Self::FaceSwap => &[Family::Manipulation],
            Self::InjectedStill => &[Family::Still],
            Self::InjectedVideo => &[Family::Stream],
        }
    }
}
