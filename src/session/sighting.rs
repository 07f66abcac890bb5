//! What a session knows of whoever was behind a participant's camera, besides the scores.

use crate::vision::EmbeddingSum;
use crate::vision::scene::SceneDescriptor;

use super::ids::ParticipantId;

/// What was seen of one participant.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Whose camera.
    pub participant_id: ParticipantId,
    /// The persons that were told apart, the one that it began with first.
    pub persons: Vec<EmbeddingSum>,
    /// What is behind them; `None` when nothing was described, or nothing that has a place of its own.
    pub scene: Option<SceneDescriptor>,
}
