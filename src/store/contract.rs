//! What every [`SessionStore`] must do, written once: [`store_contract`] makes the tests for one implementation.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{ErrorKind, Kinded};
use crate::scoring::Level;
use crate::service::ports::{
    ScorePoint, SessionCommit, SessionFilter, SessionOrder, SessionPatch, SessionQuery, SessionRecord, SessionStore,
    StoreError,
};
use crate::session::{CandidateId, SegmentState, SessionName, TenantId};

use super::samples::{commit, entries, named, participant, record, said, score, segment, tenant, time};

/// Makes the contract's tests; `$open` is an async function that gives an empty store, behind a pointer,
/// and whatever keeps it alive.
macro_rules! store_contract {
    ($open:path) => {
        $crate::store::contract::store_contract!(@tests $open:
            created_sessions_are_read_back,
            tenants_do_not_see_each_others_sessions,
            request_ids_make_creation_repeatable,
            updates_change_what_they_name_and_count_up,
            commits_are_read_back_in_order,
            commits_are_fenced,
            deletion_leaves_nothing,
            expired_sessions_are_deleted_in_portions,
            listings_filter_by_every_condition,
            pages_of_sessions_neither_overlap_nor_miss,
            pages_of_segments_follow_each_other,
            tokens_are_bound_to_their_listing,
            concurrent_writers_do_not_lose_or_mix_steps,
            one_refused_commit_leaves_the_others_alone,
            missing_sessions_are_not_found
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use store_contract;

fn kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

fn query(page_size: u32) -> SessionQuery {
    SessionQuery { page_size, ..SessionQuery::default() }
}

async fn all_pages(store: &impl SessionStore, mut query: SessionQuery) -> Vec<SessionRecord> {
    let mut found = Vec::new();
    loop {
        let page = store.list(&tenant(), &query).await.expect("lists");
        assert!(page.items.len() <= query.page_size as usize);
        assert!(page.next_page_token.is_none() || !page.items.is_empty());
        found.extend(page.items);
        let Some(token) = page.next_page_token else { return found };
        query.page_token = Some(token);
    }
}

pub(super) async fn created_sessions_are_read_back(store: &impl SessionStore) {
    let mut wanted = record("abcd-1", 0);
    wanted.display_name = "'; DROP TABLE sessions; -- \u{1f600}".to_owned();
    wanted.create_time = "2026-11-23T01:02:03.000000001Z".parse().expect("a time");
    wanted.expire_time = Some("9999-12-30T00:00:00Z".parse().expect("a time"));
    wanted.labels.insert("empty".to_owned(), String::new());
    let created = store.create(wanted.clone(), None, said()).await.expect("creates");
    assert_eq!(created, wanted);
    assert_eq!(store.get(&wanted.name).await.expect("reads"), wanted);
    assert_eq!(kind(store.create(record("abcd-1", 5), None, said()).await), ErrorKind::AlreadyExists);
    assert_eq!(store.get(&wanted.name).await.expect("reads"), wanted, "a refused creation changes nothing");
    store.ping().await.expect("can write");
}

pub(super) async fn tenants_do_not_see_each_others_sessions(store: &impl SessionStore) {
    let other_tenant = TenantId::new("other").expect("a good id");
    let ours = store.create(record("abcd-1", 0), Some("request-1".to_owned()), said()).await.expect("creates");
    let theirs = SessionName { tenant: other_tenant.clone(), id: ours.name.id.clone() };
    assert_eq!(kind(store.get(&theirs).await), ErrorKind::NotFound);
    assert_eq!(kind(store.journal(&theirs).await), ErrorKind::NotFound);
    assert_eq!(kind(store.segments(&theirs, 5, None).await), ErrorKind::NotFound);
    assert_eq!(kind(store.score_points(&theirs, &participant("candidate"), 5).await), ErrorKind::NotFound);
    assert_eq!(kind(store.update(&theirs, SessionPatch::default(), None, said()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.delete(&theirs, None, said()).await), ErrorKind::NotFound);
    let step = SessionCommit { name: theirs.clone(), ..commit("abcd-1", 0) };
    assert_eq!(kind(store.commit(step).await), ErrorKind::NotFound);
    assert_eq!(store.list(&other_tenant, &query(5)).await.expect("lists").items, []);
    let same_names = SessionRecord { name: theirs.clone(), ..record("abcd-1", 7) };
    let created = store.create(same_names.clone(), Some("request-1".to_owned()), said()).await.expect("creates");
    assert_eq!(created, same_names, "ids and requests of one tenant are free for another");
    store.delete(&theirs, None, said()).await.expect("deletes");
    assert_eq!(store.get(&ours.name).await.expect("is untouched"), ours);
}

pub(super) async fn request_ids_make_creation_repeatable(store: &impl SessionStore) {
    let request = || Some("request-1".to_owned());
    let first = store.create(record("abcd-1", 0), request(), said()).await.expect("creates");
    let again = store.create(record("other-id", 9), request(), said()).await.expect("repeats");
    assert_eq!(again, first);
    assert_eq!(kind(store.get(&named("other-id")).await), ErrorKind::NotFound);
    assert_eq!(
        kind(store.create(record("abcd-1", 0), Some("request-2".to_owned()), said()).await),
        ErrorKind::AlreadyExists
    );
}

pub(super) async fn updates_change_what_they_name_and_count_up(store: &impl SessionStore) {
    let before = store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let patch = SessionPatch { display_name: Some(String::new()), ..SessionPatch::default() };
    let renamed = store.update(&before.name, patch, Some(before.revision), said()).await.expect("updates");
    let expected = SessionRecord { display_name: String::new(), revision: before.revision + 1, ..before.clone() };
    assert_eq!(renamed, expected);
    let stale = SessionPatch { external_ref: Some("late".to_owned()), ..SessionPatch::default() };
    assert_eq!(
        kind(store.update(&before.name, stale, Some(before.revision), said()).await),
        ErrorKind::FailedPrecondition
    );
    let nobody = SessionPatch { candidate: Some(None), ..SessionPatch::default() };
    assert_eq!(store.update(&before.name, nobody, None, said()).await.expect("updates").candidate, None);
    let known = SessionPatch { candidate: Some(before.candidate.clone()), ..SessionPatch::default() };
    store.update(&before.name, known, None, said()).await.expect("updates");
    let patch = SessionPatch {
        external_ref: Some("req-18".to_owned()),
        labels: Some(BTreeMap::from([("stage".to_owned(), "2".to_owned())])),
        expire_time: Some(Some(time(60))),
        ..SessionPatch::default()
    };
    let changed = store.update(&before.name, patch, None, said()).await.expect("updates");
    assert_eq!(changed.labels, BTreeMap::from([("stage".to_owned(), "2".to_owned())]));
    assert_eq!((changed.external_ref.as_str(), changed.expire_time), ("req-18", Some(time(60))));
    let forever = SessionPatch { expire_time: Some(None), ..SessionPatch::default() };
    let kept = store.update(&before.name, forever, None, said()).await.expect("updates");
    assert_eq!((kept.expire_time, kept.revision), (None, before.revision + 5));
    assert_eq!(store.get(&before.name).await.expect("reads"), kept);
}

pub(super) async fn commits_are_read_back_in_order(store: &impl SessionStore) {
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let mut first = commit("abcd-1", 0);
    first.journal = entries();
    first.scores.push((participant("candidate"), score(Level::Alert, 2)));
    first.scores.push((participant("interviewer"), score(Level::Inconclusive, 3)));
    first.segments = vec![segment(1, SegmentState::Open), segment(2, SegmentState::Closed)];
    let n_first = first.journal.len() as u64;
    store.commit(first.clone()).await.expect("commits");
    let mut second = commit("abcd-1", n_first);
    second.segments = vec![segment(1, SegmentState::Closed)];
    second.end_time = Some(time(30));
    store.commit(second.clone()).await.expect("commits");

    let journal = store.journal(&first.name).await.expect("reads");
    let expected: Vec<_> = first.journal.iter().chain(&second.journal).collect();
    assert_eq!(format!("{journal:?}"), format!("{expected:?}"), "NaN is unequal to itself, so its text is compared");
    let windows = store.score_points(&first.name, &participant("candidate"), 10).await.expect("reads");
    let expected: Vec<_> =
        [&first.scores[0], &first.scores[1], &second.scores[0]].map(|(_, score)| score.clone()).into();
    let points: Vec<_> = expected.iter().map(ScorePoint::from).collect();
    assert_eq!(windows, points);
    assert_eq!(store.score_points(&first.name, &participant("candidate"), 2).await.expect("reads"), points[..2]);
    assert_eq!(store.score_points(&first.name, &participant("nobody"), 2).await.expect("reads"), []);
    let session = store.get(&first.name).await.expect("reads");
    assert_eq!((session.journal_len, session.end_time), (n_first + 1, Some(time(30))));
    assert_eq!(session.revision, 1, "no field that a caller can change was changed");
    let latest: Vec<_> = session.participants.iter().map(|latest| (&latest.participant_id, &latest.score)).collect();
    assert_eq!(latest, [(&participant("candidate"), &expected[2]), (&participant("interviewer"), &first.scores[2].1)]);
    let segments = store.segments(&first.name, 10, None).await.expect("reads");
    assert_eq!(segments.items, [segment(1, SegmentState::Closed), segment(2, SegmentState::Closed)]);
}

pub(super) async fn commits_are_fenced(store: &impl SessionStore) {
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    store.commit(commit("abcd-1", 0)).await.expect("commits");
    let before = store.get(&named("abcd-1")).await.expect("reads");
    for expected_journal_len in [0, 2, u64::MAX] {
        let mut stale = commit("abcd-1", 1);
        stale.expected_journal_len = expected_journal_len;
        stale.end_time = Some(time(1));
        stale.segments = vec![segment(1, SegmentState::Open)];
        assert_eq!(kind(store.commit(stale).await), ErrorKind::FailedPrecondition, "{expected_journal_len}");
    }
    assert_eq!(store.get(&named("abcd-1")).await.expect("reads"), before, "a refused step changes nothing");
    let mut empty = commit("abcd-1", 1);
    empty.journal.clear();
    empty.scores.clear();
    store.commit(empty).await.expect("a step may add nothing");
    assert_eq!(store.get(&named("abcd-1")).await.expect("reads"), before);
}

pub(super) async fn deletion_leaves_nothing(store: &impl SessionStore) {
    let created = store.create(record("abcd-1", 0), Some("request-1".to_owned()), said()).await.expect("creates");
    let mut step = commit("abcd-1", 0);
    step.segments = vec![segment(1, SegmentState::Open)];
    store.commit(step).await.expect("commits");
    assert_eq!(kind(store.delete(&created.name, Some(7), said()).await), ErrorKind::FailedPrecondition);
    store.delete(&created.name, Some(created.revision), said()).await.expect("deletes");
    assert_eq!(kind(store.get(&created.name).await), ErrorKind::NotFound);
    assert_eq!(kind(store.commit(commit("abcd-1", 1)).await), ErrorKind::NotFound);
    assert_eq!(all_pages(store, query(10)).await, []);
    let fresh = store
        .create(record("abcd-1", 9), Some("request-1".to_owned()), said())
        .await
        .expect("the names are free again");
    assert_eq!(fresh, record("abcd-1", 9));
    assert_eq!(store.journal(&fresh.name).await.expect("reads"), []);
    assert_eq!(store.segments(&fresh.name, 10, None).await.expect("reads").items, []);
    assert_eq!(store.score_points(&fresh.name, &participant("candidate"), 10).await.expect("reads"), []);
}

pub(super) async fn expired_sessions_are_deleted_in_portions(store: &impl SessionStore) {
    for (number, expire_time) in [Some(10), Some(20), Some(30), None].into_iter().enumerate() {
        let session = SessionRecord { expire_time: expire_time.map(time), ..record(&format!("abcd-{number}"), 0) };
        store.create(session, None, said()).await.expect("creates");
    }
    assert_eq!(store.delete_expired(time(30), 1).await.expect("deletes"), 1);
    assert_eq!(kind(store.get(&named("abcd-0")).await), ErrorKind::NotFound, "the oldest goes first");
    assert_eq!(store.delete_expired(time(30), 10).await.expect("deletes"), 1);
    assert_eq!(store.delete_expired(time(30), 10).await.expect("deletes"), 0, "its time is not past yet");
    let left: Vec<_> = all_pages(store, query(10)).await.into_iter().map(|session| session.name).collect();
    assert_eq!(left, [named("abcd-3"), named("abcd-2")]);
}

pub(super) async fn listings_filter_by_every_condition(store: &impl SessionStore) {
    for number in 0..4 {
        let mut session = record(&format!("abcd-{number}"), number);
        session.external_ref = format!("req-{}", number % 2);
        session.labels.insert("number".to_owned(), number.to_string());
        session.candidate = session.candidate.filter(|_| number == 2);
        store.create(session, None, said()).await.expect("creates");
    }
    let mut alert = commit("abcd-1", 0);
    alert.scores =
        vec![(participant("candidate"), score(Level::Alert, 1)), (participant("second"), score(Level::Clear, 1))];
    alert.end_time = Some(time(99));
    store.commit(alert).await.expect("commits");
    let label = |key: &str, value: &str| SessionFilter::LabelIs { key: key.to_owned(), value: value.to_owned() };
    for (filters, expected) in [
        (vec![], vec![3, 2, 1, 0]),
        (vec![SessionFilter::LevelIs(Level::Alert)], vec![1]),
        (vec![SessionFilter::LevelIs(Level::Inconclusive)], vec![3, 2, 0]),
        (vec![SessionFilter::LevelIs(Level::Clear)], vec![]),
        (vec![label("number", "2")], vec![2]),
        (vec![label("number", "2"), label("team", "platform")], vec![2]),
        (vec![label("number", "2"), label("number", "3")], vec![]),
        (vec![label("team", "' OR 1=1 --")], vec![]),
        (vec![SessionFilter::ExternalRefIs("req-0".to_owned())], vec![2, 0]),
        (vec![SessionFilter::CandidateIs(CandidateId::new("ats-4711").expect("a good id"))], vec![2]),
        (vec![SessionFilter::CreatedFrom(time(2))], vec![3, 2]),
        (vec![SessionFilter::CreatedBefore(time(2))], vec![1, 0]),
        (vec![SessionFilter::IsOpen(true)], vec![3, 2, 0]),
        (vec![SessionFilter::IsOpen(false), SessionFilter::CreatedFrom(time(0))], vec![1]),
    ] {
        let found = all_pages(store, SessionQuery { filters: filters.clone(), ..query(2) }).await;
        let expected: Vec<_> = expected.into_iter().map(|number| named(&format!("abcd-{number}"))).collect();
        assert_eq!(found.into_iter().map(|session| session.name).collect::<Vec<_>>(), expected, "{filters:?}");
    }
}

pub(super) async fn pages_of_sessions_neither_overlap_nor_miss(store: &impl SessionStore) {
    for number in 0..25 {
        // Ties of five, so that the id decides.
        store.create(record(&format!("abcd-{number}"), number / 5), None, said()).await.expect("creates");
    }
    for order in [SessionOrder::NewestFirst, SessionOrder::OldestFirst] {
        for page_size in [1, 4, 5, 24, 25, 26] {
            let found = all_pages(store, SessionQuery { order, ..query(page_size) }).await;
            let ids: BTreeSet<_> = found.iter().map(|session| session.name.clone()).collect();
            assert_eq!((found.len(), ids.len()), (25, 25), "{order:?} {page_size}");
            let mut times: Vec<_> = found.iter().map(|session| session.create_time).collect();
            if order == SessionOrder::NewestFirst {
                times.reverse();
            }
            assert!(times.is_sorted(), "{order:?} {page_size}");
        }
    }
    let page = store.list(&tenant(), &query(0)).await.expect("lists");
    assert_eq!(page.items.len(), 1, "a page has at least one item");
}

pub(super) async fn pages_of_segments_follow_each_other(store: &impl SessionStore) {
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let mut step = commit("abcd-1", 0);
    step.segments = (1..=7).map(|ordinal| segment(ordinal, SegmentState::Closed)).collect();
    store.commit(step.clone()).await.expect("commits");
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = store.segments(&step.name, 3, token.as_deref()).await.expect("lists");
        assert!(page.items.len() <= 3);
        found.extend(page.items);
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, step.segments);
}

pub(super) async fn tokens_are_bound_to_their_listing(store: &impl SessionStore) {
    for number in 0..3 {
        store.create(record(&format!("abcd-{number}"), number), None, said()).await.expect("creates");
    }
    let mut step = commit("abcd-1", 0);
    step.segments = (1..=3).map(|ordinal| segment(ordinal, SegmentState::Closed)).collect();
    store.commit(step).await.expect("commits");
    let token = store.list(&tenant(), &query(1)).await.expect("lists").next_page_token.expect("has more");
    let of_segments =
        store.segments(&named("abcd-1"), 1, None).await.expect("lists").next_page_token.expect("has more");
    let with = |page_token: &str| SessionQuery { page_token: Some(page_token.to_owned()), ..query(1) };
    let filtered = SessionQuery { filters: vec![SessionFilter::IsOpen(true)], ..with(&token) };
    let reversed = SessionQuery { order: SessionOrder::OldestFirst, ..with(&token) };
    for bad in [with(""), with("nonsense"), with(&of_segments), with(&token[..token.len() - 2]), filtered, reversed] {
        assert!(matches!(store.list(&tenant(), &bad).await, Err(StoreError::BadPageToken)), "{bad:?}");
    }
    assert!(
        store.list(&tenant(), &SessionQuery { page_size: 2, ..with(&token) }).await.is_ok(),
        "the page size may change"
    );
    for (session, bad) in [("abcd-1", token.as_str()), ("abcd-2", &of_segments), ("abcd-1", "")] {
        let outcome = store.segments(&named(session), 1, Some(bad)).await;
        assert!(matches!(outcome, Err(StoreError::BadPageToken)), "{session} {bad}");
    }
}

pub(super) async fn concurrent_writers_do_not_lose_or_mix_steps(store: &impl SessionStore) {
    const SESSIONS: usize = 16;
    const STEPS: u64 = 12;
    let names: Vec<_> = (0..SESSIONS).map(|number| format!("abcd-{number}")).collect();
    futures_util::future::join_all(names.iter().map(|name| async move {
        store.create(record(name, 0), None, said()).await.expect("creates");
        for step in 0..STEPS {
            // Two writers race for every step; the fence lets exactly one through.
            let (left, right) = tokio::join!(store.commit(commit(name, step)), store.commit(commit(name, step)));
            assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
        }
    }))
    .await;
    for name in &names {
        let journal = store.journal(&named(name)).await.expect("reads");
        let expected: Vec<_> = (0..STEPS).flat_map(|step| commit(name, step).journal).collect();
        assert_eq!(journal, expected);
        let windows = store.score_points(&named(name), &participant("candidate"), 100).await.expect("reads");
        assert_eq!(windows.len() as u64, STEPS);
    }
}

pub(super) async fn one_refused_commit_leaves_the_others_alone(store: &impl SessionStore) {
    for name in ["abcd-1", "abcd-2"] {
        store.create(record(name, 0), None, said()).await.expect("creates");
    }
    let (first, missing, stale, last) = tokio::join!(
        store.commit(commit("abcd-1", 0)),
        store.commit(commit("gone-1", 0)),
        store.commit(commit("abcd-1", 9)),
        store.commit(commit("abcd-2", 0)),
    );
    assert!(first.is_ok() && last.is_ok(), "{first:?} {last:?}");
    assert_eq!((kind(missing), kind(stale)), (ErrorKind::NotFound, ErrorKind::FailedPrecondition));
    for name in ["abcd-1", "abcd-2"] {
        assert_eq!(store.get(&named(name)).await.expect("reads").journal_len, 1);
    }
}

pub(super) async fn missing_sessions_are_not_found(store: &impl SessionStore) {
    let gone = named("gone-1");
    assert_eq!(kind(store.get(&gone).await), ErrorKind::NotFound);
    assert_eq!(kind(store.update(&gone, SessionPatch::default(), None, said()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.delete(&gone, None, said()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.commit(commit("gone-1", 0)).await), ErrorKind::NotFound);
    assert_eq!(kind(store.journal(&gone).await), ErrorKind::NotFound);
    assert_eq!(kind(store.segments(&gone, 5, None).await), ErrorKind::NotFound);
    assert_eq!(kind(store.score_points(&gone, &participant("candidate"), 5).await), ErrorKind::NotFound);
}
