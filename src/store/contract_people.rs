//! What every store must do about reviews and accounts, written once: [`people_contract`] makes the tests.

use std::collections::BTreeSet;

use crate::audit::Event;
use crate::error::{ErrorKind, Kinded};
use crate::scoring::Level;
use crate::service::Role;
use crate::service::ports::{
    Account, AccountPatch, AccountStore, Decision, DecisionKind, ExternalIdentity, Mark, MarkVerdict, ReviewCount,
    ReviewState, ReviewStore, SessionFilter, SessionOrder, SessionQuery, SessionRecord, SessionStore, StoreError,
    WebSession,
};
use crate::session::{SegmentState, SessionName, TenantId};

use super::samples::{commit, named, participant, record, said, score, segment, tenant, time};

/// Makes the contract's tests; `$open` as in `store_contract`.
macro_rules! people_contract {
    ($open:path) => {
        $crate::store::contract_people::people_contract!(@tests $open:
            marks_replace_each_other_and_begin_the_review,
            decisions_are_kept_in_order_and_fenced,
            held_sessions_are_not_deleted,
            the_inbox_has_the_undecided_and_worst_first,
            sessions_are_counted_by_state_and_level,
            accounts_are_read_back_and_changed,
            logins_end_with_their_time_and_their_account,
            one_identity_has_one_account
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract_people::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use people_contract;

fn kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

async fn create(store: &impl SessionStore, session: &str, created_secs: i64, level: Level) -> SessionName {
    let created = store.create(record(session, created_secs), None, said()).await.expect("creates");
    let mut step = commit(session, 0);
    step.scores = vec![(participant("candidate"), score(level, 1))];
    step.segments = vec![segment(1, SegmentState::Closed), segment(2, SegmentState::Closed)];
    store.commit(step).await.expect("commits");
    created.name
}

fn mark(ordinal: u32, verdict: MarkVerdict, by: &str) -> Mark {
    Mark { ordinal, verdict, note: format!("seen by {by}\nagain"), by: by.to_owned(), time: time(7) }
}

fn decision(ordinal: u32, kind: DecisionKind, by: &str) -> Decision {
    Decision { ordinal, kind, note: "because".to_owned(), by: by.to_owned(), time: time(8) }
}

pub(super) async fn marks_replace_each_other_and_begin_the_review(store: &(impl SessionStore + ReviewStore)) {
    let name = create(store, "abcd-1", 0, Level::Alert).await;
    assert_eq!(store.review(&name).await.expect("reads"), crate::service::ports::Review::default());
    store.mark(&name, mark(2, MarkVerdict::Confirmed, "user:anna"), said()).await.expect("marks");
    store.mark(&name, mark(1, MarkVerdict::Confirmed, "user:anna"), said()).await.expect("marks");
    store.mark(&name, mark(2, MarkVerdict::Dismissed, "user:bert"), said()).await.expect("marks");
    let review = store.review(&name).await.expect("reads");
    assert_eq!(review.summary.state, ReviewState::InReview);
    let expected = [mark(1, MarkVerdict::Confirmed, "user:anna"), mark(2, MarkVerdict::Dismissed, "user:bert")];
    assert_eq!(review.marks, expected);
    let missing = store.mark(&name, mark(3, MarkVerdict::Confirmed, "user:anna"), said()).await;
    assert!(matches!(missing, Err(StoreError::NoSuch { .. })), "{missing:?}");
    assert_eq!(kind(store.mark(&named("gone"), expected[0].clone(), said()).await), ErrorKind::NotFound);
    let theirs = SessionName { tenant: TenantId::new("other").expect("a good id"), id: name.id.clone() };
    assert_eq!(kind(store.review(&theirs).await), ErrorKind::NotFound);
    store.assign(&name, "anna".to_owned(), said()).await.expect("assigns");
    assert_eq!(store.review(&name).await.expect("reads").summary.assignee, "anna");
    store.assign(&name, String::new(), said()).await.expect("takes back");
    assert_eq!(store.get(&name).await.expect("reads").review.assignee, "");
}

pub(super) async fn decisions_are_kept_in_order_and_fenced(store: &(impl SessionStore + ReviewStore)) {
    let name = create(store, "abcd-1", 0, Level::Alert).await;
    let first = decision(1, DecisionKind::Decline, "user:anna");
    store.decide(&name, first.clone(), ReviewState::InReview, said()).await.expect("decides");
    assert_eq!(store.get(&name).await.expect("reads").review.state, ReviewState::InReview);
    let same_moment = decision(1, DecisionKind::Proceed, "user:bert");
    let refused = store.decide(&name, same_moment, ReviewState::Decided, said()).await;
    assert!(matches!(refused, Err(StoreError::Stale { .. })), "{refused:?}");
    let second = decision(2, DecisionKind::Decline, "user:bert");
    store.decide(&name, second.clone(), ReviewState::Decided, said()).await.expect("decides");
    let review = store.review(&name).await.expect("reads");
    assert_eq!((review.summary.state, review.decisions), (ReviewState::Decided, vec![first, second]));
    assert_eq!(
        kind(store.decide(&named("gone"), decision(1, DecisionKind::Proceed, "x"), ReviewState::Decided, said()).await),
        ErrorKind::NotFound
    );
}

pub(super) async fn held_sessions_are_not_deleted(store: &(impl SessionStore + ReviewStore)) {
    let held = SessionRecord { expire_time: Some(time(10)), ..record("abcd-1", 0) };
    let name = store.create(held, None, said()).await.expect("creates").name;
    store.hold(&name, true, said()).await.expect("holds");
    assert!(matches!(store.delete(&name, None, said()).await, Err(StoreError::Held { .. })));
    assert_eq!(store.delete_expired(time(20), 10).await.expect("sweeps"), 0);
    assert!(store.get(&name).await.expect("is there").review.is_held);
    store.hold(&name, false, said()).await.expect("lets go");
    assert_eq!(store.delete_expired(time(20), 10).await.expect("sweeps"), 1);
    assert_eq!(kind(store.hold(&name, true, said()).await), ErrorKind::NotFound);
}

pub(super) async fn the_inbox_has_the_undecided_and_worst_first(store: &(impl SessionStore + ReviewStore)) {
    let levels = [Level::Clear, Level::Alert, Level::Suspicious, Level::Inconclusive, Level::Alert];
    for (number, level) in (0..).zip(levels) {
        create(store, &format!("abcd-{number}"), number, level).await;
    }
    let done = decision(1, DecisionKind::Proceed, "user:anna");
    store.decide(&named("abcd-4"), done, ReviewState::Decided, said()).await.expect("decides");
    store.assign(&named("abcd-2"), "anna".to_owned(), said()).await.expect("assigns");
    for page_size in [1, 2, 5] {
        let mut query = SessionQuery { order: SessionOrder::MostUrgentFirst, page_size, ..SessionQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = store.list(&tenant(), &query).await.expect("lists");
            found.extend(page.items.into_iter().map(|session| session.name.id.as_str().to_owned()));
            let Some(token) = page.next_page_token else { break };
            query.page_token = Some(token);
        }
        assert_eq!(found, ["abcd-1", "abcd-2", "abcd-3", "abcd-0", "abcd-4"], "{page_size}");
    }
    let with = |filters| SessionQuery { filters, page_size: 10, ..SessionQuery::default() };
    let of_anna =
        with(vec![SessionFilter::AssigneeIs("anna".to_owned()), SessionFilter::ReviewIs(ReviewState::InReview)]);
    let page = store.list(&tenant(), &of_anna).await.expect("lists");
    assert_eq!(page.items.iter().map(|session| session.name.clone()).collect::<Vec<_>>(), [named("abcd-2")]);
    let decided = with(vec![SessionFilter::ReviewIs(ReviewState::Decided)]);
    assert_eq!(store.list(&tenant(), &decided).await.expect("lists").items.len(), 1);
}

pub(super) async fn sessions_are_counted_by_state_and_level(store: &(impl SessionStore + ReviewStore)) {
    create(store, "abcd-1", 0, Level::Alert).await;
    create(store, "abcd-2", 0, Level::Alert).await;
    let clear = create(store, "abcd-3", 0, Level::Clear).await;
    store.decide(&clear, decision(1, DecisionKind::Proceed, "x"), ReviewState::Decided, said()).await.expect("decides");
    let count = |state, level, n_sessions| ReviewCount { state, level, n_sessions };
    let expected = [count(ReviewState::Decided, Level::Clear, 1), count(ReviewState::Unreviewed, Level::Alert, 2)];
    assert_eq!(store.review_counts(&tenant()).await.expect("counts"), expected);
    assert_eq!(store.review_counts(&TenantId::new("other").expect("a good id")).await.expect("counts"), []);
}

fn account(name: &str, roles: &[Role]) -> Account {
    Account {
        name: name.to_owned(),
        tenant: tenant(),
        display_name: "Anna \u{1f600}".to_owned(),
        roles: roles.iter().copied().collect(),
        is_active: true,
        password_hash: "$argon2id$".to_owned(),
        identity: None,
        create_time: time(1),
        failed_logins: 0,
        locked_until: None,
    }
}

pub(super) async fn accounts_are_read_back_and_changed(store: &impl AccountStore) {
    let anna = account("anna", &[Role::Reviewer, Role::Admin]);
    store.create_account(anna.clone(), said()).await.expect("makes");
    assert_eq!(kind(store.create_account(anna.clone(), said()).await), ErrorKind::AlreadyExists);
    assert_eq!(store.account("anna").await.expect("reads"), anna);
    assert_eq!(kind(store.account("bert").await), ErrorKind::NotFound);
    store.create_account(account("aaron", &[Role::Viewer]), said()).await.expect("makes");
    let names: Vec<_> = store.accounts(&tenant()).await.expect("lists").into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["aaron", "anna"]);
    store.login_failed("anna", Some(time(9)), said()).await.expect("counts");
    store.login_failed("anna", Some(time(10)), said()).await.expect("counts");
    let failed = store.account("anna").await.expect("reads");
    assert_eq!((failed.failed_logins, failed.locked_until), (2, Some(time(10))));
    let roles = BTreeSet::from([Role::Investigator]);
    let patch = AccountPatch { roles: Some(roles.clone()), ..AccountPatch::default() };
    store.update_account("anna", patch, said()).await.expect("changes");
    assert_eq!(store.account("anna").await.expect("reads"), Account { roles, ..anna });
    assert_eq!(kind(store.update_account("bert", AccountPatch::default(), said()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.login_failed("bert", None, said()).await), ErrorKind::NotFound);
}

pub(super) async fn one_identity_has_one_account(store: &impl AccountStore) {
    let identity =
        |subject: &str| ExternalIdentity { issuer: "https://id.example.org".to_owned(), subject: subject.to_owned() };
    let from_elsewhere = |name: &str, subject: &str| Account {
        password_hash: String::new(),
        identity: Some(identity(subject)),
        ..account(name, &[Role::Reviewer])
    };
    let anna = from_elsewhere("anna", "4711");
    store.create_account(anna.clone(), said()).await.expect("makes");
    assert_eq!(store.account_of(&identity("4711")).await.expect("reads"), anna);
    assert_eq!(store.account("anna").await.expect("reads"), anna);
    assert_eq!(kind(store.account_of(&identity("471")).await), ErrorKind::NotFound);
    let elsewhere = ExternalIdentity { issuer: "https://id.example.net".to_owned(), ..identity("4711") };
    assert_eq!(kind(store.account_of(&elsewhere).await), ErrorKind::NotFound);
    let renamed = from_elsewhere("anna.b", "4711");
    assert_eq!(kind(store.create_account(renamed, said()).await), ErrorKind::AlreadyExists);
    assert_eq!(kind(store.create_account(from_elsewhere("anna", "4712"), said()).await), ErrorKind::AlreadyExists);
    store.create_account(account("bert", &[Role::Viewer]), said()).await.expect("makes");
    store.create_account(account("carl", &[Role::Viewer]), said()).await.expect("two with passwords");
    let nobody = ExternalIdentity { issuer: String::new(), subject: String::new() };
    assert_eq!(kind(store.account_of(&nobody).await), ErrorKind::NotFound);
}

fn login(number: u8) -> WebSession {
    WebSession {
        token_hash: [number; 32],
        account: "anna".to_owned(),
        csrf_token: format!("token {number}"),
        create_time: time(0),
        expire_time: time(100),
    }
}

pub(super) async fn logins_end_with_their_time_and_their_account(store: &impl AccountStore) {
    store.create_account(account("anna", &[Role::Viewer]), said()).await.expect("makes");
    store.login_failed("anna", None, said()).await.expect("counts");
    for number in 1..=4 {
        store.login(login(number), said()).await.expect("logs in");
    }
    assert_eq!(store.account("anna").await.expect("reads").failed_logins, 0);
    let (found, of) = store.web_session(&[1; 32], time(99)).await.expect("reads");
    assert_eq!((found, of.name.as_str()), (login(1), "anna"));
    assert_eq!(kind(store.web_session(&[1; 32], time(100)).await), ErrorKind::NotFound);
    store.prolong(&[1; 32], time(200)).await.expect("prolongs");
    store.web_session(&[1; 32], time(150)).await.expect("lasts");
    store.logout(&[2; 32], said()).await.expect("logs out");
    assert_eq!(kind(store.web_session(&[2; 32], time(1)).await), ErrorKind::NotFound);
    assert_eq!(store.forget_logins(time(150)).await.expect("forgets"), 2, "the third and the fourth");
    store.login(login(5), said()).await.expect("logs in");
    let off = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    store.update_account("anna", off, Event { ..said() }).await.expect("changes");
    assert_eq!(kind(store.web_session(&[5; 32], time(1)).await), ErrorKind::NotFound);
    let stranger = WebSession { account: "bert".to_owned(), ..login(6) };
    assert_eq!(kind(store.login(stranger, said()).await), ErrorKind::NotFound);
}
