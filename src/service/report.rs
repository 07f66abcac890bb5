//! What a report tells of a session, gathered at one moment and free of any language.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::audit::{Action, Actor, Digest};
use crate::media::MediaTime;
use crate::scoring::{ENGINE, LevelThresholds, Policy};
use crate::session::{ParticipantId, Segment, SessionId, StillGap};

use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::ports::{AuditRow, Clock, JournalDigest, LogEnd, ReportLimits, ReportStore, Review, Timeline};
use super::review::SecondReviewer;
use super::views::SessionView;

/// What a report takes at most. A point for each pixel column of a printed chart, segments and rows beyond what anybody reads.
const LIMITS: ReportLimits = ReportLimits { segments: 2_000, points: 600, audit_rows: 500 };
/// Stills of a report; each has two pictures of 64 KiB at most.
const MAX_STILLS: usize = 60;

/// A picture of a still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPicture {
    /// SHA-256 of the JPEG.
    pub sha256: Digest,
    /// The picture.
    pub jpeg: Vec<u8>,
}

impl ReportPicture {
    /// A picture with its digest.
    #[must_use]
    pub fn new(jpeg: Vec<u8>) -> Self {
        Self { sha256: Digest(Sha256::digest(&jpeg).into()), jpeg }
    }
}

/// A still as a report shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportStill {
    /// Its number in the session.
    pub ordinal: u32,
    /// Of whom.
    pub participant_id: ParticipantId,
    /// Which segment it shows; `None` = the first good look at the participant.
    pub segment: Option<u32>,
    /// When it was taken.
    pub at: MediaTime,
    /// The whole picture.
    pub frame: ReportPicture,
    /// The face, cut out.
    pub chip: Option<ReportPicture>,
    /// Where the face is: left, top, right and bottom as shares of the frame's width and height.
    pub face_box: Option<[f32; 4]>,
    /// Contours of the face, each a closed line of points as shares of the frame's width and height.
    pub outline: Vec<Vec<[f32; 2]>>,
    /// Attack score of the presentation model on it, 0..=1.
    pub presentation_score: Option<f32>,
    /// Attack score of the deepfake model on it, 0..=1.
    pub deepfake_score: Option<f32>,
}

/// The stills of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportStills {
    /// The stills.
    pub stills: Vec<ReportStill>,
    /// Stills that there are.
    pub n_stills: u64,
    /// Participants and segments without still, and why.
    pub gaps: Vec<StillGap>,
}

/// Gives the stills of a report. Opening them is checked and written down there.
#[async_trait::async_trait]
pub trait StillSource: Send + Sync + 'static {
    /// The stills of a session, at most `limit`, and how many there are.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`]; a still that cannot be opened is a gap.
    async fn report_stills(&self, caller: &Caller, id: &SessionId, limit: usize) -> Result<ReportStills, ServiceError>;
}

/// All that a report tells. The same content gives the same report, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportContent {
    /// When it was gathered.
    pub made: Timestamp,
    /// For whom.
    pub made_by: Actor,
    /// The program that made the report; each score names the one that scored.
    pub engine: String,
    /// The session and its latest scores.
    pub session: SessionView,
    /// Thresholds of the session's policy; `None` when another one is in use by now.
    pub levels: Option<LevelThresholds>,
    /// Scores over time, by participant.
    pub timelines: Vec<Timeline>,
    /// Segments in order, those with marks and the worst ones if there are too many.
    pub segments: Vec<Segment>,
    /// Segments that there are.
    pub n_segments: u64,
    /// What people said.
    pub review: Review,
    /// Which decisions need a second person.
    pub second_reviewer: SecondReviewer,
    /// Stills, in order of time.
    pub stills: Vec<ReportStill>,
    /// Stills that there are.
    pub n_stills: u64,
    /// Participants and segments without still, and why.
    pub gaps: Vec<StillGap>,
    /// What the scores were computed of.
    pub journal: JournalDigest,
    /// Who did what to the session, oldest first.
    pub audit: Vec<AuditRow>,
    /// Rows about the session that there are.
    pub n_audit_rows: u64,
    /// Where the audit log ended, with the row about this report in it.
    pub log_end: LogEnd,
}

/// Gathers reports. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    store: Arc<dyn ReportStore>,
    clock: Arc<dyn Clock>,
    second_reviewer: SecondReviewer,
    stills: Option<Arc<dyn StillSource>>,
    policy: Option<Arc<Policy>>,
}

impl std::fmt::Debug for Reports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reports").field("has_stills", &self.stills.is_some()).finish_non_exhaustive()
    }
}

impl Reports {
    /// Puts the use case together; reports have no stills until [`Reports::with_stills`] names their source.
    #[must_use]
    pub fn new(store: Arc<dyn ReportStore>, clock: Arc<dyn Clock>, second_reviewer: SecondReviewer) -> Self {
        Self { store, clock, second_reviewer, stills: None, policy: None }
    }

    /// The same with stills.
    #[must_use]
    pub fn with_stills(self, stills: Arc<dyn StillSource>) -> Self {
        Self { stills: Some(stills), ..self }
    }

    /// The same with the policy that scores, whose thresholds a report shows.
    #[must_use]
    pub fn with_policy(self, policy: Arc<Policy>) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Gathers what a report tells of a session. That it was asked for stands in the audit log first, and so in the report.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn content(&self, caller: &Caller, id: &SessionId) -> Result<ReportContent, ServiceError> {
        let object = format!("sessions/{id}");
        let (permission, action) = (Permission::ReadSessions, Action::ReportExport);
        permit(&*self.store, &*self.clock, caller, Attempt { permission, action, object: object.clone() }).await?;
        let name = caller.session(id);
        self.store.require_session(&name).await?;
        let made = self.clock.now();
        self.store.append(caller.did(made, action, object)).await?;
        let told = match &self.stills {
            Some(source) => source.report_stills(caller, id, MAX_STILLS).await?,
            None => ReportStills::default(),
        };
        let ReportStills { mut stills, n_stills, gaps } = told;
        stills.sort_by_key(|still| (still.at, still.ordinal));
        let rows = self.store.report_rows(&name, LIMITS).await?;
        Ok(ReportContent {
            made,
            made_by: caller.actor.clone(),
            engine: ENGINE.to_owned(),
            levels: self.levels_of(&rows.session.policy),
            session: rows.session.into(),
            timelines: rows.timelines,
            segments: rows.segments,
            n_segments: rows.n_segments,
            review: rows.review,
            second_reviewer: self.second_reviewer,
            stills,
            n_stills,
            gaps,
            journal: rows.journal,
            audit: rows.audit,
            n_audit_rows: rows.n_audit_rows,
            log_end: rows.log_end,
        })
    }

    fn levels_of(&self, policy: &str) -> Option<LevelThresholds> {
        self.policy.as_ref().filter(|in_use| in_use.name() == policy).map(|in_use| in_use.levels)
    }
}
