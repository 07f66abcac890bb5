//! A process that keeps stills until it is killed, and what it leaves behind.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::{
    SessionName, TestClock, caller, evidence, files, named, open_store, pick, record, said, step, store_options,
};
use crate::audit::Action;
use crate::keys::{KeyFile, SealingKeys, SigningKey};
use crate::service::ports::{Clock as _, SessionCommit, SessionStore as _, StillStore as _};
use crate::session::{EvidenceMode, JournalEntry, StillSubject, TrackId};
use crate::store::AuditReader;

/// Stands in the working folder of a child that keeps stills without end, and names its session.
const SESSION: &str = "session";
/// Master keys, shared by all children of one folder.
const KEYS: &str = "keys.toml";
/// How often a process is killed.
const N_KILLS: u64 = 200;
/// Folders in which that happens at one time.
const N_LANES: u64 = 4;
/// Longest time from the first acknowledged still to the kill.
const MAX_LIFE: Duration = Duration::from_millis(12);

fn master_keys(folder: &Path) -> Arc<SealingKeys> {
    let now = TestClock::default().now();
    KeyFile::load_or_create(&folder.join(KEYS), now).expect("makes").sealing_keys()
}

/// The child: keeps stills in its working folder and says of each that it was acknowledged.
/// Run as an ordinary test, it does so a few times in a folder of its own.
#[tokio::test]
async fn keeps_stills_and_says_so() {
    let own = tempfile::tempdir().expect("a folder");
    let is_endless = Path::new(SESSION).exists();
    let folder = if is_endless { Path::new(".") } else { own.path() };
    let id = if is_endless { std::fs::read_to_string(SESSION).expect("reads") } else { "abcd-0".to_owned() };
    let (store, keys, clock) = (open_store(folder).await, master_keys(folder), Arc::new(TestClock::default()));
    let evidence = evidence(&store, folder, &keys, &clock);
    evidence.claim().await.expect("a folder of its own");
    let name = named(&id);
    store
        .create(record(&name, EvidenceMode::Stills, clock.now()), None, said(Action::SessionCreate))
        .await
        .expect("creates");
    let (keeper, _desk) = evidence.begin(&name).await.expect("begins");
    let mut acknowledged = 0;
    while is_endless || acknowledged < 3 {
        let seed = u32::try_from(acknowledged + 1).expect("tests are short");
        let row = keeper.keep(&pick(&keeper, seed, StillSubject::Segment(seed))).await.expect("keeps");
        let journal =
            vec![JournalEntry::Accounted { track_id: TrackId::new("camera").expect("valid"), sequence: acknowledged }];
        let commit = SessionCommit { journal, ..step(&name, acknowledged, vec![row]) };
        store.commit(commit).await.expect("commits");
        acknowledged += 1;
        println!("\n@acknowledged {acknowledged}");
    }
    assert_eq!(store.stills(&name).await.expect("reads").len() as u64, acknowledged);
}

/// Runs a child in `folder` until it has had an acknowledgement and a little longer; gives back how many it had.
fn kill_one(folder: &Path, id: &str, life: Duration) -> u64 {
    std::fs::write(folder.join(SESSION), id).expect("writes");
    let mut process = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture", "service::evidence::tests::killed::keeps_stills_and_says_so"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(process.stdout.take().expect("is piped")).lines();
    let told = |line: String| line.strip_prefix("@acknowledged ")?.parse::<u64>().ok();
    let first = lines.by_ref().map_while(Result::ok).find_map(told).expect("the child keeps a still");
    std::thread::sleep(life);
    process.kill().expect("is killed");
    process.wait().expect("ends");
    lines.map_while(Result::ok).filter_map(told).last().unwrap_or(first)
}

/// Checks what a killed child left: all that it was told, and no row without its file.
async fn check(folder: &Path, name: &SessionName, acknowledged: u64) -> usize {
    let (store, keys, clock) = (open_store(folder).await, master_keys(folder), Arc::new(TestClock::default()));
    let evidence = evidence(&store, folder, &keys, &clock);
    let journal = store.journal(name).await.expect("reads");
    assert!(journal.len() as u64 >= acknowledged, "{} of {acknowledged} steps", journal.len());
    let rows = store.stills(name).await.expect("reads");
    assert_eq!(rows.len(), journal.len(), "a step has its still");
    for stored in &rows {
        evidence.inner.files.read(stored.row.file).await.expect("every row has its file");
    }
    let listed = evidence.list(&caller(), &name.id).await.expect("lists");
    assert_eq!(listed.stills.len(), rows.len(), "and every still opens");
    store.close().await;
    rows.len()
}

async fn kill_many(n_kills: u64, seed: u64) -> (usize, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut n_rows = 0;
    for round in 0..n_kills {
        let name = named(&format!("abcd-{round}"));
        let life = MAX_LIFE.mul_f64(((round * 7_919 + seed * 104_729) % 1_000) as f64 / 1_000.0);
        let (place, id) = (folder.path().to_owned(), name.id.as_str().to_owned());
        let killed = tokio::task::spawn_blocking(move || kill_one(&place, &id, life));
        n_rows += check(folder.path(), &name, killed.await.expect("no panic")).await;
    }
    let (store, keys, clock) =
        (open_store(folder.path()).await, master_keys(folder.path()), Arc::new(TestClock::default()));
    let evidence = evidence(&store, folder.path(), &keys, &clock);
    let orphans = evidence.remove_orphans_older_than(Duration::ZERO).await.expect("removes");
    assert_eq!(files(&folder.path().join("evidence")).len(), n_rows, "what no row names is gone");
    store.close().await;
    let reader = AuditReader::open(&store_options(folder.path())).expect("opens");
    reader.verify(&[SigningKey::from_seed([1; 32]).verifying_key()]).await.expect("the audit log is in order");
    (n_rows, orphans)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_leaves_a_row_without_its_file_or_loses_what_was_acknowledged() {
    let lanes = (0..N_LANES).map(|lane| kill_many(N_KILLS / N_LANES, lane));
    let (mut n_rows, mut n_orphans) = (0, 0);
    for (rows, orphans) in futures_util::future::join_all(lanes).await {
        (n_rows, n_orphans) = (n_rows + rows, n_orphans + orphans);
    }
    println!("{N_KILLS} kills: {n_rows} stills with their files, {n_orphans} files without a row were removed");
}
