//! What every store must do about faces, written once: [`identity_contract`] makes the tests.

use crate::audit::{Action, Actor, Event};
use crate::error::{ErrorKind, Kinded};
use crate::identity::{ModelDigest, TemplateKey};
use crate::keys::WrappedKey;
use crate::service::ports::{
    DataKeyStore, FaceName, IdentityStore, MatchFilter, MatchVerdict, NewProposal, NewReferenceRow, NewTemplate,
    PageRequest, Pair, Proposal, ReferenceId, ReferenceName, ReferencePurpose, ReferenceRecord, ReviewStore,
    SessionRecord, SessionStore, StoreError, TemplateKind, TemplateState, VerdictRecord,
};
use crate::session::{CandidateId, SessionName, TenantId};

use super::samples::{commit, named, participant, record, said, tenant, time};

/// Makes the contract's tests; `$open` as in `store_contract`.
macro_rules! identity_contract {
    ($open:path) => {
        $crate::store::contract_identity::identity_contract!(@tests $open:
            session_templates_are_read_back_and_replaced,
            finished_sessions_without_templates_are_found,
            changes_of_templates_are_counted_and_told,
            references_have_a_key_of_their_candidate,
            candidates_are_those_of_sessions_and_of_references,
            a_persons_word_outlives_proposals_and_templates,
            pairs_of_places_are_kept_beside_those_of_faces,
            matches_are_listed_by_what_they_are_about,
            the_watch_list_goes_with_its_faces,
            templates_and_references_expire_unless_held,
            faces_of_other_tenants_do_not_exist
        );
    };
    (@tests $open:path: $($name:ident),+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some((store, _keep)) = $open().await {
                    $crate::store::contract_identity::$name(&*store).await;
                }
            }
        )+
    };
}
pub(super) use identity_contract;

const MODEL: ModelDigest = ModelDigest::new([7; 32]);

pub(super) trait Store: SessionStore + DataKeyStore + IdentityStore + ReviewStore {}
impl<S: SessionStore + DataKeyStore + IdentityStore + ReviewStore> Store for S {}

fn kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

fn candidate(id: &str) -> CandidateId {
    CandidateId::new(id).expect("a good id")
}

fn event() -> Event {
    Event::done(time(5), "default", Actor::system("test"), Action::IdentityEnroll, "sessions/abcd-1".to_owned())
}

fn template(person: u32, sealed: &[u8]) -> NewTemplate {
    NewTemplate {
        participant: participant("candidate"),
        person,
        kind: TemplateKind::Face,
        model: MODEL,
        expire_time: None,
        sealed: sealed.to_vec(),
    }
}

fn face(session: &str, person: u32) -> FaceName {
    FaceName::Session { session: named(session).id, participant: participant("candidate"), person }
}

fn page(size: u32) -> PageRequest {
    PageRequest { size, token: None }
}

fn wrapped(byte: u8) -> WrappedKey {
    WrappedKey { key_id: "0011223344556677".to_owned(), bytes: vec![byte; 8] }
}

pub(super) fn reference(candidate_name: &str, number: u8) -> NewReferenceRow {
    let id = ReferenceId::new(&format!("r-0011223344556677889900{number:02x}")).expect("a good id");
    NewReferenceRow {
        record: ReferenceRecord {
            name: ReferenceName { candidate: candidate(candidate_name), id },
            purpose: ReferencePurpose::Applied,
            source_session: None,
            consent_reference: "consent/1".to_owned(),
            create_time: time(i64::from(number)),
            created_by: "user:anna".to_owned(),
            expire_time: None,
        },
        display_name: String::new(),
        wrapped: wrapped(1),
        model: MODEL,
        sealed: vec![number; 4],
    }
}

/// A finished session with one template.
async fn finished(store: &impl Store, session: &str, ended_secs: i64) -> SessionName {
    let name = store.create(record(session, ended_secs), None, said()).await.expect("creates").name;
    let mut step = commit(session, 0);
    step.end_time = Some(time(ended_secs));
    store.commit(step).await.expect("commits");
    name
}

async fn with_template(store: &impl Store, session: &str, ended_secs: i64) -> SessionName {
    let name = finished(store, session, ended_secs).await;
    let templates = vec![template(0, session.as_bytes())];
    store.keep_session_templates(&name, TemplateState::Kept, templates, event()).await.expect("keeps");
    name
}

async fn all_templates(store: &impl Store) -> Vec<(TemplateKey, FaceName)> {
    let found = store.templates(&tenant(), TemplateKind::Face, TemplateKey(0), 100).await.expect("reads");
    found.into_iter().map(|template| (template.key, template.face)).collect()
}

pub(super) async fn session_templates_are_read_back_and_replaced(store: &impl Store) {
    let name = finished(store, "abcd-1", 1).await;
    let of_session = async || store.session_templates(&name, TemplateKind::Face).await.expect("reads");
    assert_eq!(of_session().await, (TemplateState::Pending, vec![]));
    let key = store.keep_data_key(&name, wrapped(9)).await.expect("keeps");
    let templates = vec![template(1, b"other"), template(0, b"first")];
    store.keep_session_templates(&name, TemplateState::Kept, templates, event()).await.expect("keeps");
    let (state, before) = of_session().await;
    assert_eq!(state, TemplateState::Kept);
    let sealed: Vec<_> = before.iter().map(|stored| (stored.face.clone(), stored.sealed.as_slice())).collect();
    assert_eq!(sealed, [(face("abcd-1", 0), &b"first"[..]), (face("abcd-1", 1), b"other")]);
    assert!(before.iter().all(|stored| stored.wrapped.as_ref() == Some(&key) && stored.model == MODEL));
    store
        .keep_session_templates(&name, TemplateState::Kept, vec![template(0, b"again")], event())
        .await
        .expect("replaces");
    let (_, after) = of_session().await;
    assert_eq!((after[0].key, after[0].sealed.as_slice()), (before[0].key, &b"again"[..]), "the key stays");
    assert_eq!(after[1], before[1]);
    assert_eq!(store.session_templates(&name, TemplateKind::Scene).await.expect("reads").1, vec![]);
    let gone = store.keep_session_templates(&named("gone"), TemplateState::NoFace, vec![], event()).await;
    assert_eq!(kind(gone), ErrorKind::NotFound);
    assert_eq!(kind(store.session_templates(&named("gone"), TemplateKind::Face).await), ErrorKind::NotFound);
    store.delete(&name, None, said()).await.expect("deletes");
    assert_eq!(all_templates(store).await, []);
}

pub(super) async fn finished_sessions_without_templates_are_found(store: &impl Store) {
    store.create(record("open-1", 0), None, said()).await.expect("creates");
    for (number, ended_secs) in [30, 10, 20].into_iter().enumerate() {
        finished(store, &format!("abcd-{number}"), ended_secs).await;
    }
    let found = async |since, limit| -> Vec<SessionName> {
        let all = store.sessions_without_templates(None, time(since), limit).await.expect("reads");
        let ours = store.sessions_without_templates(Some(&tenant()), time(since), limit).await.expect("reads");
        assert_eq!(all, ours);
        all
    };
    assert_eq!(found(0, 10).await, [named("abcd-1"), named("abcd-2"), named("abcd-0")]);
    assert_eq!(found(15, 1).await, [named("abcd-2")]);
    let states = [TemplateState::NoConsent, TemplateState::NoFace, TemplateState::Kept];
    for (number, state) in states.into_iter().enumerate() {
        let name = named(&format!("abcd-{number}"));
        store.keep_session_templates(&name, state, vec![], event()).await.expect("keeps");
        assert_eq!(store.session_templates(&name, TemplateKind::Face).await.expect("reads").0, state);
    }
    assert_eq!(found(0, 10).await, []);
    let other = TenantId::new("other").expect("a good id");
    assert_eq!(store.sessions_without_templates(Some(&other), time(0), 10).await.expect("reads"), []);
}

pub(super) async fn changes_of_templates_are_counted_and_told(store: &impl Store) {
    let counted = async || store.n_template_changes(&tenant()).await.expect("counts");
    let changes =
        async |since, limit| store.template_changes(&tenant(), TemplateKind::Face, since, limit).await.expect("reads");
    assert_eq!(counted().await, 0);
    with_template(store, "abcd-1", 1).await;
    with_template(store, "abcd-2", 2).await;
    store.add_reference(&tenant(), reference("ats-1", 1), event()).await.expect("adds");
    assert_eq!(counted().await, 3);
    let before = all_templates(store).await;
    store
        .keep_session_templates(&named("abcd-1"), TemplateState::Kept, vec![template(0, b"new")], event())
        .await
        .expect("replaces");
    store.delete(&named("abcd-2"), None, said()).await.expect("deletes");
    let told = changes(3, 10).await;
    assert_eq!(told.n_changes, 5);
    let told: Vec<_> =
        told.changed.expect("few").into_iter().map(|(key, stored)| (key, stored.map(|stored| stored.sealed))).collect();
    assert_eq!(told, [(before[0].0, Some(b"new".to_vec())), (before[1].0, None)]);
    store.delete_reference(&tenant(), &reference("ats-1", 1).record.name, event()).await.expect("deletes");
    let told = changes(5, 10).await.changed.expect("few");
    assert_eq!(told, [(before[2].0, None)]);
    assert_eq!(changes(6, 10).await.changed, Some(vec![]));
    assert_eq!(changes(0, 5).await.changed, None, "more than asked for");
    assert_eq!(changes(7, 10).await.changed, None, "of another database");
    let other = TenantId::new("other").expect("a good id");
    assert_eq!(store.n_template_changes(&other).await.expect("counts"), 0);
}

pub(super) async fn references_have_a_key_of_their_candidate(store: &impl Store) {
    let id = candidate("ats-1");
    let key = async || store.candidate_key(&tenant(), &id).await.expect("reads");
    assert_eq!(key().await, None);
    let mut first = reference("ats-1", 1);
    first.display_name = "Anna \u{1f600}".to_owned();
    first.record.source_session = Some(named("abcd-1").id);
    first.record.expire_time = Some(time(900));
    let expected = first.record.clone();
    store.add_reference(&tenant(), first, event()).await.expect("adds");
    assert_eq!(key().await, Some(wrapped(1)));
    let other_key = NewReferenceRow { wrapped: wrapped(2), ..reference("ats-1", 2) };
    let refused = store.add_reference(&tenant(), other_key, event()).await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    store.add_reference(&tenant(), reference("ats-1", 2), event()).await.expect("adds");
    let (record, references) = store.candidate(&tenant(), &id).await.expect("reads");
    assert_eq!((record.display_name.as_str(), record.n_references, record.n_sessions), ("Anna \u{1f600}", 2, 0));
    assert_eq!(references, [expected.clone(), reference("ats-1", 2).record]);
    let stored = store.reference_template(&tenant(), &expected.name).await.expect("reads");
    assert_eq!((stored.sealed, stored.wrapped), (vec![1; 4], Some(wrapped(1))));
    assert_eq!(stored.face, FaceName::Reference(expected.name.clone()));
    store.delete_reference(&tenant(), &expected.name, event()).await.expect("deletes");
    assert_eq!(kind(store.reference_template(&tenant(), &expected.name).await), ErrorKind::NotFound);
    assert_eq!(kind(store.delete_reference(&tenant(), &expected.name, event()).await), ErrorKind::NotFound);
    assert_eq!(key().await, Some(wrapped(1)), "the other reference needs it");
    store.delete_reference(&tenant(), &reference("ats-1", 2).record.name, event()).await.expect("deletes");
    assert_eq!(key().await, None, "the last reference takes the key along");
    assert_eq!(kind(store.candidate(&tenant(), &id).await), ErrorKind::NotFound);
}

pub(super) async fn candidates_are_those_of_sessions_and_of_references(store: &impl Store) {
    for number in 0..5 {
        let id = Some(candidate(&format!("c-{}", number % 3)));
        let session = SessionRecord { candidate: id, ..record(&format!("abcd-{number}"), number) };
        store.create(session, None, said()).await.expect("creates");
    }
    store.create(SessionRecord { candidate: None, ..record("nobody", 9) }, None, said()).await.expect("creates");
    for (number, id) in [(1, "c-1"), (2, "c-5"), (3, "b-9")] {
        store.add_reference(&tenant(), reference(id, number), event()).await.expect("adds");
    }
    let expected = [("b-9", 0, 1), ("c-0", 2, 0), ("c-1", 2, 1), ("c-2", 1, 0), ("c-5", 0, 1)];
    for size in [1, 2, 5, 1_000] {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let listed = store.candidates(&tenant(), &PageRequest { size, token }).await.expect("lists");
            found.extend(listed.items.iter().map(|one| (one.id.as_str().to_owned(), one.n_sessions, one.n_references)));
            token = listed.next_page_token;
            if token.is_none() {
                break;
            }
        }
        let found: Vec<_> =
            found.iter().map(|(id, sessions, references)| (id.as_str(), *sessions, *references)).collect();
        assert_eq!(found, expected, "{size}");
    }
    let (one, _) = store.candidate(&tenant(), &candidate("c-1")).await.expect("reads");
    assert_eq!(one.last_session_time, Some(time(4)));
    let wrong = PageRequest { size: 1, token: Some("nonsense".to_owned()) };
    assert!(matches!(store.candidates(&tenant(), &wrong).await, Err(StoreError::BadPageToken)));
    assert_eq!(store.candidates(&tenant(), &page(0)).await.expect("lists").items.len(), 1);
}

fn word(verdict: MatchVerdict) -> VerdictRecord {
    VerdictRecord { verdict, note: "seen\nagain".to_owned(), by: "user:anna".to_owned(), time: time(8) }
}

fn proposed(first: FaceName, second: FaceName) -> NewProposal {
    NewProposal { first, second, reason: Proposal::OtherCandidate, similarity: 0.625, llr: 4.25 }
}

pub(super) async fn a_persons_word_outlives_proposals_and_templates(store: &impl Store) {
    let first = with_template(store, "abcd-1", 1).await;
    with_template(store, "abcd-2", 2).await;
    let pair = || (face("abcd-1", 0), face("abcd-2", 0));
    let offered = vec![
        proposed(pair().0, pair().1),
        proposed(pair().1, pair().0),
        proposed(pair().0, pair().0),
        proposed(pair().0, face("abcd-1", 7)),
    ];
    assert_eq!(store.propose(&tenant(), offered, time(6)).await.expect("proposes"), 1, "each pair once, of two faces");
    let of = async |name: &FaceName| store.matches_of(&tenant(), name).await.expect("reads");
    let found = of(&pair().1).await;
    let proposal = found[0].proposal.clone().expect("is one");
    assert_eq!((proposal.similarity, proposal.llr, proposal.time), (0.625, 4.25, time(6)));
    assert_eq!((proposal.reason, &found[0].verdict), (Proposal::OtherCandidate, &None));
    assert_eq!(found[0].first.candidate, Some(candidate("ats-4711")));
    let told = |(first, second): &(FaceName, FaceName), object: &str, verdict: MatchVerdict| {
        let event = Event { action: Action::IdentityConfirm, object: object.to_owned(), ..event() };
        event.with("verdict", verdict.as_str()).with("faces", format!("{first} {second}"))
    };
    let turned = (pair().1, pair().0);
    let event_of_it = told(&turned, "sessions/abcd-2", MatchVerdict::Same);
    store
        .decide_match(&tenant(), Pair::of(TemplateKind::Face, turned), word(MatchVerdict::Same), event_of_it)
        .await
        .expect("decides");
    assert_eq!(of(&pair().0).await[0].verdict, Some(word(MatchVerdict::Same)));
    let again = store.propose(&tenant(), vec![proposed(pair().0, pair().1)], time(9)).await.expect("proposes");
    assert_eq!((again, of(&pair().0).await[0].verdict.clone()), (0, Some(word(MatchVerdict::Same))));
    let event_of_it = told(&pair(), "sessions/abcd-1", MatchVerdict::Different);
    store
        .decide_match(&tenant(), Pair::of(TemplateKind::Face, pair()), word(MatchVerdict::Different), event_of_it)
        .await
        .expect("changes their mind");
    let history =
        store.verdict_history(&tenant(), Pair::of(TemplateKind::Face, (&pair().0, &pair().1))).await.expect("reads");
    let words: Vec<_> = history.iter().map(|word| (word.verdict, word.by.as_str(), word.time)).collect();
    let [last, first_word] =
        [MatchVerdict::Different, MatchVerdict::Same].map(|verdict| (verdict, "system:test", time(5)));
    assert_eq!(words, [last, first_word], "newest first, whichever was named first");
    let others = store
        .verdict_history(&tenant(), Pair::of(TemplateKind::Face, (&pair().0, &face("abcd-1", 7))))
        .await
        .expect("reads");
    assert_eq!(others, [], "of these two alone");
    let (first_face, second_face) = pair();
    let of_places = Pair::of(TemplateKind::Scene, (&first_face, &second_face));
    assert_eq!(store.verdict_history(&tenant(), of_places).await.expect("reads"), [], "of the faces alone");
    assert_eq!(store.n_templates(&tenant(), TemplateKind::Face).await.expect("counts"), 2);
    assert_eq!(of(&pair().0).await.len(), 1);
    assert_eq!(of(&pair().0).await[0].proposal, Some(proposal), "what the machine said stands beside it");
    let missing = store
        .decide_match(
            &tenant(),
            Pair::of(TemplateKind::Face, (pair().0, face("gone-1", 0))),
            word(MatchVerdict::Same),
            event(),
        )
        .await;
    assert!(matches!(missing, Err(StoreError::NoSuch { .. })), "{missing:?}");
    store.delete(&first, None, said()).await.expect("deletes");
    assert_eq!(of(&pair().1).await, [], "a pair goes with either of its faces");
}

pub(super) async fn pairs_of_places_are_kept_beside_those_of_faces(store: &impl Store) {
    with_template(store, "abcd-1", 1).await;
    with_template(store, "abcd-2", 2).await;
    let pair = || (face("abcd-1", 0), face("abcd-2", 0));
    let proposal = |reason| NewProposal { reason, ..proposed(pair().0, pair().1) };
    let both = vec![proposal(Proposal::OtherCandidate), proposal(Proposal::SameScene)];
    assert_eq!(store.propose(&tenant(), both.clone(), time(9)).await.expect("keeps"), 2);
    assert_eq!(store.propose(&tenant(), both, time(10)).await.expect("keeps"), 0, "once each");
    store
        .decide_match(&tenant(), Pair::of(TemplateKind::Scene, pair()), word(MatchVerdict::Same), event())
        .await
        .expect("decides");
    let found = store.matches_of(&tenant(), &pair().0).await.expect("reads");
    let mut told: Vec<_> = found.iter().map(|pair| (pair.kind, pair.verdict.is_some())).collect();
    told.sort();
    assert_eq!(told, [(TemplateKind::Face, false), (TemplateKind::Scene, true)]);
    let open = store.matches(&tenant(), &MatchFilter::Open, &page(5)).await.expect("lists").items;
    assert_eq!(open.iter().map(|pair| pair.kind).collect::<Vec<_>>(), [TemplateKind::Face]);
}

pub(super) async fn matches_are_listed_by_what_they_are_about(store: &impl Store) {
    for number in 0..4 {
        with_template(store, &format!("abcd-{number}"), number).await;
    }
    store.add_reference(&tenant(), reference("c-9", 1), event()).await.expect("adds");
    let of_reference = FaceName::Reference(reference("c-9", 1).record.name);
    let offered = (1..4).map(|number| proposed(face("abcd-0", 0), face(&format!("abcd-{number}"), 0))).collect();
    store.propose(&tenant(), offered, time(6)).await.expect("proposes");
    let pair = (face("abcd-3", 0), of_reference);
    store
        .decide_match(&tenant(), Pair::of(TemplateKind::Face, pair), word(MatchVerdict::Same), event())
        .await
        .expect("decides");
    let count = async |filter: MatchFilter| {
        let mut found = Vec::new();
        let mut request = page(2);
        loop {
            let listed = store.matches(&tenant(), &filter, &request).await.expect("lists");
            found.extend(listed.items);
            request.token = listed.next_page_token;
            if request.token.is_none() {
                return found.len();
            }
        }
    };
    assert_eq!(count(MatchFilter::All).await, 4);
    assert_eq!(count(MatchFilter::Open).await, 3);
    assert_eq!(count(MatchFilter::OfSession(named("abcd-0").id)).await, 3);
    assert_eq!(count(MatchFilter::OfSession(named("abcd-3").id)).await, 2);
    assert_eq!(count(MatchFilter::OfCandidate(candidate("c-9"))).await, 1);
    assert_eq!(count(MatchFilter::OfCandidate(candidate("ats-4711"))).await, 4);
    let missing = store.matches(&tenant(), &MatchFilter::OfSession(named("gone-1").id), &page(5)).await;
    assert_eq!(kind(missing), ErrorKind::NotFound);
    let missing = store.matches(&tenant(), &MatchFilter::OfCandidate(candidate("gone")), &page(5)).await;
    assert_eq!(kind(missing), ErrorKind::NotFound);
    let token = store.matches(&tenant(), &MatchFilter::All, &page(1)).await.expect("lists").next_page_token;
    let of_another = store.matches(&tenant(), &MatchFilter::Open, &PageRequest { size: 1, token }).await;
    assert!(matches!(of_another, Err(StoreError::BadPageToken)));
}

pub(super) async fn the_watch_list_goes_with_its_faces(store: &impl Store) {
    for number in 0..3 {
        let name = with_template(store, &format!("abcd-{number}"), number).await;
        let watched = face(&format!("abcd-{number}"), 0);
        store.watch(&tenant(), &watched, format!("note {number}"), event()).await.expect("watches");
        store.watch(&tenant(), &watched, format!("note {name}"), event()).await.expect("changes the note");
    }
    let listed = store.watched(&tenant(), &page(2)).await.expect("lists");
    let notes: Vec<_> = listed.items.iter().map(|item| (item.note.as_str(), item.face.is_watched)).collect();
    assert_eq!(notes, [("note abcd-2", true), ("note abcd-1", true)]);
    let rest = PageRequest { size: 2, token: listed.next_page_token };
    assert_eq!(store.watched(&tenant(), &rest).await.expect("lists").items[0].face.face, face("abcd-0", 0));
    store.unwatch(&tenant(), &face("abcd-2", 0), event()).await.expect("takes off");
    assert_eq!(kind(store.unwatch(&tenant(), &face("abcd-2", 0), event()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.watch(&tenant(), &face("gone-1", 0), String::new(), event()).await), ErrorKind::NotFound);
    store.delete(&named("abcd-1"), None, said()).await.expect("deletes");
    let left = store.watched(&tenant(), &page(9)).await.expect("lists").items;
    assert_eq!(left.into_iter().map(|item| item.face.face).collect::<Vec<_>>(), [face("abcd-0", 0)]);
}

pub(super) async fn templates_and_references_expire_unless_held(store: &impl Store) {
    for (number, expire_secs) in [10, 20, 30].into_iter().enumerate() {
        let name = finished(store, &format!("abcd-{number}"), 1).await;
        let expiring = NewTemplate { expire_time: Some(time(expire_secs)), ..template(0, b"sealed") };
        store.keep_session_templates(&name, TemplateState::Kept, vec![expiring], event()).await.expect("keeps");
    }
    store.hold(&named("abcd-1"), true, said()).await.expect("holds");
    let mut old = reference("c-9", 1);
    old.record.expire_time = Some(time(15));
    store.add_reference(&tenant(), old, event()).await.expect("adds");
    assert_eq!(store.delete_expired_templates(time(5), 10).await.expect("sweeps"), 0);
    let watched = face("abcd-0", 0);
    store.watch(&tenant(), &watched, String::new(), event()).await.expect("watches");
    assert_eq!(store.delete_expired_templates(time(25), 10).await.expect("sweeps"), 2, "a template and a reference");
    let left: Vec<_> = all_templates(store).await.into_iter().map(|(_, face)| face).collect();
    assert_eq!(left, [face("abcd-1", 0), face("abcd-2", 0)]);
    let (state, _) = store.session_templates(&named("abcd-0"), TemplateKind::Face).await.expect("reads");
    assert_eq!(state, TemplateState::Expired);
    assert_eq!(store.watched(&tenant(), &page(9)).await.expect("lists").items.len(), 1, "what people said stays");
    assert_eq!(store.candidate_key(&tenant(), &candidate("c-9")).await.expect("reads"), None);
    store.hold(&named("abcd-1"), false, said()).await.expect("lets go");
    assert_eq!(store.delete_expired_templates(time(25), 10).await.expect("sweeps"), 1);
}

pub(super) async fn faces_of_other_tenants_do_not_exist(store: &impl Store) {
    let name = with_template(store, "abcd-1", 1).await;
    store.add_reference(&tenant(), reference("c-9", 1), event()).await.expect("adds");
    let other = TenantId::new("other").expect("a good id");
    let theirs = SessionName { tenant: other.clone(), id: name.id.clone() };
    let ours = face("abcd-1", 0);
    let of_reference = reference("c-9", 1).record.name;
    assert_eq!(kind(store.session_templates(&theirs, TemplateKind::Face).await), ErrorKind::NotFound);
    assert_eq!(
        kind(store.keep_session_templates(&theirs, TemplateState::Kept, vec![], event()).await),
        ErrorKind::NotFound
    );
    assert_eq!(kind(store.reference_template(&other, &of_reference).await), ErrorKind::NotFound);
    assert_eq!(kind(store.delete_reference(&other, &of_reference, event()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.candidate(&other, &candidate("c-9")).await), ErrorKind::NotFound);
    assert_eq!(store.candidate_key(&other, &candidate("c-9")).await.expect("reads"), None);
    assert_eq!(store.candidates(&other, &page(9)).await.expect("lists").items, []);
    assert_eq!(store.templates(&other, TemplateKind::Face, TemplateKey(0), 9).await.expect("reads"), []);
    let keys: Vec<_> = all_templates(store).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!((keys.len(), store.faces(&other, &keys).await.expect("reads")), (2, vec![]));
    assert_eq!(store.faces(&tenant(), &keys).await.expect("reads").len(), 2);
    assert_eq!(store.faces(&tenant(), &[]).await.expect("reads"), []);
    assert_eq!(kind(store.watch(&other, &ours, String::new(), event()).await), ErrorKind::NotFound);
    assert_eq!(kind(store.unwatch(&other, &ours, event()).await), ErrorKind::NotFound);
    assert_eq!(store.watched(&other, &page(9)).await.expect("lists").items, []);
    let pair = (ours.clone(), FaceName::Reference(of_reference));
    assert_eq!(
        kind(
            store
                .decide_match(&other, Pair::of(TemplateKind::Face, pair.clone()), word(MatchVerdict::Same), event())
                .await
        ),
        ErrorKind::NotFound
    );
    assert_eq!(store.propose(&other, vec![proposed(pair.0, pair.1)], time(6)).await.expect("proposes"), 0);
    assert_eq!(store.matches(&other, &MatchFilter::All, &page(9)).await.expect("lists").items, []);
    assert_eq!(store.matches_of(&other, &ours).await.expect("reads"), []);
    let of_session = store.matches(&other, &MatchFilter::OfSession(name.id), &page(9)).await;
    assert_eq!(kind(of_session), ErrorKind::NotFound);
}
