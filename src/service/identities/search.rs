//! Comparing two faces, searching one among all, and hunting one through every past session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::audit::Action;
use crate::identity::{FalseMatches, Hit, IdentityError, SearchThreshold, Template, TemplateKey};
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{FaceName, FaceRecord, MatchRecord, MatchVerdict, Pair, TemplateKind, VerdictRecord};
use crate::session::TenantId;

use super::Identities;
use super::galleries::{LeftOut, Source};
use super::likeness::{Comparison, Likeness, TemplateQuality};
use super::subject::{Known, Subject};

/// Most hits of one answer, whatever was asked for.
pub(super) const MAX_HITS: usize = 1_000;
/// Faces that a hunt follows from one to the next by what people said.
const MAX_FOLLOWED: usize = 50;

/// What is searched for, and how carefully.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Whose face.
    pub subject: Subject,
    /// False matches to expect of the search if the person is nowhere; `None` = the operator's figure, or the least that the
    /// data behind the calibration vouch for, whichever is more.
    pub max_false_matches: Option<f64>,
    /// At most so many hits; 1 to 1,000.
    pub max_hits: u32,
}

/// How a hit stands to what was searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Both are the same candidate's.
    SameCandidate,
    /// They belong to different candidates.
    OtherCandidate,
    /// Nobody said whose one of them is.
    Unknown,
}

impl Relation {
    /// Of two faces.
    #[must_use]
    pub fn between(first: Option<&FaceRecord>, second: &FaceRecord) -> Self {
        match (first.and_then(|first| first.candidate.as_ref()), &second.candidate) {
            (Some(first), Some(second)) if first == second => Self::SameCandidate,
            (Some(_), Some(_)) => Self::OtherCandidate,
            _ => Self::Unknown,
        }
    }
}

/// A face that is like the one that was searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The face.
    pub face: FaceRecord,
    /// How alike.
    pub likeness: Likeness,
    /// Whose it is.
    pub relation: Relation,
    /// What a person said of the two, if anything.
    pub verdict: Option<VerdictRecord>,
}

/// What stands behind an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchFigures {
    /// Templates that were compared.
    pub n_searched: usize,
    /// Templates that were not, because another model made them.
    pub n_other_model: usize,
    /// Templates that were not, because their seals do not open.
    pub n_unreadable: usize,
    /// Cosine from which a face is a hit.
    pub threshold_similarity: f32,
    /// False matches to expect of the whole search if the person is nowhere, with its interval and what stands behind it.
    pub false_matches: FalseMatches,
    /// The calibration behind it, `searches/{id}@{version}`.
    pub calibration: String,
    /// What the searched template rests on.
    pub quality: TemplateQuality,
}

/// Who looks like whom was searched for, the most alike first.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchAnswer {
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// What stands behind them.
    pub figures: SearchFigures,
}

/// A face that a hunt found.
#[derive(Clone, Debug, PartialEq)]
pub struct HuntedFace {
    /// The face.
    pub face: FaceRecord,
    /// How alike, to whichever of the followed faces is most alike; `None` when only people's words lead to it.
    pub likeness: Option<Likeness>,
    /// Whether a person said that it is the same.
    pub is_confirmed: bool,
}

/// Where a face was in the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Hunt {
    /// Every session and reference, the newest first.
    pub found: Vec<HuntedFace>,
    /// Faces that were followed: the one asked for, and those that people said are the same.
    pub n_followed: usize,
    /// What stands behind the searches; of each of the followed faces the expected number of false matches holds by itself.
    pub figures: SearchFigures,
}

/// How many false matches are accepted of a search.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wished {
    /// So many, or no answer.
    Exactly(f64),
    /// So many, or the least that the data behind the calibration vouch for.
    AboutSoFew(f64),
}

impl Wished {
    /// The number to ask a calibration for whose data vouch for no fewer than `least`.
    pub(super) const fn but_at_least(self, least: f64) -> f64 {
        match self {
            Self::Exactly(wished) => wished,
            Self::AboutSoFew(wished) => wished.max(least),
        }
    }
}

/// The hits of one scan.
pub(super) struct Scan {
    pub(super) hits: Vec<Hit>,
    pub(super) has_more: bool,
    pub(super) figures: SearchFigures,
}

impl Identities {
    /// Compares two faces.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`]; [`ServiceError::FailedPrecondition`] when the ledger is off or a session has no
    /// template; [`ServiceError::Store`] for what is not there; [`ServiceError::Seal`] when a template does not open.
    pub async fn compare(
        &self,
        caller: &Caller,
        first: &Subject,
        second: &Subject,
    ) -> Result<Comparison, ServiceError> {
        let event = self.begin(caller, Action::IdentityCompare, first.object()).await?.with("other", second.object());
        let compared = async {
            let subjects = (first, second);
            let (first, second) = (self.resolve(caller, first).await?, self.resolve(caller, second).await?);
            let scene = self.compare_scenes(caller, subjects).await?;
            let (verdict, history) = match (&first.face, &second.face) {
                (Some(first), Some(second)) => (
                    self.verdicts_of(&caller.tenant, TemplateKind::Face, first).await?.remove(second),
                    self.shared
                        .store
                        .verdict_history(&caller.tenant, Pair::of(TemplateKind::Face, (first, second)))
                        .await?,
                ),
                _ => (None, Vec::new()),
            };
            let calibration = &self.shared.calibration;
            Ok(Comparison {
                first: (&first.template).into(),
                second: (&second.template).into(),
                likeness: Likeness::between(calibration, &first.template, &second.template)?,
                verdict,
                history,
                calibration: calibration.name().to_owned(),
                n_people: calibration.n_people(),
                scene,
            })
        };
        let outcome = compared.await;
        self.answer(event, outcome, |_| 1).await
    }

    /// Searches a face among all of the tenant. The session or reference that it comes from is left out.
    ///
    /// # Errors
    /// As [`Identities::compare`], and [`ServiceError::Identity`] when fewer false matches are wished for than the data behind
    /// the calibration vouch for.
    pub async fn search(&self, caller: &Caller, request: &SearchRequest) -> Result<SearchAnswer, ServiceError> {
        let event = self.begin(caller, Action::IdentitySearch, request.subject.object()).await?;
        let searched = async {
            let known = self.resolve(caller, &request.subject).await?;
            let max_hits = usize::try_from(request.max_hits).unwrap_or(MAX_HITS).clamp(1, MAX_HITS);
            let scan = self.scan(&caller.tenant, &known, self.wished(request.max_false_matches), max_hits).await?;
            let asked = self.record_of(&caller.tenant, &known).await?;
            let verdicts = match &known.face {
                Some(face) => self.verdicts_of(&caller.tenant, TemplateKind::Face, face).await?,
                None => BTreeMap::new(),
            };
            let hits = self.describe(&caller.tenant, &scan.hits).await?.into_iter().map(|(face, likeness)| SearchHit {
                relation: Relation::between(asked.as_ref(), &face),
                verdict: verdicts.get(&face.face).cloned(),
                likeness,
                face,
            });
            Ok(SearchAnswer { hits: hits.collect(), has_more: scan.has_more, figures: scan.figures })
        };
        let outcome = searched.await;
        let n_searched = outcome.as_ref().map_or(0, |answer: &SearchAnswer| answer.figures.n_searched);
        let event = event.with("searched", n_searched.to_string());
        self.answer(event, outcome, |answer| answer.hits.len()).await
    }

    /// Lists every session and reference that a face was in: what looks like it, what people said is the same, and what looks
    /// like those. What people said is somebody else's is left out.
    ///
    /// # Errors
    /// As [`Identities::search`].
    pub async fn hunt(
        &self,
        caller: &Caller,
        subject: &Subject,
        max_false_matches: Option<f64>,
    ) -> Result<Hunt, ServiceError> {
        let event = self.begin(caller, Action::IdentitySearch, subject.object()).await?.with("hunt", "yes");
        let outcome = self.follow(caller, subject, max_false_matches).await;
        self.answer(event, outcome, |hunt| hunt.found.len()).await
    }

    async fn follow(
        &self,
        caller: &Caller,
        subject: &Subject,
        max_false_matches: Option<f64>,
    ) -> Result<Hunt, ServiceError> {
        let tenant = &caller.tenant;
        let (known, wished) = (self.resolve(caller, subject).await?, self.wished(max_false_matches));
        let scan = self.scan(tenant, &known, wished, MAX_HITS).await?;
        let figures = scan.figures.clone();
        let mut found: BTreeMap<FaceName, HuntedFace> = BTreeMap::new();
        let mut followed: BTreeSet<FaceName> = BTreeSet::new();
        let mut excluded: BTreeSet<FaceName> = BTreeSet::new();
        if let Some(record) = self.record_of(tenant, &known).await? {
            let face = HuntedFace { face: record.clone(), likeness: None, is_confirmed: true };
            found.insert(record.face, face);
        }
        let mut queue = VecDeque::from([(known, Some(scan))]);
        let mut n_followed = 0;
        while let Some((known, scan)) = queue.pop_front() {
            n_followed += 1;
            let scan = match scan {
                Some(scan) => scan,
                None => self.scan(tenant, &known, wished, MAX_HITS).await?,
            };
            for (face, likeness) in self.describe(tenant, &scan.hits).await? {
                let entry = found.entry(face.face.clone()).or_insert(HuntedFace {
                    face,
                    likeness: Some(likeness),
                    is_confirmed: false,
                });
                let is_closer = entry.likeness.is_none_or(|before| before.similarity < likeness.similarity);
                if is_closer {
                    entry.likeness = Some(likeness);
                }
            }
            let Some(face) = &known.face else { continue };
            followed.insert(face.clone());
            for pair in self.pairs_of(tenant, TemplateKind::Face, face).await? {
                let other = if pair.first.face == *face { pair.second } else { pair.first };
                match pair.verdict.map(|verdict| verdict.verdict) {
                    Some(MatchVerdict::Same) => {
                        let name = other.face.clone();
                        let entry = found.entry(name.clone()).or_insert(HuntedFace {
                            face: other,
                            likeness: None,
                            is_confirmed: true,
                        });
                        entry.is_confirmed = true;
                        if followed.len() + queue.len() < MAX_FOLLOWED && followed.insert(name.clone()) {
                            // A face without a template leads to nobody by its looks; its own words were read all the same.
                            if let Ok(known) = self.resolve(caller, &Subject::from(name)).await {
                                queue.push_back((known, None));
                            }
                        }
                    }
                    Some(MatchVerdict::Different) => drop(excluded.insert(other.face)),
                    None => {}
                }
            }
        }
        let is_kept = |face: &HuntedFace| face.is_confirmed || !excluded.contains(&face.face.face);
        let mut found: Vec<HuntedFace> = found.into_values().filter(is_kept).collect();
        found.sort_by(|a, b| b.face.time.cmp(&a.face.time).then_with(|| a.face.face.cmp(&b.face.face)));
        Ok(Hunt { found, n_followed, figures })
    }

    /// Looks for a face among all of a tenant but those that it comes with.
    pub(super) async fn scan(
        &self,
        tenant: &TenantId,
        known: &Known,
        wished: Wished,
        max_hits: usize,
    ) -> Result<Scan, ServiceError> {
        let shared = &self.shared;
        let gallery = shared.galleries.of(tenant, &self.source()).await?;
        let n_own =
            known.own.iter().filter(|key| gallery.faces.gallery().is_some_and(|held| held.contains(**key))).count();
        let n_searched = gallery.faces.len() - n_own;
        let SearchThreshold { similarity, false_matches } = self.threshold(n_searched, wished)?;
        let figures = SearchFigures {
            n_searched,
            n_other_model: gallery.faces.n_left_out(LeftOut::OtherModel),
            n_unreadable: gallery.faces.n_left_out(LeftOut::Unreadable),
            threshold_similarity: similarity,
            false_matches,
            calibration: shared.calibration.name().to_owned(),
            quality: (&known.template).into(),
        };
        let (template, own): (Template, Vec<TemplateKey>) = (known.template.clone(), known.own.clone());
        // Its own templates are the most alike, and one more says whether there are more.
        let wanted = max_hits + n_own + 1;
        let searched = shared.galleries.run(gallery, move |gallery| {
            gallery.faces.gallery().map_or(Ok(Vec::new()), |held| held.search(&template, similarity, wanted))
        });
        let mut hits: Vec<Hit> = searched.await??;
        hits.retain(|hit| !own.contains(&hit.key));
        let has_more = hits.len() > max_hits;
        hits.truncate(max_hits);
        Ok(Scan { hits, has_more, figures })
    }

    fn threshold(&self, n_templates: usize, wished: Wished) -> Result<SearchThreshold, IdentityError> {
        let calibration = &self.shared.calibration;
        calibration.threshold(n_templates, wished.but_at_least(calibration.least_false_matches(n_templates)))
    }

    /// What a caller wished for, or what the operator did.
    pub(super) fn wished(&self, max_false_matches: Option<f64>) -> Wished {
        max_false_matches.map_or(Wished::AboutSoFew(self.shared.options.max_false_matches), Wished::Exactly)
    }

    /// What is known of the faces of hits, in their order; those that were deleted meanwhile are left out.
    pub(super) async fn describe(
        &self,
        tenant: &TenantId,
        hits: &[Hit],
    ) -> Result<Vec<(FaceRecord, Likeness)>, ServiceError> {
        let keys: Vec<TemplateKey> = hits.iter().map(|hit| hit.key).collect();
        let mut faces: BTreeMap<TemplateKey, FaceRecord> =
            self.shared.store.faces(tenant, &keys).await?.into_iter().collect();
        let mut described = Vec::with_capacity(hits.len());
        for hit in hits {
            if let Some(face) = faces.remove(&hit.key) {
                described.push((face, Likeness::new(&self.shared.calibration, hit.similarity)?));
            }
        }
        Ok(described)
    }

    /// What is known of the face that was asked for.
    pub(super) async fn record_of(&self, tenant: &TenantId, known: &Known) -> Result<Option<FaceRecord>, ServiceError> {
        match &known.face {
            Some(face) => self.record_of_face(tenant, &known.own, face).await,
            None => Ok(None),
        }
    }

    /// What is known of one of the faces of templates.
    pub(super) async fn record_of_face(
        &self,
        tenant: &TenantId,
        keys: &[TemplateKey],
        face: &FaceName,
    ) -> Result<Option<FaceRecord>, ServiceError> {
        let faces = self.shared.store.faces(tenant, keys).await?;
        Ok(faces.into_iter().map(|(_, record)| record).find(|record| record.face == *face))
    }

    /// The pairs of that kind with a face.
    async fn pairs_of(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        face: &FaceName,
    ) -> Result<Vec<MatchRecord>, ServiceError> {
        let mut pairs = self.shared.store.matches_of(tenant, face).await?;
        pairs.retain(|pair| pair.kind == kind);
        Ok(pairs)
    }

    /// What people said of a face and others, or of what is behind them.
    pub(super) async fn verdicts_of(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        face: &FaceName,
    ) -> Result<BTreeMap<FaceName, VerdictRecord>, ServiceError> {
        let pairs = self.pairs_of(tenant, kind, face).await?;
        let said = pairs.into_iter().filter_map(|pair| {
            let other = if pair.first.face == *face { pair.second.face } else { pair.first.face };
            Some((other, pair.verdict?))
        });
        Ok(said.collect())
    }

    pub(super) fn source(&self) -> Source<'_> {
        let shared = &self.shared;
        Source { store: &*shared.store, sealing: &shared.sealing, now: shared.clock.monotonic() }
    }
}
