//! One place behind several candidates: kept, proposed, searched, and never mixed up with faces.

use super::bench::{Bench, Made, caller, counted, id, investigator, kind, page, person, scene_search, session, short};
use crate::audit::Action;
use crate::error::ErrorKind;
use crate::service::ports::{
    Clock as _, IdentityStore as _, MatchFilter, MatchVerdict, Pair, Proposal, ReferencePurpose, SessionQuery,
    SessionStore as _, TemplateKind, TemplateState,
};
use crate::service::{Opinion, Permission, Relation, Subject};

const fn at<'a>(place: u64, id: &'a str, candidate: &'a str, seen: &'a [(&'a str, &'a [usize])]) -> Made<'a> {
    Made { place: Some(place), ..Made::of(id, candidate, seen) }
}

async fn reasons(bench: &Bench) -> Vec<Proposal> {
    let listed = bench.identities.matches(&investigator(), &MatchFilter::Open, &page()).await.expect("lists");
    listed.items.into_iter().map(|pair| pair.proposal.expect("is one").reason).collect()
}

async fn found(bench: &Bench, subject: Subject) -> Vec<String> {
    let answer = bench.identities.search_scene(&investigator(), &scene_search(subject)).await.expect("searches");
    answer.matches.into_iter().map(|hit| short(&hit.face.face)).collect()
}

#[tokio::test]
async fn the_same_place_behind_another_candidate_is_proposed_and_found() {
    let bench = Bench::start().await;
    bench.finished(&at(7, "ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&at(7, "ann-2", "ann", &[("cam", &[1])])).await;
    assert_eq!(reasons(&bench).await, [], "the same candidate at home twice is nothing to look at");
    bench.finished(&at(8, "cid-1", "cid", &[("cam", &[3])])).await;
    bench.finished(&Made::of("dan-1", "dan", &[("cam", &[4])])).await;
    assert_eq!(reasons(&bench).await, []);
    bench.finished(&at(7, "bob-1", "bob", &[("cam", &[2])])).await;
    assert_eq!(counted(reasons(&bench).await), [(Proposal::SameScene, 2)].into());
    let answer =
        bench.identities.search_scene(&investigator(), &scene_search(session("bob-1"))).await.expect("searches");
    assert_eq!(answer.matches.iter().map(|hit| short(&hit.face.face)).collect::<Vec<_>>(), ["ann-1/0", "ann-2/0"]);
    let hit = &answer.matches[0];
    assert_eq!((hit.relation, hit.agreement.opinion), (Relation::OtherCandidate, Opinion::Same));
    assert!(hit.agreement.n_matched > 20 && !hit.agreement.is_mirrored && hit.agreement.llr_low > 0.0);
    let figures = &answer.figures;
    assert_eq!((figures.n_searched, figures.n_agreeing, figures.n_left_out, figures.n_too_old), (3, 2, 0, 0));
    assert!(figures.false_matches.expected <= 0.1 && figures.calibration.starts_with("scenes/"));
    let levels = bench.store.list(&investigator().tenant, &SessionQuery::default()).await.expect("lists").items;
    assert!(levels.iter().all(|session| session.level() == crate::scoring::Level::Inconclusive), "no level changes");
}

#[tokio::test]
async fn a_place_that_many_candidates_share_is_not_proposed() {
    let bench = Bench::start().await;
    let names = ["ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal"];
    for (number, name) in names.into_iter().enumerate() {
        let seen: &[(&str, &[usize])] = &[("cam", &[number])];
        bench.finished(&at(7, &format!("{name}-1"), name, seen)).await;
    }
    // The second to the sixth were proposed as they came; then it was clear that it is an office.
    assert_eq!(reasons(&bench).await.len(), 1 + 2 + 3 + 4 + 5);
    let answer =
        bench.identities.search_scene(&investigator(), &scene_search(session("hal-1"))).await.expect("searches");
    assert_eq!((answer.matches.len(), answer.figures.n_agreeing), (7, 7), "a search still says what there is");
}

#[tokio::test]
async fn interviewers_in_their_office_are_not_proposed() {
    let bench = Bench::start().await;
    bench.finished(&at(7, "ann-1", "ann", &[("staff", &[9]), ("candidate", &[1])])).await;
    bench.finished(&at(7, "bob-1", "bob", &[("staff", &[9]), ("other", &[2])])).await;
    let listed = bench.identities.matches(&investigator(), &MatchFilter::All, &page()).await.expect("lists").items;
    let is_staff_alone = |pair: &crate::service::ports::MatchRecord| {
        [&pair.first, &pair.second].iter().all(|face| face.face.to_string().contains("/staff/"))
    };
    assert!(!listed.is_empty() && !listed.iter().any(is_staff_alone), "{listed:?}");
}

#[tokio::test]
async fn what_is_said_of_places_says_nothing_of_faces() {
    let bench = Bench::start().await;
    bench.finished(&at(7, "ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&at(7, "bob-1", "bob", &[("cam", &[1])])).await;
    assert_eq!(counted(reasons(&bench).await), [(Proposal::OtherCandidate, 1), (Proposal::SameScene, 1)].into());
    let (ann, bob) = (session("ann-1"), session("bob-1"));
    let ledger = &bench.identities;
    let confirm =
        async |kind, verdict| ledger.confirm(&investigator(), Pair::of(kind, (&ann, &bob)), verdict, "seen").await;
    confirm(TemplateKind::Scene, MatchVerdict::Different).await.expect("says so");
    assert_eq!(reasons(&bench).await, [Proposal::OtherCandidate], "the faces are still open");
    confirm(TemplateKind::Face, MatchVerdict::Same).await.expect("says so");
    let compared = ledger.compare(&investigator(), &ann, &bob).await.expect("compares");
    let scene = compared.scene.expect("both are known");
    assert_eq!(compared.verdict.expect("was said").verdict, MatchVerdict::Same);
    assert_eq!(scene.verdict.expect("was said").verdict, MatchVerdict::Different);
    assert_eq!(scene.agreement.opinion, Opinion::Same);
    let hunt = ledger.hunt(&investigator(), &ann, None).await.expect("hunts");
    assert_eq!(hunt.found.len(), 2, "two places do not make two people");
    let later = ledger.compare(&investigator(), &person("ann-1", "cam", 0), &bob).await.expect("compares");
    assert!(later.scene.is_some());
    let reference = Subject::from(bench.enroll("ann", ReferencePurpose::Applied, "ann-1").await);
    let outcome = ledger
        .confirm(&investigator(), Pair::of(TemplateKind::Scene, (&reference, &bob)), MatchVerdict::Same, "")
        .await;
    assert_eq!(kind(outcome), ErrorKind::InvalidInput, "a reference has no place");
    assert_eq!(ledger.compare(&investigator(), &reference, &bob).await.expect("compares").scene, None);
}

#[tokio::test]
async fn a_deleted_place_is_found_nowhere_and_one_without_features_says_so() {
    let bench = Bench::start().await;
    for (name, candidate) in [("ann-1", "ann"), ("bob-1", "bob"), ("cid-1", "cid")] {
        bench.finished(&at(7, name, candidate, &[("cam", &[1])])).await;
    }
    bench.finished(&Made::of("dan-1", "dan", &[("cam", &[4])])).await;
    assert_eq!(found(&bench, session("ann-1")).await, ["bob-1/0", "cid-1/0"]);
    let event = investigator().did(bench.clock.now(), Action::SessionDelete, "sessions/bob-1".to_owned());
    bench.store.delete(&investigator().session(&id("bob-1")), None, event).await.expect("deletes");
    assert_eq!(found(&bench, session("ann-1")).await, ["cid-1/0"]);
    let plain = bench.identities.search_scene(&investigator(), &scene_search(session("dan-1"))).await;
    assert!(plain.expect_err("has none").to_string().contains("no background"));
    let nobody = bench.identities.search_scene(&investigator(), &scene_search(session("bob-1"))).await;
    assert_eq!(kind(nobody), ErrorKind::NotFound);
    let blind = caller("default", &[Permission::ReadSessions]);
    let refused = bench.identities.search_scene(&blind, &scene_search(session("ann-1"))).await;
    assert_eq!(kind(refused), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn places_can_be_left_out_of_it() {
    let bench = Bench::start_with(|options| options.scenes = false).await;
    let name = bench.finished(&at(7, "ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&at(7, "bob-1", "bob", &[("cam", &[2])])).await;
    let (state, stored) = bench.store.session_templates(&name, TemplateKind::Scene).await.expect("reads");
    assert_eq!((state, stored.len()), (TemplateState::Kept, 0));
    assert_eq!(reasons(&bench).await, []);
    let off = bench.identities.search_scene(&investigator(), &scene_search(session("ann-1"))).await;
    assert!(off.expect_err("is off").to_string().contains("identity.scenes"));
    assert!(!bench.identities.compares_scenes());
}
