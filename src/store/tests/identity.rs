//! Templates on disk: sealed, gone when they are deleted, and named when they were tampered with.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::file::connect;
use super::{open, options};
use crate::audit::Actor;
use crate::error::{ErrorKind, Kinded as _};
use crate::identity::{ScenePolicy, SearchPolicy};
use crate::keys::SealingKeys;
use crate::media::MediaTime;
use crate::scoring::Policy;
use crate::service::ports::{
    Clock, DataKeyStore as _, IdentityStore as _, SessionCommit, SessionRecord, SessionStore, TemplateKind,
};
use crate::service::{Caller, Identities, IdentityOptions, IdentityParts, Permission, SearchRequest, Subject};
use crate::session::{JournalEntry, SourceKind, TenantId, Track};
use crate::signals::FaceSearch;
use crate::signals::testing::{face, frame_at};
use crate::store::SqlStore;
use crate::store::samples::{commit, named, participant, record, said, time, track};
use crate::vision::Embedding;
use crate::vision::scene::testing::scene;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        time(100)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(100)
    }
}

fn ledger(store: &Arc<SqlStore>, sealing: &Arc<SealingKeys>) -> Identities {
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions: Arc::clone(store) as _,
        data_keys: Arc::clone(store) as _,
        sealing: Arc::clone(sealing),
        clock: Arc::new(FixedClock),
        policy: Arc::new(Policy::shipped()),
        search: SearchPolicy::shipped(),
        scenes: ScenePolicy::shipped(),
    };
    let options = IdentityOptions { enabled: true, ..IdentityOptions::default() };
    Identities::new(parts, options, None).expect("the shipped calibration")
}

fn investigator() -> Caller {
    Caller { tenant: TenantId::default(), actor: Actor::system("test"), permissions: [Permission::Identity].into() }
}

fn request(session: &str) -> SearchRequest {
    SearchRequest { subject: Subject::session(named(session).id), max_false_matches: None, max_hits: 50 }
}

/// A finished session of one made-up person, with a template.
async fn with_template(store: &Arc<SqlStore>, session: &str) {
    let name = store
        .create(SessionRecord { candidate: None, ..record(session, 0) }, None, said())
        .await
        .expect("creates")
        .name;
    let mut raw = vec![0.01_f32; 512];
    raw[7] = 1.0;
    let camera = Track {
        track_id: track("camera"),
        participant_id: participant("candidate"),
        kind: SourceKind::Camera,
        device: None,
    };
    let frames = (0_u32..10).map(|number| {
        let mut face = face();
        face.embedding = Embedding::from_raw(&raw);
        let mut observation = frame_at(f64::from(number));
        observation.faces = FaceSearch::Run(vec![face]);
        JournalEntry::Frame { track_id: track("camera"), observation }
    });
    let behind =
        JournalEntry::Scene { track_id: track("camera"), at: MediaTime::from_millis(2_000), reading: Ok(scene(3)) };
    let journal = std::iter::once(JournalEntry::TrackUpserted(camera)).chain(frames).chain([behind]);
    let step = SessionCommit {
        name,
        journal: journal.chain([JournalEntry::Finished { at: MediaTime::ZERO }]).collect(),
        scores: Vec::new(),
        end_time: Some(time(90)),
        ..commit(session, 0)
    };
    store.commit(step).await.expect("commits");
}

#[tokio::test]
async fn a_tampered_template_is_named_and_the_rest_serves() {
    let (store, folder) = open().await;
    let sealing = Arc::new(SealingKeys::generate());
    for session in ["abcd-1", "abcd-2", "abcd-3"] {
        with_template(&store, session).await;
    }
    ledger(&store, &sealing).sweep().await.expect("sweeps");
    let mut connection = connect(&options(&folder)).await;
    let tamper = async |connection: &mut crate::store::Connection, statement: &'static str| {
        sqlx::query(statement).execute(connection).await.expect("writes");
    };
    // The bytes of another row, which its own seal is not bound to.
    tamper(&mut connection, "UPDATE templates SET sealed = (SELECT sealed FROM templates WHERE key = 2) WHERE key = 4")
        .await;
    let ledger = ledger(&store, &sealing);
    let answer = ledger.search(&investigator(), &request("abcd-1")).await.expect("the rest serves");
    assert_eq!((answer.hits.len(), answer.figures.n_searched, answer.figures.n_unreadable), (1, 1, 1));
    let named = ledger.search(&investigator(), &request("abcd-2")).await.expect_err("does not open");
    assert_eq!(named.kind(), ErrorKind::DataLoss);
    // One flipped byte in the wrapped key of a session, seen by a search that is loaded already.
    tamper(&mut connection, "UPDATE data_keys SET wrapped = x'00' WHERE session_key = 3").await;
    tamper(&mut connection, "UPDATE templates SET expire_time = NULL WHERE key = 6").await;
    let answer = ledger.search(&investigator(), &request("abcd-1")).await.expect("the rest serves");
    assert_eq!((answer.hits.len(), answer.figures.n_unreadable), (0, 2));
}

#[tokio::test]
async fn a_deleted_template_leaves_no_bytes_behind_and_its_number_in_the_tombstone() {
    let (store, folder) = open().await;
    let sealing = Arc::new(SealingKeys::generate());
    with_template(&store, "abcd-1").await;
    ledger(&store, &sealing).sweep().await.expect("sweeps");
    let (_, mut stored) = store.session_templates(&named("abcd-1"), TemplateKind::Face).await.expect("reads");
    stored.extend(store.session_templates(&named("abcd-1"), TemplateKind::Scene).await.expect("reads").1);
    assert_eq!(stored.len(), 2, "a face and what is behind it");
    let wrapped = store.data_key(&named("abcd-1")).await.expect("reads").expect("is there");
    let holds = |bytes: &[u8]| {
        std::fs::read_dir(folder.path()).expect("is there").any(|entry| {
            let file = std::fs::read(entry.expect("is there").path()).expect("reads");
            file.windows(64.min(bytes.len())).any(|window| window == &bytes[bytes.len() - window.len()..])
        })
    };
    let secrets = [stored[0].sealed.as_slice(), &stored[1].sealed, &wrapped.bytes];
    assert_eq!(secrets.map(holds), [true; 3]);
    store.delete(&named("abcd-1"), None, said()).await.expect("deletes");
    assert_eq!(secrets.map(holds), [false; 3]);
    let reader = crate::store::AuditReader::open(&options(&folder)).expect("opens");
    let (_, tombstone) = reader.page(0, 100).await.expect("reads").pop().expect("is there");
    assert_eq!((tombstone.details["templates"].as_str(), tombstone.details["templates_sha256"].len()), ("2", 64));
}

#[tokio::test]
async fn no_number_of_a_template_stands_in_the_file_unsealed() {
    let (store, folder) = open().await;
    with_template(&store, "abcd-1").await;
    ledger(&store, &Arc::new(SealingKeys::generate())).sweep().await.expect("sweeps");
    let mut connection = connect(&options(&folder)).await;
    let (sealed,): (Vec<u8>,) = sqlx::query_as("SELECT sealed FROM templates WHERE kind = 'face'")
        .fetch_one(&mut connection)
        .await
        .expect("is there");
    let mut raw = vec![0.01_f32; 512];
    raw[7] = 1.0;
    let unsealed = Embedding::from_raw(&raw).expect("has a direction");
    let number = unsealed.values()[7].to_le_bytes();
    assert!(sealed.len() > 512 * 4 && !sealed.windows(4).any(|window| window == number));
}
