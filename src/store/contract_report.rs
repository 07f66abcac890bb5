//! What every store must do for reports, written once: [`report_contract`] makes the tests.

use crate::audit::{Action, Event};
use crate::error::{ErrorKind, Kinded};
use crate::scoring::Level;
use crate::service::ports::{Mark, MarkVerdict, ReportLimits, ReportStore, ReviewStore, SessionStore, StoreError};
use crate::session::{SegmentState, SessionName, TenantId};

use super::samples::{commit, entries, named, participant, record, said, score, segment, time};

/// Makes the contract's tests; `$open` as in `store_contract`.
macro_rules! report_contract {
    ($open:path) => {
        $crate::store::contract_report::report_contract!(@tests $open:
            a_report_has_everything_of_one_moment,
            the_digest_of_a_journal_is_that_of_its_tombstone,
            long_timelines_are_thinned_and_keep_their_end,
            too_many_segments_leave_the_marked_and_the_worst,
            reports_see_their_own_tenants_session_alone
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract_report::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use report_contract;

const LIMITS: ReportLimits = ReportLimits { segments: 10, points: 10, audit_rows: 10 };

/// An entry about the session that the tests write to.
fn about(session: &str, action: Action) -> Event {
    Event { action, object: format!("sessions/{session}"), ..said() }
}

async fn create(store: &impl SessionStore, session: &str) -> SessionName {
    store.create(record(session, 0), None, about(session, Action::SessionCreate)).await.expect("creates").name
}

pub(super) async fn a_report_has_everything_of_one_moment(store: &(impl SessionStore + ReviewStore + ReportStore)) {
    let name = create(store, "abcd-1").await;
    create(store, "abcd-2").await;
    let mut step = commit("abcd-1", 0);
    step.journal = entries();
    step.scores = vec![
        (participant("candidate"), score(Level::Inconclusive, 1)),
        (participant("candidate"), score(Level::Alert, 2)),
        (participant("other"), score(Level::Clear, 3)),
    ];
    step.segments = vec![segment(1, SegmentState::Closed), segment(2, SegmentState::Open)];
    step.audit = vec![about("abcd-1", Action::SessionFinish)];
    store.commit(step).await.expect("commits");
    let note = Mark {
        ordinal: 1,
        verdict: MarkVerdict::Dismissed,
        note: "harmless".to_owned(),
        by: "user:anna".to_owned(),
        time: time(7),
    };
    store.mark(&name, note, about("abcd-1", Action::ReviewMark)).await.expect("marks");
    store.require_session(&name).await.expect("is there");
    let rows = store.report_rows(&name, LIMITS).await.expect("reads");
    assert_eq!(rows.session, store.get(&name).await.expect("reads"));
    assert_eq!(rows.review, store.review(&name).await.expect("reads"));
    assert_eq!((rows.segments.len(), rows.n_segments), (2, 2));
    assert_eq!(rows.segments[1], segment(2, SegmentState::Open));
    let line = &rows.timelines[0];
    assert_eq!((line.participant_id.as_str(), line.points.len(), rows.timelines.len()), ("candidate", 2, 2));
    let expected = score(Level::Alert, 2);
    assert_eq!((line.points[1].authenticity, line.points[1].level), (expected.authenticity, Level::Alert));
    assert!(
        line.points[0].authenticity.is_none() && line.points[1].at_secs.to_bits() == expected.window_end_secs.to_bits()
    );
    assert_eq!(rows.journal.n_entries, entries().len() as u64);
    let actions: Vec<_> = rows.audit.iter().map(|row| row.event.action).collect();
    assert_eq!(actions, [Action::SessionCreate, Action::SessionFinish, Action::ReviewMark]);
    assert_eq!((rows.n_audit_rows, rows.log_end.sequence), (3, rows.audit[2].sequence));
    let one = store.report_rows(&name, ReportLimits { audit_rows: 1, ..LIMITS }).await.expect("reads");
    assert_eq!((one.audit.len(), one.audit[0].event.action, one.n_audit_rows), (1, Action::ReviewMark, 3));
}

pub(super) async fn the_digest_of_a_journal_is_that_of_its_tombstone(store: &(impl SessionStore + ReportStore)) {
    let name = create(store, "abcd-1").await;
    let empty = store.report_rows(&name, LIMITS).await.expect("reads");
    assert!(empty.timelines.is_empty() && empty.journal.n_entries == 0);
    store.commit(commit("abcd-1", 0)).await.expect("commits");
    store.commit(commit("abcd-1", 1)).await.expect("commits");
    let rows = store.report_rows(&name, LIMITS).await.expect("reads");
    assert_ne!(rows.journal.sha256, empty.journal.sha256);
    store.delete(&name, None, about("abcd-1", Action::SessionDelete)).await.expect("deletes");
    // A session of the same name has the rows of the one before in its log.
    create(store, "abcd-1").await;
    let after = store.report_rows(&name, LIMITS).await.expect("reads");
    let tombstone = after.audit.iter().find(|row| row.event.action == Action::SessionDelete).expect("is there");
    assert_eq!(tombstone.event.details["journal_sha256"], rows.journal.sha256.to_string());
    assert_eq!(tombstone.event.details["journal_entries"], rows.journal.n_entries.to_string());
}

pub(super) async fn long_timelines_are_thinned_and_keep_their_end(store: &(impl SessionStore + ReportStore)) {
    let name = create(store, "abcd-1").await;
    for n_windows in [1, 9, 10, 11, 37, 100] {
        let before = store.get(&name).await.expect("reads").journal_len;
        let mut step = commit("abcd-1", before);
        let who = participant(&format!("candidate-{n_windows}"));
        let window = |number: u32| {
            let mut score = score(Level::Clear, 1);
            score.window_end_secs = f64::from(number);
            (who.clone(), score)
        };
        step.scores = (0..n_windows).map(window).collect();
        store.commit(step).await.expect("commits");
        let rows = store.report_rows(&name, LIMITS).await.expect("reads");
        let line = rows.timelines.iter().find(|line| line.participant_id == who).expect("is there");
        let times: Vec<f64> = line.points.iter().map(|point| point.at_secs).collect();
        assert!(times.len() <= 10 && times.is_sorted(), "{n_windows}: {times:?}");
        assert_eq!((times.first(), times.last()), (Some(&0.0), Some(&f64::from(n_windows - 1))), "{times:?}");
        assert!(n_windows > 9 || times.len() == n_windows as usize, "{n_windows}: {times:?}");
    }
}

pub(super) async fn too_many_segments_leave_the_marked_and_the_worst(
    store: &(impl SessionStore + ReviewStore + ReportStore),
) {
    let name = create(store, "abcd-1").await;
    let mut step = commit("abcd-1", 0);
    step.segments = (1..=30)
        .map(|ordinal| {
            let mut segment = segment(ordinal, SegmentState::Closed);
            segment.level = if ordinal > 26 { Level::Alert } else { Level::Suspicious };
            segment
        })
        .collect();
    store.commit(step).await.expect("commits");
    let (by, note) = ("user:anna".to_owned(), String::new());
    let mark = Mark { ordinal: 20, verdict: MarkVerdict::Confirmed, note, by, time: time(7) };
    store.mark(&name, mark, said()).await.expect("marks");
    let rows = store.report_rows(&name, ReportLimits { segments: 7, ..LIMITS }).await.expect("reads");
    let ordinals: Vec<_> = rows.segments.iter().map(|segment| segment.ordinal).collect();
    assert_eq!((ordinals.as_slice(), rows.n_segments), (&[1, 2, 20, 27, 28, 29, 30][..], 30));
}

pub(super) async fn reports_see_their_own_tenants_session_alone(store: &(impl SessionStore + ReportStore)) {
    let name = create(store, "abcd-1").await;
    let theirs = SessionName { tenant: TenantId::new("other").expect("a good id"), id: name.id.clone() };
    for missing in [theirs, named("gone")] {
        let refused = |outcome: Result<(), StoreError>| outcome.expect_err("is refused").kind();
        assert_eq!(refused(store.require_session(&missing).await), ErrorKind::NotFound);
        assert_eq!(refused(store.report_rows(&missing, LIMITS).await.map(|_rows| ())), ErrorKind::NotFound);
    }
    let elsewhere = Event { tenant: "other".to_owned(), ..about("abcd-1", Action::SessionView) };
    store.append(elsewhere).await.expect("writes");
    assert_eq!(
        store.report_rows(&name, LIMITS).await.expect("reads").n_audit_rows,
        1,
        "another tenant's row is not ours"
    );
}
