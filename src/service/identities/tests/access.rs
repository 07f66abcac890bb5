//! Who may ask: on every path, whoever lacks the permission is refused and written down, other tenants' things do not exist,
//! and nothing works while the ledger is off.

use super::bench::{
    Bench, Made, caller, candidate, id, investigator, kind, page, reference, request, scene_search, session,
};
use crate::audit::Outcome;
use crate::error::ErrorKind;
use crate::service::ports::{FaceName, MatchFilter, MatchVerdict, Pair, ReferenceName, ReferencePurpose, TemplateKind};
use crate::service::{Caller, Identities, Permission, Role, Subject};

/// Every path, with what it is called on and how its refusal is to be told.
async fn every_path(
    ledger: &Identities,
    caller: &Caller,
    of_reference: &ReferenceName,
) -> Vec<(&'static str, Result<(), crate::service::ServiceError>)> {
    let subject = session("ann-1");
    let named = Subject::from(FaceName::Reference(of_reference.clone()));
    let of_session = MatchFilter::OfSession(id("ann-1"));
    let of_candidate = MatchFilter::OfCandidate(candidate("ann"));
    let same = MatchVerdict::Same;
    vec![
        ("candidate", ledger.candidate(caller, &candidate("ann")).await.map(drop)),
        ("enroll", ledger.enroll_reference(caller, reference("ann", ReferencePurpose::Hired, "ann-1")).await.map(drop)),
        ("delete", ledger.delete_reference(caller, of_reference).await),
        ("compare", ledger.compare(caller, &subject, &named).await.map(drop)),
        ("compare back", ledger.compare(caller, &named, &subject).await.map(drop)),
        ("search", ledger.search(caller, &request(subject.clone())).await.map(drop)),
        ("search reference", ledger.search(caller, &request(named.clone())).await.map(drop)),
        ("hunt", ledger.hunt(caller, &subject, None).await.map(drop)),
        ("hunt reference", ledger.hunt(caller, &named, None).await.map(drop)),
        ("confirm", ledger.confirm(caller, Pair::of(TemplateKind::Face, (&subject, &named)), same, "n").await),
        (
            "confirm place",
            ledger.confirm(caller, Pair::of(TemplateKind::Scene, (&subject, &session("bob-1"))), same, "n").await,
        ),
        ("search scene", ledger.search_scene(caller, &scene_search(subject.clone())).await.map(drop)),
        ("matches of session", ledger.matches(caller, &of_session, &page()).await.map(drop)),
        ("matches of candidate", ledger.matches(caller, &of_candidate, &page()).await.map(drop)),
        ("watch", ledger.watch(caller, &subject, "n").await),
        ("watch reference", ledger.watch(caller, &named, "n").await),
        ("unwatch", ledger.unwatch(caller, &subject).await),
    ]
}

/// The paths that name nothing and so cannot miss it.
async fn listings(
    ledger: &Identities,
    caller: &Caller,
) -> Vec<(&'static str, Result<usize, crate::service::ServiceError>)> {
    vec![
        ("candidates", ledger.candidates(caller, &page()).await.map(|page| page.items.len())),
        ("matches", ledger.matches(caller, &MatchFilter::All, &page()).await.map(|page| page.items.len())),
        ("open matches", ledger.matches(caller, &MatchFilter::Open, &page()).await.map(|page| page.items.len())),
        ("watched", ledger.watched(caller, &page()).await.map(|page| page.items.len())),
        ("gather", ledger.gather(caller, 1).await),
    ]
}

async fn bench() -> (Bench, ReferenceName) {
    let bench = Bench::start().await;
    bench.finished(&Made { place: Some(1), ..Made::of("ann-1", "ann", &[("cam", &[1])]) }).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    let FaceName::Reference(name) = bench.enroll("ann", ReferencePurpose::Applied, "ann-1").await else {
        panic!("is one")
    };
    bench.identities.watch(&investigator(), &session("ann-1"), "").await.expect("watches");
    (bench, name)
}

#[tokio::test]
async fn whoever_lacks_the_permission_is_refused_and_written_down_on_every_path() {
    let (bench, name) = bench().await;
    for role in [Role::Viewer, Role::Reviewer, Role::Admin] {
        let caller = caller("default", role.permissions());
        let before = bench.n_with(Outcome::Denied).await;
        let refused = every_path(&bench.identities, &caller, &name).await;
        let lists = listings(&bench.identities, &caller).await;
        let n_paths = refused.len() + lists.len();
        for (path, outcome) in refused {
            assert_eq!(kind(outcome), ErrorKind::PermissionDenied, "{path} as {role:?}");
        }
        for (path, outcome) in lists {
            assert_eq!(kind(outcome), ErrorKind::PermissionDenied, "{path} as {role:?}");
        }
        assert_eq!(bench.n_with(Outcome::Denied).await - before, n_paths, "{role:?}");
    }
    let watched = bench.identities.watched(&investigator(), &page()).await.expect("lists").items;
    assert_eq!(watched.len(), 1, "nothing was changed");
    assert!(
        bench.identities.matches(&investigator(), &MatchFilter::All, &page()).await.expect("lists").items.len() == 1
    );
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist_on_any_path() {
    let (bench, name) = bench().await;
    let theirs = caller("other", &[Permission::Identity, Permission::ReadSessions]);
    let before = bench.n_with(Outcome::Failed).await;
    let refused = every_path(&bench.identities, &theirs, &name).await;
    let n_paths = refused.len();
    for (path, outcome) in refused {
        assert_eq!(kind(outcome), ErrorKind::NotFound, "{path}");
    }
    assert_eq!(bench.n_with(Outcome::Failed).await - before, n_paths, "each was written down");
    for (path, outcome) in listings(&bench.identities, &theirs).await {
        assert_eq!(outcome.expect(path), 0, "{path}");
    }
    let events = bench.audit().await;
    assert!(events.iter().filter(|event| event.outcome == Outcome::Failed).all(|event| event.tenant == "other"));
    // Ours is as it was.
    for (path, outcome) in every_path(&bench.identities, &investigator(), &name).await {
        let is_after_deletion =
            ["compare", "compare back", "search reference", "hunt reference", "confirm", "watch reference"];
        match outcome {
            Ok(()) => {}
            Err(error) => assert!(is_after_deletion.contains(&path), "{path}: {error}"),
        }
    }
}

#[tokio::test]
async fn nothing_works_while_the_ledger_is_off() {
    let bench = Bench::start_with(|options| options.enabled = false).await;
    bench.stored(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    let name = ReferenceName {
        candidate: candidate("ann"),
        id: crate::service::ports::ReferenceId::new("r-00112233445566778899aabb").expect("a good id"),
    };
    for (path, outcome) in every_path(&bench.identities, &investigator(), &name).await {
        let error = outcome.expect_err(path);
        assert!(error.to_string().starts_with("identity.enabled: "), "{path}: {error}");
    }
    for (path, outcome) in listings(&bench.identities, &investigator()).await {
        assert_eq!(kind(outcome), ErrorKind::FailedPrecondition, "{path}");
    }
    assert!(!bench.identities.is_enabled());
    assert_eq!(bench.template_keys().await, []);
    let nobody = caller("default", &[]);
    let refused = bench.identities.watched(&nobody, &page()).await;
    assert_eq!(kind(refused), ErrorKind::PermissionDenied, "who may not ask does not learn whether it is on");
}
