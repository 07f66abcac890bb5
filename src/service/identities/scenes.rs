//! Where interviews were held: what is behind one participant, looked for behind all others.

use std::collections::BTreeMap;

use crate::audit::Action;
use crate::identity::{FalseMatches, IdentityError, SceneCalibration, SceneHit, SceneThreshold, TemplateKey};
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{FaceName, FaceRecord, StoredTemplate, TemplateKind, VerdictRecord};
use crate::session::{SessionName, TenantId};
use crate::vision::scene::{SceneDescriptor, SceneSimilarity, compare};

use super::Identities;
use super::likeness::{Opinion, RatioInterval};
use super::sealed::Opener;
use super::search::{MAX_HITS, Relation, Wished};
use super::subject::{SessionFace, Subject, broken, pick};

/// Whose background is searched for, and how carefully.
#[derive(Clone, Debug)]
pub struct SceneSearch {
    /// Whose; somebody of a session.
    pub subject: Subject,
    /// False matches to expect of the search if nobody else was in that place; `None` = the operator's figure, or the least
    /// that the data behind the calibration vouch for, whichever is more.
    pub max_false_matches: Option<f64>,
    /// At most so many hits; 1 to 1,000.
    pub max_hits: u32,
}

/// How well two backgrounds agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneAgreement {
    /// 0..=1: how many features agree and how much alike they look; 0 = no more than chance.
    pub score: f32,
    /// Features that agree.
    pub n_matched: u16,
    /// Whether one of the pictures is mirrored.
    pub is_mirrored: bool,
    /// How much likelier that is between two pictures of one place than of two: natural logarithm.
    pub llr: f64,
    /// Lower end of its 95 % interval.
    pub llr_low: f64,
    /// Upper end.
    pub llr_high: f64,
    /// Whether the data behind the calibration allow no stronger statement.
    pub is_bounded: bool,
    /// What the interval says.
    pub opinion: Opinion,
}

impl SceneAgreement {
    fn new(calibration: &SceneCalibration, similarity: SceneSimilarity) -> Result<Self, ServiceError> {
        let ratio = calibration
            .ratio(&similarity)
            .ok_or_else(|| ServiceError::Internal { problem: "an agreement is not a finite number".to_owned() })?;
        let RatioInterval { llr, llr_low, llr_high, is_bounded, opinion } =
            RatioInterval::new(&ratio, calibration.ratio_bounds());
        let SceneSimilarity { score, n_matched, is_mirrored } = similarity;
        Ok(Self { score, n_matched, is_mirrored, llr, llr_low, llr_high, is_bounded, opinion })
    }
}

/// A background that agrees with the one that was searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneMatch {
    /// Behind whom.
    pub face: FaceRecord,
    /// How well.
    pub agreement: SceneAgreement,
    /// Whose session it is.
    pub relation: Relation,
    /// What a person said of the two places, if anything.
    pub verdict: Option<VerdictRecord>,
}

/// What stands behind an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneFigures {
    /// Backgrounds that were compared.
    pub n_searched: usize,
    /// Backgrounds that were not: another version described them, or their seals do not open.
    pub n_left_out: usize,
    /// Backgrounds that were not, because newer ones fill the memory that they may have.
    pub n_too_old: usize,
    /// Score from which a background is a hit.
    pub threshold_score: f32,
    /// False matches to expect of the whole search if nobody else was in that place.
    pub false_matches: FalseMatches,
    /// Backgrounds that agree, those that were not asked for too: one that very many share is an office, a logo or a common
    /// virtual background.
    pub n_agreeing: usize,
    /// The calibration behind it, `scenes/{id}@{version}`.
    pub calibration: String,
}

/// Who sat in the same place, the best agreement first.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneAnswer {
    /// The hits.
    pub matches: Vec<SceneMatch>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// What stands behind them.
    pub figures: SceneFigures,
}

/// Two backgrounds compared.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneComparison {
    /// How well they agree.
    pub agreement: SceneAgreement,
    /// What a person said of the two places, if anything.
    pub verdict: Option<VerdictRecord>,
    /// The calibration behind the ratio, `scenes/{id}@{version}`.
    pub calibration: String,
    /// Places behind it: seen twice, and compared with others.
    pub n_places: (u32, u32),
}

/// A background that is at hand.
pub(super) struct KnownScene {
    pub(super) scene: SceneDescriptor,
    pub(super) face: FaceName,
    /// Backgrounds of the same session, which a search leaves out.
    pub(super) own: Vec<TemplateKey>,
}

/// The hits of one scan.
pub(super) struct SceneScan {
    pub(super) hits: Vec<SceneHit>,
    pub(super) has_more: bool,
    pub(super) figures: SceneFigures,
}

impl Identities {
    /// Searches for sessions that were held in the same place, exactly. The session itself is left out.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`]; [`ServiceError::FailedPrecondition`] when the ledger or the comparison of backgrounds
    /// is off, or nothing is known of the session's; [`ServiceError::InvalidField`] for a reference or a picture;
    /// [`ServiceError::Identity`] when fewer false matches are wished for than the data behind the calibration vouch for;
    /// [`ServiceError::Store`] for what is not there; [`ServiceError::Seal`] when it does not open.
    pub async fn search_scene(&self, caller: &Caller, request: &SceneSearch) -> Result<SceneAnswer, ServiceError> {
        let event = self.begin(caller, Action::IdentitySearch, request.subject.object()).await?.with("of", "scene");
        let searched = async {
            self.require_scenes()?;
            let known = self.scene_of(caller, &request.subject).await?;
            let max_hits = usize::try_from(request.max_hits).unwrap_or(MAX_HITS).clamp(1, MAX_HITS);
            let wished = self.wished(request.max_false_matches);
            let scan = self.scan_scenes(&caller.tenant, &known, wished, max_hits).await?;
            let asked = self.record_of_face(&caller.tenant, &known.own, &known.face).await?;
            let verdicts = self.verdicts_of(&caller.tenant, TemplateKind::Scene, &known.face).await?;
            let described = self.describe_scenes(&caller.tenant, &scan.hits).await?;
            let matches = described.into_iter().map(|(face, agreement)| SceneMatch {
                relation: Relation::between(asked.as_ref(), &face),
                verdict: verdicts.get(&face.face).cloned(),
                agreement,
                face,
            });
            Ok(SceneAnswer { matches: matches.collect(), has_more: scan.has_more, figures: scan.figures })
        };
        let outcome = searched.await;
        let n_searched = outcome.as_ref().map_or(0, |answer: &SceneAnswer| answer.figures.n_searched);
        let event = event.with("searched", n_searched.to_string());
        self.answer(event, outcome, |answer| answer.matches.len()).await
    }

    fn require_scenes(&self) -> Result<(), ServiceError> {
        if self.shared.options.scenes {
            return Ok(());
        }
        Err(ServiceError::FailedPrecondition {
            what: "identity.scenes".to_owned(),
            problem: "is false: backgrounds are compared only after the operator enables it",
        })
    }

    /// What is known of the places of two subjects, whose templates were made; `None` where of one of them nothing is.
    pub(super) async fn compare_scenes(
        &self,
        caller: &Caller,
        (first, second): (&Subject, &Subject),
    ) -> Result<Option<SceneComparison>, ServiceError> {
        if !self.shared.options.scenes {
            return Ok(None);
        }
        let (Some(first), Some(second)) =
            (self.known_scene(caller, first).await?, self.known_scene(caller, second).await?)
        else {
            return Ok(None);
        };
        let calibration = &self.shared.scenes;
        let mut verdicts = self.verdicts_of(&caller.tenant, TemplateKind::Scene, &first.face).await?;
        Ok(Some(SceneComparison {
            agreement: SceneAgreement::new(calibration, compare(&first.scene, &second.scene))?,
            verdict: verdicts.remove(&second.face),
            calibration: calibration.name().to_owned(),
            n_places: calibration.n_places(),
        }))
    }

    /// A subject's background, where it has one that opens.
    async fn known_scene(&self, caller: &Caller, subject: &Subject) -> Result<Option<KnownScene>, ServiceError> {
        let Subject::Session(face) = subject else { return Ok(None) };
        let stored = self.stored_scenes(&caller.session(&face.session)).await?;
        let Ok(chosen) = pick(&stored, &whoever(face)) else { return Ok(None) };
        Ok(self.open_scene(&caller.tenant, chosen, &stored).ok())
    }

    async fn scene_of(&self, caller: &Caller, subject: &Subject) -> Result<KnownScene, ServiceError> {
        let Subject::Session(face) = subject else {
            let problem = "has a face and no background: name a session".to_owned();
            return Err(ServiceError::InvalidField { field: "subject", problem });
        };
        let name = caller.session(&face.session);
        self.made_templates(&name).await?;
        let stored = self.stored_scenes(&name).await?;
        if stored.is_empty() {
            return Err(ServiceError::FailedPrecondition {
                what: format!("sessions/{}", face.session),
                problem: "has no background that could be told from others: a bare or blurred one, or none was looked at",
            });
        }
        self.open_scene(&caller.tenant, pick(&stored, &whoever(face))?, &stored)
    }

    /// The stored backgrounds of a session.
    pub(super) async fn stored_scenes(&self, name: &SessionName) -> Result<Vec<StoredTemplate>, ServiceError> {
        Ok(self.shared.store.session_templates(name, TemplateKind::Scene).await?.1)
    }

    pub(super) fn open_scene(
        &self,
        tenant: &TenantId,
        chosen: &StoredTemplate,
        of_session: &[StoredTemplate],
    ) -> Result<KnownScene, ServiceError> {
        let opened = Opener::new(&self.shared.sealing, tenant).open_scene(chosen);
        Ok(KnownScene {
            scene: opened.map_err(|error| broken(chosen, error))?,
            face: chosen.face.clone(),
            own: of_session.iter().map(|stored| stored.key).collect(),
        })
    }

    /// Looks for a background among all of a tenant but those of its own session.
    pub(super) async fn scan_scenes(
        &self,
        tenant: &TenantId,
        known: &KnownScene,
        wished: Wished,
        max_hits: usize,
    ) -> Result<SceneScan, ServiceError> {
        let shared = &self.shared;
        let gallery = shared.galleries.of(tenant, &self.source()).await?;
        let held = gallery.scenes.gallery();
        let own: Vec<TemplateKey> = known.own.clone();
        let n_own = own.iter().filter(|key| held.contains((**key).into())).count();
        let n_searched = held.len() - n_own;
        let SceneThreshold { score, false_matches } = self.scene_threshold(n_searched, wished)?;
        let (n_left_out, n_too_old) = (gallery.scenes.n_left_out(), gallery.scenes.n_too_old());
        let scene = known.scene.clone();
        let wanted = max_hits + n_own + 1;
        let searched =
            shared.galleries.run(gallery, move |gallery| gallery.scenes.gallery().search(&scene, score, wanted));
        let found = searched.await??;
        let is_own = |hit: &SceneHit| own.iter().any(|key| hit.key == (*key).into());
        let n_own_agreeing = found.hits.iter().filter(|hit| is_own(hit)).count();
        let mut hits = found.hits;
        hits.retain(|hit| !is_own(hit));
        let has_more = hits.len() > max_hits;
        hits.truncate(max_hits);
        let figures = SceneFigures {
            n_searched,
            n_left_out,
            n_too_old,
            threshold_score: score,
            false_matches,
            n_agreeing: found.n_agreeing.saturating_sub(n_own_agreeing),
            calibration: shared.scenes.name().to_owned(),
        };
        Ok(SceneScan { hits, has_more, figures })
    }

    fn scene_threshold(&self, n_scenes: usize, wished: Wished) -> Result<SceneThreshold, IdentityError> {
        let calibration = &self.shared.scenes;
        calibration.threshold(n_scenes, wished.but_at_least(calibration.least_false_matches(n_scenes)))
    }

    /// Behind whom hits are, in their order; those that were deleted meanwhile are left out.
    pub(super) async fn describe_scenes(
        &self,
        tenant: &TenantId,
        hits: &[SceneHit],
    ) -> Result<Vec<(FaceRecord, SceneAgreement)>, ServiceError> {
        let keys: Vec<TemplateKey> = hits.iter().map(|hit| hit.key.into()).collect();
        let mut faces: BTreeMap<TemplateKey, FaceRecord> =
            self.shared.store.faces(tenant, &keys).await?.into_iter().collect();
        let mut described = Vec::with_capacity(hits.len());
        for hit in hits {
            if let Some(face) = faces.remove(&hit.key.into()) {
                described.push((face, SceneAgreement::new(&self.shared.scenes, hit.similarity)?));
            }
        }
        Ok(described)
    }
}

/// A participant by the first person that was seen there: with whom the background is kept, whoever sat before it later.
fn whoever(face: &SessionFace) -> SessionFace {
    SessionFace { person: 0, ..face.clone() }
}
