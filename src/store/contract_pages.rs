//! What the review pages read, as both databases must give it.

use crate::audit::{Action, Event, Outcome};
use crate::scoring::Level;
use crate::service::ports::{
    AuditLog, AuditRecords, Decision, DecisionKind, GroupCount, ReviewState, ReviewStore, SessionFilter, SessionOrder,
    SessionQuery, SessionRecord, SessionStore,
};
use crate::session::TenantId;

use super::samples::{commit, named, participant, record, said, score, tenant, time};

/// Makes a test of each function of this file for a store that `$open` gives.
macro_rules! pages_contract {
    ($open:path) => {
        $crate::store::contract_pages::pages_contract!(@tests $open:
            the_inbox_narrows_down_and_keeps_its_order,
            sessions_of_a_label_are_counted_by_its_value,
            audit_entries_are_read_backwards
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract_pages::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use pages_contract;

async fn create(store: &impl SessionStore, record: SessionRecord, level: Level) {
    let mut step = commit(record.name.id.as_str(), 0);
    step.scores = vec![(participant("candidate"), score(level, 1))];
    store.create(record, None, said()).await.expect("creates");
    store.commit(step).await.expect("commits");
}

async fn all(store: &impl SessionStore, filters: &[SessionFilter], page_size: u32) -> Vec<SessionRecord> {
    let mut query =
        SessionQuery { filters: filters.to_vec(), order: SessionOrder::MostUrgentFirst, page_size, page_token: None };
    let mut found = Vec::new();
    loop {
        let page = store.list(&tenant(), &query).await.expect("lists");
        found.extend(page.items);
        let Some(token) = page.next_page_token else { return found };
        query.page_token = Some(token);
    }
}

pub(super) async fn the_inbox_narrows_down_and_keeps_its_order(store: &(impl SessionStore + ReviewStore)) {
    let mut number = 0;
    for level in Level::ALL {
        for state in ReviewState::ALL {
            for assignee in ["", "anna"] {
                let id = format!("abcd-{number:02}");
                let candidate = if number % 3 == 0 { None } else { record(&id, 0).candidate };
                let external_ref = if number % 2 == 0 { String::new() } else { "req-17".to_owned() };
                let batch = if number % 12 == 0 { "rare" } else { "common" };
                let labels = [("team", "all"), ("batch", batch)].map(|(key, value)| (key.to_owned(), value.to_owned()));
                let made = SessionRecord { external_ref, candidate, labels: labels.into(), ..record(&id, number % 5) };
                create(store, made, level).await;
                let name = named(&id);
                match state {
                    ReviewState::Unreviewed => {}
                    ReviewState::InReview => store.assign(&name, "bert".to_owned(), said()).await.expect("assigns"),
                    ReviewState::Decided => {
                        let (kind, note, by) = (DecisionKind::Proceed, "fine".to_owned(), "user:anna".to_owned());
                        let decision = Decision { ordinal: 1, kind, note, by, time: time(9) };
                        store.decide(&name, decision, state, said()).await.expect("decides");
                    }
                }
                if state != ReviewState::Unreviewed {
                    store.assign(&name, assignee.to_owned(), said()).await.expect("assigns");
                }
                number += 1;
            }
        }
    }
    let everything = all(store, &[], 100).await;
    assert_eq!(everything.len(), 24);
    let level = |level| SessionFilter::LevelIs(level);
    let state = |state| SessionFilter::ReviewIs(state);
    let assignee = |name: &str| SessionFilter::AssigneeIs(name.to_owned());
    let mut narrowed: Vec<Vec<SessionFilter>> = vec![
        vec![assignee("anna")],
        vec![assignee("")],
        vec![SessionFilter::ExternalRefIs("req-17".to_owned())],
        vec![SessionFilter::ExternalRefIs(String::new())],
        vec![SessionFilter::CandidateIs(record("abcd-00", 0).candidate.expect("has one"))],
        vec![state(ReviewState::Decided), state(ReviewState::Unreviewed)],
    ];
    let (from, before) = (SessionFilter::CreatedFrom(time(1)), SessionFilter::CreatedBefore(time(4)));
    let label = |key: &str, value: &str| SessionFilter::LabelIs { key: key.to_owned(), value: value.to_owned() };
    for labels in [vec![], vec![label("team", "all")], vec![label("batch", "rare")], vec![label("batch", "none")]] {
        narrowed.push(labels.clone());
        let both = [label("team", "all"), label("batch", "rare")];
        let candidate = SessionFilter::CandidateIs(record("abcd-00", 0).candidate.expect("has one"));
        for others in [
            vec![from.clone()],
            vec![from.clone(), before.clone()],
            vec![from.clone(), state(ReviewState::Unreviewed)],
            vec![before.clone(), level(Level::Alert), assignee("")],
            vec![candidate, from.clone()],
            both.to_vec(),
        ] {
            narrowed.push([labels.clone(), others].concat());
        }
    }
    for one in Level::ALL {
        narrowed.push(vec![level(one)]);
        narrowed.push(vec![level(one), assignee("anna")]);
        narrowed.extend(ReviewState::ALL.map(|other| vec![level(one), state(other)]));
    }
    narrowed.extend(ReviewState::ALL.map(|one| vec![state(one)]));
    narrowed.extend(ReviewState::ALL.map(|one| vec![assignee("anna"), state(one)]));
    for filters in narrowed {
        let passes = |session: &&SessionRecord| {
            filters.iter().all(|filter| match filter {
                SessionFilter::LevelIs(level) => session.level() == *level,
                SessionFilter::ReviewIs(state) => session.review.state == *state,
                SessionFilter::AssigneeIs(name) => session.review.assignee == *name,
                SessionFilter::ExternalRefIs(reference) => session.external_ref == *reference,
                SessionFilter::CandidateIs(candidate) => session.candidate.as_ref() == Some(candidate),
                SessionFilter::LabelIs { key, value } => session.labels.get(key) == Some(value),
                SessionFilter::CreatedFrom(time) => session.create_time >= *time,
                SessionFilter::CreatedBefore(time) => session.create_time < *time,
                SessionFilter::IsOpen(_) => panic!("{filter:?} is not asked for"),
            })
        };
        let expected: Vec<_> = everything.iter().filter(passes).map(|session| session.name.clone()).collect();
        for page_size in [2, 100] {
            let found = all(store, &filters, page_size).await;
            let found: Vec<_> = found.into_iter().map(|session| session.name).collect();
            assert_eq!(found, expected, "{filters:?} by {page_size}");
        }
    }
}

pub(super) async fn sessions_of_a_label_are_counted_by_its_value(store: &(impl SessionStore + ReviewStore)) {
    for (number, (batch, level)) in
        [("a", Level::Clear), ("a", Level::Clear), ("a", Level::Alert), ("b", Level::Clear), ("c", Level::Clear)]
            .into_iter()
            .enumerate()
    {
        let mut record = record(&format!("abcd-{number}"), 0);
        record.labels.insert("batch".to_owned(), batch.to_owned());
        create(store, record, level).await;
    }
    create(store, record("abcd-9", 0), Level::Alert).await;
    store.assign(&named("abcd-1"), "anna".to_owned(), said()).await.expect("assigns");
    let count = |value: &str, state, level, n_sessions| {
        let value = value.to_owned();
        GroupCount { value, state, level, is_open: true, n_sessions }
    };
    let found = store.group_counts(&tenant(), "batch", 2).await.expect("counts");
    assert_eq!(
        found,
        [count("b", ReviewState::Unreviewed, Level::Clear, 1), count("c", ReviewState::Unreviewed, Level::Clear, 1)],
        "the last two"
    );
    let found = store.group_counts(&tenant(), "batch", 10).await.expect("counts");
    assert_eq!(
        found[..3],
        [
            count("a", ReviewState::InReview, Level::Clear, 1),
            count("a", ReviewState::Unreviewed, Level::Alert, 1),
            count("a", ReviewState::Unreviewed, Level::Clear, 1)
        ]
    );
    let other = TenantId::new("other").expect("a good id");
    assert_eq!(store.group_counts(&other, "batch", 10).await.expect("counts"), []);
    assert_eq!(store.group_counts(&tenant(), "nothing", 10).await.expect("counts"), []);
}

pub(super) async fn audit_entries_are_read_backwards(store: &(impl AuditLog + AuditRecords)) {
    let event = |tenant: &str, object: &str, number: i64| Event {
        time: time(number),
        tenant: tenant.to_owned(),
        object: object.to_owned(),
        action: Action::SessionView,
        outcome: Outcome::Denied,
        ..said()
    };
    for number in 0..5 {
        store
            .append(event("default", if number % 2 == 0 { "sessions/even" } else { "sessions/odd" }, number))
            .await
            .expect("appends");
    }
    store.append(event("other", "sessions/even", 9)).await.expect("appends");
    let read = async |object, before, limit| {
        let entries = store.audit_entries(&tenant(), object, before, limit).await.expect("reads");
        entries.into_iter().map(|(row, event)| (row, event.time)).collect::<Vec<_>>()
    };
    let newest = read(None, None, 3).await;
    assert_eq!(newest.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [time(4), time(3), time(2)]);
    let rest = read(None, newest.last().map(|(row, _)| *row), 100).await;
    assert_eq!(rest.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [time(1), time(0)]);
    let even = read(Some("sessions/even"), None, 100).await;
    assert_eq!(even.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [time(4), time(2), time(0)]);
    assert!(even.is_sorted_by(|a, b| a.0 > b.0), "{even:?}");
    let checked = store.verify_audit(&[]).await.expect("reads");
    assert!(checked.is_err(), "no key is known");
}
