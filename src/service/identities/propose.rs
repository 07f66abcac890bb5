//! What the machine asks people to look at when a session is over: a watched face, a face under another candidate, a candidate
//! with another face, a place that was behind another candidate. Nothing follows from a proposal until a person confirms it.

use std::collections::BTreeSet;

use crate::audit::Action;
use crate::identity::SCENE_MODEL;
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{
    FaceName, FaceRecord, NewProposal, Proposal, SessionFilter, SessionOrder, SessionQuery, StoredTemplate,
    TemplateKind,
};
use crate::session::{ParticipantId, SessionName};

use super::Identities;
use super::likeness::{Likeness, Opinion};
use super::search::{Relation, Wished};
use super::subject::Known;

/// Proposals of one session, those that look most alike.
const MAX_PROPOSALS: usize = 20;
/// Hits of one face that are looked at.
const MAX_HITS: usize = 100;
/// Other candidates in the same place from which it is an office or a common virtual background, and says nothing.
const MAX_SHARING: usize = 5;
/// Earlier sessions of the same candidate that a session is compared with.
const MAX_EARLIER: u32 = 10;

impl Identities {
    /// Looks a session's faces up and keeps what a person should look at.
    pub(super) async fn propose(&self, name: &SessionName) -> Result<(), ServiceError> {
        let shared = &self.shared;
        let machine = Caller::system(name.tenant.clone(), "identity");
        let (_, stored) = shared.store.session_templates(name, TemplateKind::Face).await?;
        let is_alone = n_participants(&stored) < 2;
        let own: Vec<_> = stored.iter().map(|stored| stored.key).collect();
        let mut proposals = Vec::new();
        let mut n_searched = 0;
        // What another model made cannot be looked up.
        for stored in stored.iter().filter(|stored| stored.model == shared.calibration.model()) {
            let template = self.open(&machine, stored)?;
            let known = Known { template, face: Some(stored.face.clone()), own: own.clone() };
            let record = self.record_of(&name.tenant, &known).await?;
            let wished = Wished::AboutSoFew(shared.options.max_false_proposals);
            let scan = self.scan(&name.tenant, &known, wished, MAX_HITS).await?;
            n_searched = scan.figures.n_searched;
            for (face, likeness) in self.describe(&name.tenant, &scan.hits).await? {
                let is_staff = !is_alone && is_same_participant(&stored.face, &face.face);
                let reason = match Relation::between(record.as_ref(), &face) {
                    _ if face.is_watched => Some(Proposal::Watched),
                    Relation::OtherCandidate if !is_staff => Some(Proposal::OtherCandidate),
                    Relation::OtherCandidate | Relation::SameCandidate | Relation::Unknown => None,
                };
                proposals.extend(reason.map(|reason| proposal(&stored.face, face.face, reason, likeness)));
            }
            if let (true, Some(record)) = (is_alone, record) {
                proposals.extend(self.other_faces(&machine, name, &known, &record).await?);
            }
        }
        let (of_scenes, n_scenes) = self.same_scenes(name, is_alone).await?;
        proposals.extend(of_scenes);
        proposals.sort_by(|a, b| a.reason.cmp(&b.reason).then_with(|| b.llr.total_cmp(&a.llr)));
        proposals.truncate(MAX_PROPOSALS);
        let n_found = proposals.len();
        let audit = self.by_itself(name, Action::IdentitySearch);
        let audit = audit.with("searched", n_searched.to_string()).with("scenes", n_scenes.to_string());
        let audit = audit.with("results", n_found.to_string());
        shared.store.append(audit).await?;
        shared.look_ups.note(&name.tenant, shared.clock.now());
        if !proposals.is_empty() {
            shared.store.propose(&name.tenant, proposals, shared.clock.now()).await?;
        }
        Ok(())
    }

    /// Other candidates who seem to have sat in the same place, and among how many backgrounds they were looked for.
    async fn same_scenes(&self, name: &SessionName, is_alone: bool) -> Result<(Vec<NewProposal>, usize), ServiceError> {
        let shared = &self.shared;
        if !shared.options.scenes {
            return Ok((Vec::new(), 0));
        }
        let stored = self.stored_scenes(name).await?;
        let (mut proposals, mut n_searched) = (Vec::new(), 0);
        for scene in stored.iter().filter(|stored| stored.model == SCENE_MODEL) {
            // One that does not open is in the log, and keeps nobody from the faces.
            let Ok(known) = self.open_scene(&name.tenant, scene, &stored) else { continue };
            let record = self.record_of_face(&name.tenant, &known.own, &known.face).await?;
            let wished = Wished::AboutSoFew(shared.options.max_false_proposals);
            let scan = self.scan_scenes(&name.tenant, &known, wished, MAX_HITS).await?;
            n_searched = scan.figures.n_searched;
            let mut sharing = BTreeSet::new();
            let mut of_scene = Vec::new();
            for (face, agreement) in self.describe_scenes(&name.tenant, &scan.hits).await? {
                let is_staff = !is_alone && is_same_participant(&known.face, &face.face);
                let is_other = Relation::between(record.as_ref(), &face) == Relation::OtherCandidate;
                if is_staff || !is_other || agreement.opinion != Opinion::Same {
                    continue;
                }
                sharing.extend(face.candidate);
                of_scene.push(NewProposal {
                    first: known.face.clone(),
                    second: face.face,
                    reason: Proposal::SameScene,
                    similarity: f64::from(agreement.score),
                    llr: agreement.llr,
                });
            }
            if sharing.len() <= MAX_SHARING {
                proposals.extend(of_scene);
            }
        }
        Ok((proposals, n_searched))
    }

    /// References and earlier sessions of the same candidate that show somebody else.
    async fn other_faces(
        &self,
        machine: &Caller,
        name: &SessionName,
        known: &Known,
        record: &FaceRecord,
    ) -> Result<Vec<NewProposal>, ServiceError> {
        let (Some(candidate), Some(FaceName::Session { person: 0, .. })) = (&record.candidate, &known.face) else {
            return Ok(Vec::new());
        };
        let shared = &self.shared;
        let mut others = Vec::new();
        let (_, references) = shared.store.candidate(&name.tenant, candidate).await?;
        for reference in references {
            others.push(shared.store.reference_template(&name.tenant, &reference.name).await?);
        }
        let query = SessionQuery {
            filters: vec![SessionFilter::CandidateIs(candidate.clone()), SessionFilter::CreatedBefore(record.time)],
            order: SessionOrder::NewestFirst,
            page_size: MAX_EARLIER,
            page_token: None,
        };
        for session in shared.sessions.list(&name.tenant, &query).await?.items {
            let (_, stored) = shared.store.session_templates(&session.name, TemplateKind::Face).await?;
            // With several participants nobody knows which of them is the candidate.
            if n_participants(&stored) < 2 {
                others.extend(stored.into_iter().find(|stored| is_first(&stored.face)));
            }
        }
        let mut proposals = Vec::new();
        for other in others {
            // What another model made, or does not open, says nothing.
            let Ok(template) = self.open(machine, &other) else { continue };
            let Ok(likeness) = Likeness::between(&shared.calibration, &known.template, &template) else { continue };
            if let (Opinion::Different, Some(face)) = (likeness.opinion, &known.face) {
                proposals.push(proposal(face, other.face, Proposal::DifferentFaces, likeness));
            }
        }
        Ok(proposals)
    }
}

fn proposal(first: &FaceName, second: FaceName, reason: Proposal, likeness: Likeness) -> NewProposal {
    let (similarity, llr) = (f64::from(likeness.similarity), likeness.llr);
    NewProposal { first: first.clone(), second, reason, similarity, llr }
}

fn participant(face: &FaceName) -> Option<&ParticipantId> {
    match face {
        FaceName::Session { participant, .. } => Some(participant),
        FaceName::Reference(_) => None,
    }
}

/// Whether both faces go by the same id of the platform, as those of an interviewer do who is in the picture of many sessions.
fn is_same_participant(first: &FaceName, second: &FaceName) -> bool {
    participant(first).is_some_and(|first| Some(first) == participant(second))
}

fn is_first(face: &FaceName) -> bool {
    matches!(face, FaceName::Session { person: 0, .. })
}

fn n_participants(stored: &[StoredTemplate]) -> usize {
    stored.iter().filter(|stored| is_first(&stored.face)).count()
}
