//! What every store must do about stills and the keys of sessions, written once: [`stills_contract`] makes the tests.

use std::collections::HashSet;

use crate::error::{ErrorKind, Kinded};
use crate::keys::{DataKey, SealingKeys};
use crate::media::MediaTime;
use crate::service::ports::{
    DataKeyOwner, DataKeyStore, DataKeyTable, FileDigest, IdentityStore, ReviewStore, SessionCommit, SessionStore,
    StillRow, StillStore, StoreError,
};
use crate::session::{GapCause, SessionName, StillGap, StillSubject, TenantId};

use super::contract_identity::reference;
use super::samples::{commit, named, participant, record, said, tenant, time};

/// Makes the contract's tests; `$open` as in `store_contract`.
macro_rules! stills_contract {
    ($open:path) => {
        $crate::store::contract_stills::stills_contract!(@tests $open:
            the_first_key_of_a_session_is_kept_and_goes_with_it,
            keys_are_renewed_unless_they_were_meanwhile,
            keys_of_candidates_are_renewed_too,
            stills_are_stored_with_their_step_and_numbered,
            a_refused_step_stores_no_still,
            the_latest_cause_of_a_gap_counts,
            files_of_deleted_stills_are_remembered_until_they_are_removed,
            stills_expire_unless_their_session_is_held,
            the_database_has_one_id
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract_stills::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use stills_contract;

fn kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

/// Another tenant's session of the same id.
fn foreign(name: &SessionName) -> SessionName {
    SessionName { tenant: TenantId::new("other").expect("a good id"), id: name.id.clone() }
}

pub(super) fn still(number: u8, shows: StillSubject, kept_secs: i64) -> StillRow {
    StillRow {
        participant_id: participant("candidate"),
        shows,
        media_time: MediaTime::from_millis(i64::from(number) * 1_000),
        keep_time: time(kept_secs),
        key: vec![number; 73],
        facts: vec![number; 300],
        file: FileDigest([number; 32]),
        n_bytes: 4_096 + u64::from(number),
    }
}

fn gap(segment: u32, cause: GapCause) -> StillGap {
    StillGap { participant_id: participant("candidate"), shows: StillSubject::Segment(segment), cause }
}

/// A session with stills in one step.
async fn create(store: &impl SessionStore, session: &str, stills: Vec<StillRow>) -> SessionName {
    let name = store.create(record(session, 0), None, said()).await.expect("creates").name;
    store.commit(SessionCommit { stills, ..commit(session, 0) }).await.expect("commits");
    name
}

fn files(numbers: impl IntoIterator<Item = u8>) -> Vec<FileDigest> {
    numbers.into_iter().map(|number| FileDigest([number; 32])).collect()
}

pub(super) async fn the_first_key_of_a_session_is_kept_and_goes_with_it(store: &(impl SessionStore + DataKeyStore)) {
    let name = store.create(record("abcd-1", 0), None, said()).await.expect("creates").name;
    assert_eq!(store.data_key(&name).await.expect("reads"), None);
    let keys = SealingKeys::generate();
    let wrap = || keys.wrap(b"owner", &DataKey::generate()).expect("wraps");
    let (first, second) = (wrap(), wrap());
    assert_eq!(store.keep_data_key(&name, first.clone()).await.expect("keeps"), first);
    assert_eq!(store.keep_data_key(&name, second).await.expect("keeps the first"), first);
    assert_eq!(store.data_key(&name).await.expect("reads"), Some(first.clone()));
    assert_eq!(kind(store.data_key(&foreign(&name)).await), ErrorKind::NotFound);
    assert_eq!(kind(store.keep_data_key(&foreign(&name), wrap()).await), ErrorKind::NotFound);
    store.delete(&name, None, said()).await.expect("deletes");
    assert_eq!(kind(store.data_key(&name).await), ErrorKind::NotFound);
    store.create(record("abcd-1", 0), None, said()).await.expect("creates another of that name");
    assert_eq!(store.data_key(&name).await.expect("reads"), None, "the key is gone");
}

pub(super) async fn keys_are_renewed_unless_they_were_meanwhile(store: &(impl SessionStore + DataKeyStore)) {
    let keys = [SealingKeys::generate(), SealingKeys::generate()];
    let wrap = |keys: &SealingKeys| keys.wrap(b"owner", &DataKey::generate()).expect("wraps");
    for number in 0..5 {
        let name = store.create(record(&format!("abcd-{number}"), 0), None, said()).await.expect("creates").name;
        store.keep_data_key(&name, wrap(&keys[usize::from(number == 4)])).await.expect("keeps");
    }
    let newest = keys[1].key_id();
    let page = store.data_keys_not_of(DataKeyTable::Sessions, &newest, 0, 3).await.expect("lists");
    let owners = [0, 1, 2].map(|number| DataKeyOwner::Session(named(&format!("abcd-{number}"))));
    assert_eq!(page.iter().map(|stored| stored.owner.clone()).collect::<Vec<_>>(), owners);
    assert_eq!(store.data_keys_not_of(DataKeyTable::Candidates, &newest, 0, 3).await.expect("lists"), []);
    let rest = store.data_keys_not_of(DataKeyTable::Sessions, &newest, page[2].row, 3).await.expect("lists");
    assert_eq!(rest.len(), 1);
    let mut renewed: Vec<_> = page.iter().map(|stored| (stored.row, stored.key.clone(), wrap(&keys[1]))).collect();
    renewed[1].1 = wrap(&keys[0]);
    assert_eq!(
        store.renew_data_keys(DataKeyTable::Sessions, renewed.clone()).await.expect("renews"),
        2,
        "one is not what stood there"
    );
    assert_eq!(store.data_key(&named("abcd-0")).await.expect("reads"), Some(renewed[0].2.clone()));
    assert_eq!(store.data_key(&named("abcd-1")).await.expect("reads"), Some(page[1].key.clone()));
    let counts = store.count_data_keys().await.expect("counts");
    let of = |key: &SealingKeys| counts.iter().find(|(id, _)| *id == key.key_id()).map(|(_, count)| *count);
    assert_eq!((of(&keys[0]), of(&keys[1])), (Some(2), Some(3)));
}

pub(super) async fn keys_of_candidates_are_renewed_too(store: &(impl IdentityStore + DataKeyStore)) {
    let added = reference("ats-1", 1);
    let (candidate, old) = (added.record.name.candidate.clone(), added.wrapped.clone());
    store.add_reference(&tenant(), added, said()).await.expect("adds");
    let keys = SealingKeys::generate();
    let page = store.data_keys_not_of(DataKeyTable::Candidates, &keys.key_id(), 0, 9).await.expect("lists");
    assert_eq!(page[0].owner, DataKeyOwner::Candidate(tenant(), candidate.clone()));
    assert_eq!((page.len(), &page[0].key), (1, &old));
    let new = keys.wrap(b"owner", &DataKey::generate()).expect("wraps");
    let renewed = vec![(page[0].row, old, new.clone())];
    assert_eq!(store.renew_data_keys(DataKeyTable::Candidates, renewed).await.expect("renews"), 1);
    assert_eq!(store.candidate_key(&tenant(), &candidate).await.expect("reads"), Some(new));
    assert_eq!(store.count_data_keys().await.expect("counts"), [(keys.key_id(), 1)]);
}

pub(super) async fn stills_are_stored_with_their_step_and_numbered(store: &impl StillStore) {
    let (enrolment, of_segment) = (still(1, StillSubject::Enrolment, 1), still(2, StillSubject::Segment(7), 2));
    let name = create(store, "abcd-1", vec![enrolment.clone(), of_segment.clone()]).await;
    // A step of nothing but a still.
    let late = still(3, StillSubject::Segment(7), 3);
    let alone =
        SessionCommit { journal: Vec::new(), scores: Vec::new(), stills: vec![late.clone()], ..commit("abcd-1", 1) };
    store.commit(alone.clone()).await.expect("commits");
    store.commit(alone).await.expect("whose answer was lost");
    let found = store.stills(&name).await.expect("reads");
    assert_eq!(found.iter().map(|still| still.ordinal).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(found.into_iter().map(|still| still.row).collect::<Vec<_>>(), [enrolment, of_segment, late]);
    assert_eq!(kind(store.stills(&foreign(&name)).await), ErrorKind::NotFound);
    let named = store.named(&files([1, 3, 9])).await.expect("looks");
    assert_eq!(named, HashSet::from_iter(files([1, 3])));
    assert_eq!(store.named(&[]).await.expect("looks").len(), 0);
}

pub(super) async fn a_refused_step_stores_no_still(store: &impl StillStore) {
    let name = create(store, "abcd-1", Vec::new()).await;
    let stale = SessionCommit { stills: vec![still(1, StillSubject::Enrolment, 1)], ..commit("abcd-1", 0) };
    assert_eq!(kind(store.commit(stale).await), ErrorKind::FailedPrecondition);
    let missing = SessionCommit { stills: vec![still(2, StillSubject::Enrolment, 1)], ..commit("gone", 0) };
    assert_eq!(kind(store.commit(missing).await), ErrorKind::NotFound);
    assert_eq!(store.stills(&name).await.expect("reads"), []);
    assert_eq!(store.named(&files([1, 2])).await.expect("looks").len(), 0);
}

pub(super) async fn the_latest_cause_of_a_gap_counts(store: &impl StillStore) {
    let name = create(store, "abcd-1", Vec::new()).await;
    let step = |len, gaps| SessionCommit { still_gaps: gaps, ..commit("abcd-1", len) };
    store.commit(step(1, vec![gap(1, GapCause::NoPicture), gap(2, GapCause::Full)])).await.expect("commits");
    store.commit(step(2, vec![gap(1, GapCause::NotKept)])).await.expect("commits");
    let expected = [gap(1, GapCause::NotKept), gap(2, GapCause::Full)];
    assert_eq!(store.still_gaps(&name).await.expect("reads"), expected);
    assert_eq!(kind(store.still_gaps(&foreign(&name)).await), ErrorKind::NotFound);
}

pub(super) async fn files_of_deleted_stills_are_remembered_until_they_are_removed(store: &impl StillStore) {
    let name = create(store, "abcd-1", (1..=5).map(|number| still(number, StillSubject::Enrolment, 1)).collect()).await;
    create(store, "abcd-2", vec![still(9, StillSubject::Enrolment, 1)]).await;
    assert_eq!(store.erased(10).await.expect("lists"), []);
    store.delete(&name, None, said()).await.expect("deletes");
    assert_eq!(store.named(&files(1..=9)).await.expect("looks"), HashSet::from_iter(files([9])));
    assert_eq!(store.erased(3).await.expect("lists"), files(1..=3), "in portions");
    store.forget_erased(files(1..=3)).await.expect("forgets");
    assert_eq!(store.erased(10).await.expect("lists"), files(4..=5));
    store.forget_erased(files(1..=9)).await.expect("forgets");
    assert_eq!(store.erased(10).await.expect("lists"), []);
}

pub(super) async fn stills_expire_unless_their_session_is_held(store: &(impl StillStore + ReviewStore)) {
    let (old, new) = (still(1, StillSubject::Segment(1), 10), still(2, StillSubject::Segment(2), 20));
    let name = create(store, "abcd-1", vec![old.clone(), new.clone()]).await;
    let held = create(store, "abcd-2", vec![still(3, StillSubject::Enrolment, 10)]).await;
    store.hold(&held, true, said()).await.expect("holds");
    assert_eq!(store.expire_stills(time(10), time(99), 10).await.expect("sweeps"), 0, "at the moment itself");
    assert_eq!(store.expire_stills(time(11), time(99), 10).await.expect("sweeps"), 1);
    let left = store.stills(&name).await.expect("reads");
    assert_eq!(left.iter().map(|still| (still.ordinal, &still.row)).collect::<Vec<_>>(), [(2, &new)]);
    assert_eq!(store.still_gaps(&name).await.expect("reads"), [gap(1, GapCause::Expired)]);
    assert_eq!(store.erased(10).await.expect("lists"), files([1]));
    assert_eq!(store.stills(&held).await.expect("reads").len(), 1);
    store.hold(&held, false, said()).await.expect("lets go");
    assert_eq!(store.expire_stills(time(21), time(99), 1).await.expect("sweeps"), 1, "in portions");
    assert_eq!(store.expire_stills(time(21), time(99), 1).await.expect("sweeps"), 1);
    assert_eq!(store.expire_stills(time(21), time(99), 1).await.expect("sweeps"), 0);
    store.get(&name).await.expect("the session stays");
}

pub(super) async fn the_database_has_one_id(store: &impl StillStore) {
    let id = store.database_id().await.expect("makes");
    assert_eq!(id.len(), 32);
    assert_eq!(store.database_id().await.expect("keeps"), id);
}
