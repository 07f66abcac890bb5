//! Searches, comparisons and hunts, and that memory keeps up with the store.

use std::sync::Arc;

use super::bench::{Bench, Made, candidate, id, investigator, page, request, session, short};
use crate::audit::Action;
use crate::service::ports::{
    Clock as _, FaceName, MatchFilter, MatchVerdict, Pair, ReferencePurpose, SessionFilter, SessionPatch,
    SessionStore as _, TemplateKind,
};
use crate::service::{Opinion, Relation, SearchRequest, Subject};

async fn delete(bench: &Bench, name: &str) {
    let event = investigator().did(bench.clock.now(), Action::SessionDelete, format!("sessions/{name}"));
    bench.store.delete(&investigator().session(&id(name)), None, event).await.expect("deletes");
}

#[tokio::test]
async fn a_face_is_found_under_every_name_and_with_its_figures() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("ann-2", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    bench.finished(&Made::of("cid-1", "cid", &[("cam", &[3])])).await;
    bench.finished(&Made { candidate: None, ..Made::of("any-1", "", &[("cam", &[1])]) }).await;
    let answer = bench.search(session("ann-1")).await;
    let mut found: Vec<_> = answer.hits.iter().map(|hit| (short(&hit.face.face), hit.relation)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("ann-2/0".to_owned(), Relation::SameCandidate),
        ("any-1/0".to_owned(), Relation::Unknown),
        ("bob-1/0".to_owned(), Relation::OtherCandidate),
    ];
    assert_eq!(found, expected);
    let figures = answer.figures;
    assert_eq!((figures.n_searched, figures.n_other_model, figures.n_unreadable), (4, 0, 0), "without its own");
    assert!(figures.false_matches.expected <= 0.1 && figures.false_matches.low <= figures.false_matches.expected);
    assert!(figures.threshold_similarity > 0.1 && figures.quality.n_embeddings == 12);
    assert!(answer.hits.iter().all(|hit| hit.likeness.opinion == Opinion::Same && hit.likeness.similarity > 0.9));
    assert!(!answer.has_more && figures.calibration.starts_with("searches/"));
    let capped = SearchRequest { max_hits: 2, ..request(session("ann-1")) };
    let answer = bench.identities.search(&investigator(), &capped).await.expect("searches");
    assert_eq!((answer.hits.len(), answer.has_more), (2, true));
}

#[tokio::test]
async fn what_is_deleted_is_not_found_and_leaves_memory_at_once() {
    let bench = Bench::start().await;
    for name in ["ann-1", "ann-2", "ann-3"] {
        bench.finished(&Made::of(name, "ann", &[("cam", &[1])])).await;
    }
    let other = bench.another();
    let found = async |ledger: &crate::service::Identities| {
        let answer = ledger.search(&investigator(), &request(session("ann-1"))).await.expect("searches");
        answer.hits.into_iter().map(|hit| short(&hit.face.face)).collect::<Vec<_>>()
    };
    assert_eq!((found(&bench.identities).await.len(), found(&other).await.len()), (2, 2));
    delete(&bench, "ann-2").await;
    // As `Interviews::delete` tells it.
    let (news, listener) = tokio::sync::mpsc::channel(4);
    let name = investigator().session(&id("ann-2"));
    news.send(crate::service::SessionNews::Deleted(name)).await.expect("is heard");
    drop(news);
    bench.identities.run(listener).await;
    let held = bench.identities.shared.galleries.of(&investigator().tenant, &bench.identities.source()).await;
    assert_eq!(held.expect("is loaded").faces.len(), 2);
    assert_eq!(found(&bench.identities).await, ["ann-3/0"]);
    assert_eq!(found(&other).await, ["ann-3/0"], "another server learns of it before it searches");
    bench.finished(&Made::of("ann-4", "ann", &[("cam", &[1])])).await;
    assert_eq!(found(&other).await, ["ann-3/0", "ann-4/0"], "and of what is new");
    assert_eq!(found(&bench.another()).await, ["ann-3/0", "ann-4/0"], "and so does one that starts now");
}

#[tokio::test]
async fn templates_that_nobody_searches_leave_memory() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.search(session("ann-1")).await;
    assert_eq!(bench.identities.shared.galleries.tenants().len(), 1);
    bench.clock.advance(2 * 3_600);
    bench.identities.sweep().await.expect("sweeps");
    assert_eq!(bench.identities.shared.galleries.tenants(), []);
    assert_eq!(bench.found(session("ann-1")).await, [""; 0]);
}

#[tokio::test]
async fn more_templates_than_memory_may_hold_are_a_refusal_and_no_partial_answer() {
    let bench = Bench::start_with(|options| (options.max_templates, options.propose) = (2, false)).await;
    for name in ["ann-1", "ann-2"] {
        bench.finished(&Made::of(name, "ann", &[("cam", &[1])])).await;
    }
    assert_eq!(bench.found(session("ann-1")).await, ["ann-2/0"]);
    bench.finished(&Made::of("ann-3", "ann", &[("cam", &[1])])).await;
    let refused = bench.identities.search(&investigator(), &request(session("ann-1"))).await;
    assert!(refused.expect_err("is too much").to_string().contains("identity.max_templates"));
    delete(&bench, "ann-3").await;
    assert_eq!(bench.found(session("ann-1")).await, ["ann-2/0"]);
}

#[tokio::test]
async fn tenants_share_the_room_and_the_least_used_one_goes() {
    let bench = Bench::start_with(|options| (options.max_templates, options.propose) = (3, false)).await;
    let other = crate::session::TenantId::new("other").expect("a good id");
    let mut theirs = investigator();
    theirs.tenant = other.clone();
    for name in ["ann-1", "ann-2"] {
        bench.finished(&Made::of(name, "ann", &[("cam", &[1])])).await;
        bench.stored_for(&other, &Made::of(name, "ann", &[("cam", &[1])])).await;
    }
    bench.identities.sweep().await.expect("sweeps");
    assert_eq!(bench.found(session("ann-1")).await, ["ann-2/0"]);
    bench.clock.advance(1);
    let answer = bench.identities.search(&theirs, &request(session("ann-1"))).await.expect("searches");
    assert_eq!((answer.hits.len(), answer.figures.n_searched), (1, 1), "of their own");
    assert_eq!(bench.identities.shared.galleries.tenants(), [other]);
    bench.clock.advance(1);
    assert_eq!(bench.found(session("ann-1")).await, ["ann-2/0"], "and back");
}

#[tokio::test]
async fn a_hunt_follows_what_people_said() {
    let bench = Bench::start().await;
    for (name, of, axis) in
        [("ann-1", "ann", 1), ("bob-1", "bob", 1), ("cid-1", "cid", 3), ("dan-1", "dan", 3), ("eve-1", "eve", 5)]
    {
        bench.finished(&Made::of(name, of, &[("cam", &[axis])])).await;
    }
    let hunt = async |max| {
        let hunt = bench.identities.hunt(&investigator(), &session("ann-1"), max).await.expect("hunts");
        let found = hunt.found.iter().map(|found| (short(&found.face.face), found.is_confirmed));
        (found.collect::<Vec<_>>(), hunt.n_followed)
    };
    let own = |name: &str| (format!("{name}/0"), true);
    let looks = |name: &str| (format!("{name}/0"), false);
    assert_eq!(hunt(None).await, (vec![looks("bob-1"), own("ann-1")], 1));
    let confirm = async |first: &str, second: &str, verdict| {
        let ledger = &bench.identities;
        ledger
            .confirm(
                &investigator(),
                Pair::of(TemplateKind::Face, (&session(first), &session(second))),
                verdict,
                "same mole",
            )
            .await
            .expect("says so");
    };
    confirm("cid-1", "ann-1", MatchVerdict::Same).await;
    let expected = vec![looks("dan-1"), own("cid-1"), looks("bob-1"), own("ann-1")];
    assert_eq!(hunt(None).await, (expected, 2), "who looks like the confirmed one is found as well");
    confirm("ann-1", "bob-1", MatchVerdict::Different).await;
    assert_eq!(hunt(Some(0.05)).await.0, vec![looks("dan-1"), own("cid-1"), own("ann-1")]);
    let answer = bench.search(session("ann-1")).await;
    let verdict = answer.hits[0].verdict.clone().expect("is told with the hit");
    assert_eq!((verdict.verdict, verdict.note.as_str()), (MatchVerdict::Different, "same mole"));
    let listed = bench.identities.matches(&investigator(), &MatchFilter::OfSession(id("ann-1")), &page()).await;
    assert_eq!(listed.expect("lists").items.len(), 2);
}

#[tokio::test]
async fn whose_session_it_is_may_change_after_its_template_was_made() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    assert_eq!(bench.search(session("ann-1")).await.hits[0].relation, Relation::OtherCandidate);
    let patch = SessionPatch { candidate: Some(Some(candidate("ann"))), ..SessionPatch::default() };
    let event = investigator().did(bench.clock.now(), Action::SessionUpdate, String::new());
    bench.store.update(&investigator().session(&id("bob-1")), patch, None, event).await.expect("updates");
    assert_eq!(bench.search(session("ann-1")).await.hits[0].relation, Relation::SameCandidate);
    assert!(matches!(SessionFilter::CandidateIs(candidate("ann")), SessionFilter::CandidateIs(_)));
}

#[tokio::test]
async fn references_are_searched_like_sessions() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    let reference = bench.enroll("ann", ReferencePurpose::Interviewed, "ann-1").await;
    let mut found = bench.found(Subject::from(reference.clone())).await;
    found.sort();
    assert_eq!(found, ["ann-1/0", "bob-1/0"]);
    let mut found = bench.found(session("bob-1")).await;
    found.sort();
    assert_eq!(found, ["ann-1/0", "ref of ann"]);
    delete(&bench, "ann-1").await;
    assert_eq!(bench.found(session("bob-1")).await, ["ref of ann"], "a reference outlives its session");
    let FaceName::Reference(name) = reference else { panic!("is one") };
    bench.identities.delete_reference(&investigator(), &name).await.expect("deletes");
    assert_eq!(bench.found(session("bob-1")).await, [""; 0]);
    assert!(Arc::strong_count(&bench.store) > 1);
}
