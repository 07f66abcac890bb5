//! Templates of sessions: who gets one, of whom it is, and how long it is kept.

use super::bench::{Bench, Made, candidate, counted, id, investigator, kind, page, person, session};
use crate::audit::Action;
use crate::error::ErrorKind;
use crate::service::ports::{
    Clock as _, IdentityStore as _, MatchFilter, Proposal, SessionQuery, SessionStore as _, TemplateKind, TemplateState,
};
use crate::service::{Permission, SearchRequest};

async fn state(bench: &Bench, name: &str) -> (TemplateState, usize) {
    let name = investigator().session(&id(name));
    let (state, stored) = bench.store.session_templates(&name, TemplateKind::Face).await.expect("reads");
    (state, stored.len())
}

#[tokio::test]
async fn finished_sessions_get_templates_where_there_is_consent() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("good-1", "ann", &[("cam", &[1])])).await;
    assert_eq!(state(&bench, "good-1").await, (TemplateState::Kept, 1));
    bench.finished(&Made { consent: " ", ..Made::of("none-1", "ann", &[("cam", &[1])]) }).await;
    assert_eq!(state(&bench, "none-1").await, (TemplateState::NoConsent, 0));
    bench.finished(&Made::of("empty-1", "ann", &[("cam", &[])])).await;
    assert_eq!(state(&bench, "empty-1").await, (TemplateState::NoFace, 0));
    for (name, word) in [("none-1", "names no consent"), ("empty-1", "shows no face")] {
        let outcome = bench.identities.compare(&investigator(), &session(name), &session("good-1")).await;
        let error = outcome.expect_err("has no template");
        assert!(error.to_string().contains(word), "{error}");
    }
    let made = bench.audit().await.into_iter().filter(|event| event.action == Action::IdentityEnroll);
    let states = counted(made.map(|event| event.details["state"].clone()));
    assert_eq!(
        states.into_iter().collect::<Vec<_>>(),
        [("kept".into(), 1), ("no_consent".into(), 1), ("no_face".into(), 1)]
    );
}

#[tokio::test]
async fn two_people_before_one_camera_are_not_averaged() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("both-1", "ann", &[("cam", &[1, 2])])).await;
    assert_eq!(state(&bench, "both-1").await, (TemplateState::Kept, 2));
    bench.finished(&Made::of("first-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("second-1", "ann", &[("cam", &[2])])).await;
    let similarity = async |subject, name| {
        bench.identities.compare(&investigator(), &subject, &session(name)).await.expect("compares").likeness.similarity
    };
    assert!(similarity(session("both-1"), "first-1").await > 0.99);
    assert!(similarity(person("both-1", "cam", 1), "second-1").await > 0.99);
    assert!(similarity(session("both-1"), "second-1").await < 0.1);
    let none = bench.identities.compare(&investigator(), &person("both-1", "cam", 2), &session("first-1")).await;
    assert_eq!(kind(none), ErrorKind::NotFound);
}

#[tokio::test]
async fn with_several_participants_one_has_to_be_named() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("panel-1", "ann", &[("candidate", &[1]), ("interviewer", &[9])])).await;
    bench.finished(&Made::of("first-1", "ann", &[("cam", &[1])])).await;
    let outcome = bench.identities.compare(&investigator(), &session("panel-1"), &session("first-1")).await;
    let error = outcome.expect_err("is not clear");
    assert!(error.to_string().contains("2 participants"), "{error}");
    let named = person("panel-1", "candidate", 0);
    let comparison = bench.identities.compare(&investigator(), &named, &session("first-1")).await.expect("compares");
    assert!(comparison.likeness.similarity > 0.99);
}

#[tokio::test]
async fn sessions_of_before_the_ledger_are_looked_into_when_somebody_asks() {
    let bench = Bench::start().await;
    bench.stored(&Made::of("old-1", "ann", &[("cam", &[1])])).await;
    bench.stored(&Made::of("old-2", "ann", &[("cam", &[1])])).await;
    bench.clock.advance(3 * 86_400);
    bench.identities.sweep().await.expect("sweeps");
    assert_eq!(state(&bench, "old-1").await, (TemplateState::Pending, 0), "nobody asked");
    bench.identities.compare(&investigator(), &session("old-1"), &session("old-1")).await.expect("made on the way");
    assert_eq!(state(&bench, "old-1").await, (TemplateState::Kept, 1));
    assert_eq!(bench.identities.gather(&investigator(), 1).await.expect("gathers"), 0);
    assert_eq!(bench.identities.gather(&investigator(), 30).await.expect("gathers"), 1);
    assert_eq!(state(&bench, "old-2").await, (TemplateState::Kept, 1));
}

#[tokio::test]
async fn nothing_is_made_while_the_ledger_is_off_but_old_templates_still_expire() {
    let bench = Bench::start_with(|options| options.template_retention_days = 10).await;
    bench.finished(&Made::of("kept-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("held-1", "ann", &[("cam", &[1])])).await;
    let name = investigator().session(&id("held-1"));
    let event = || investigator().did(bench.clock.now(), Action::SessionHold, String::new());
    crate::service::ports::ReviewStore::hold(&*bench.store, &name, true, event()).await.expect("holds");
    let off = Bench::start_with(|options| options.enabled = false).await;
    off.finished(&Made::of("off-1", "ann", &[("cam", &[1])])).await;
    assert_eq!(state(&off, "off-1").await, (TemplateState::Pending, 0));
    bench.clock.advance(9 * 86_400);
    assert_eq!(bench.identities.sweep().await.expect("sweeps"), 0);
    assert_eq!(bench.found(session("held-1")).await, ["kept-1/0"]);
    bench.clock.advance(2 * 86_400);
    assert_eq!(bench.identities.sweep().await.expect("sweeps"), 1);
    assert_eq!(state(&bench, "kept-1").await, (TemplateState::Expired, 0));
    assert_eq!(state(&bench, "held-1").await.1, 1, "a legal hold keeps its template");
    assert_eq!(bench.found(session("held-1")).await, [""; 0]);
    let outcome = bench.identities.compare(&investigator(), &session("kept-1"), &session("held-1")).await;
    assert!(outcome.expect_err("is gone").to_string().contains("older than templates are kept"));
}

#[tokio::test]
async fn the_machine_proposes_what_a_person_should_look_at() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("ann-2", "ann", &[("cam", &[1])])).await;
    let proposals = async || {
        let listed = bench.identities.matches(&investigator(), &MatchFilter::Open, &page()).await.expect("lists");
        listed.items.into_iter().map(|pair| pair.proposal.expect("is one").reason).collect::<Vec<_>>()
    };
    assert_eq!(proposals().await, [], "the same candidate twice is nothing to look at");
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    assert_eq!(proposals().await, [Proposal::OtherCandidate, Proposal::OtherCandidate]);
    bench.finished(&Made::of("ann-3", "ann", &[("cam", &[2])])).await;
    let found = counted(proposals().await);
    assert_eq!(found[&Proposal::DifferentFaces], 2, "{found:?}");
    bench.identities.watch(&investigator(), &session("ann-3"), "bad").await.expect("watches");
    bench.finished(&Made { candidate: None, ..Made::of("any-1", "", &[("cam", &[2])]) }).await;
    assert_eq!(counted(proposals().await)[&Proposal::Watched], 1);
    let all = SessionQuery { page_size: 10, ..SessionQuery::default() };
    let levels = bench.store.list(&investigator().tenant, &all).await.expect("lists").items;
    assert!(levels.iter().all(|session| session.level() == crate::scoring::Level::Inconclusive), "no level changes");
}

#[tokio::test]
async fn interviewers_who_sit_in_many_sessions_are_not_proposed() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("candidate-1", &[1]), ("staff", &[9])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("candidate-2", &[2]), ("staff", &[9])])).await;
    let listed = bench.identities.matches(&investigator(), &MatchFilter::All, &page()).await.expect("lists");
    assert_eq!(listed.items, []);
    bench.finished(&Made::of("cid-1", "cid", &[("candidate-3", &[1]), ("staff", &[9])])).await;
    let listed = bench.identities.matches(&investigator(), &MatchFilter::All, &page()).await.expect("lists");
    assert_eq!(listed.items.len(), 1, "the candidate under another name is");
}

#[tokio::test]
async fn every_query_stands_in_the_log_before_its_answer() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    let before = bench.audit().await.len();
    bench.search(session("ann-1")).await;
    bench.identities.candidate(&investigator(), &candidate("ann")).await.expect("reads");
    let entries = bench.audit().await.split_off(before);
    let told: Vec<_> =
        entries.iter().map(|event| (event.action, event.object.as_str(), event.details["results"].as_str())).collect();
    let expected = [(Action::IdentitySearch, "sessions/ann-1", "1"), (Action::IdentityList, "candidates/ann", "1")];
    assert_eq!(told, expected);
    // A log that cannot be written means no answer.
    bench.store.close().await;
    let request = SearchRequest { subject: session("ann-1"), max_false_matches: None, max_hits: 5 };
    assert!(bench.identities.search(&investigator(), &request).await.is_err());
    assert!(investigator().may(Permission::Identity));
}
