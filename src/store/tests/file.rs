//! The file itself: permissions, durability settings, size of listings, erasure.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use super::{StoreOptions, open, open_with, options};
use crate::service::ports::{SessionQuery, SessionStore};
use crate::store::samples::{commit, named, record, said, tenant};

/// A connection of the kind that writes, beside the store's own.
pub(super) async fn connect(options: &StoreOptions) -> crate::store::Connection {
    crate::store::open::reconnect(options).await.expect("connects")
}

#[tokio::test]
async fn only_the_owner_may_read_what_is_made() {
    let root = tempfile::tempdir().expect("a folder");
    let options = StoreOptions { database: root.path().join("made/deep/bonafide.sqlite"), ..StoreOptions::default() };
    let store = open_with(&options).await.expect("opens");
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&root.path().join("made")), 0o700);
    for entry in std::fs::read_dir(root.path().join("made/deep")).expect("is there") {
        let path = entry.expect("is there").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A power cut cannot be made here; that every commit is flushed before it is acknowledged is what these settings mean.
#[tokio::test]
async fn the_writing_connection_flushes_every_commit_and_erases_what_it_deletes() {
    let (_store, folder) = open().await;
    let mut connection = connect(&options(&folder)).await;
    for (pragma, expected) in [
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA secure_delete", "1"),
        ("PRAGMA foreign_keys", "1"),
    ] {
        let row = sqlx::query(pragma).fetch_one(&mut connection).await.expect("answers");
        let value = sqlx::Row::try_get::<String, _>(&row, 0)
            .or_else(|_| sqlx::Row::try_get::<i64, _>(&row, 0).map(|number| number.to_string()))
            .expect("a value");
        assert_eq!(value, expected, "{pragma}");
    }
}

#[tokio::test]
async fn deleted_sessions_leave_no_bytes_behind() {
    const MARK: &str = "a-name-that-stands-nowhere-else";
    let (store, folder) = open().await;
    let mut session = record("abcd-1", 0);
    session.display_name = MARK.to_owned();
    store.create(session, None, said()).await.expect("creates");
    store.commit(commit("abcd-1", 0)).await.expect("commits");
    let holds_mark = || {
        std::fs::read_dir(folder.path()).expect("is there").any(|entry| {
            let bytes = std::fs::read(entry.expect("is there").path()).expect("reads");
            bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes())
        })
    };
    assert!(holds_mark());
    store.delete(&named("abcd-1"), None, said()).await.expect("deletes");
    assert!(!holds_mark());
}

#[tokio::test]
async fn ten_thousand_sessions_are_listed_once_each() {
    const SESSIONS: usize = 10_000;
    let (store, _folder) = open().await;
    let names: Vec<_> = (0..SESSIONS).map(|number| format!("abcd-{number}")).collect();
    for portion in names.chunks(500) {
        let created = portion.iter().map(|name| store.create(record(name, 0), None, said()));
        for outcome in futures_util::future::join_all(created).await {
            outcome.expect("creates");
        }
    }
    let mut query = SessionQuery { page_size: 700, ..SessionQuery::default() };
    let mut found = BTreeSet::new();
    loop {
        let page = store.list(&tenant(), &query).await.expect("lists");
        for session in page.items {
            assert!(found.insert(session.name.clone()), "{} twice", session.name);
        }
        // Sessions that appear while somebody pages change nothing for the others.
        let late = format!("late-{}", found.len());
        store.create(record(&late, 1_000), None, said()).await.expect("creates");
        let Some(token) = page.next_page_token else { break };
        query.page_token = Some(token);
    }
    assert_eq!(found.len(), SESSIONS);
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_reopening_finds_it() {
    let (store, folder) = open().await;
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    store.commit(commit("abcd-1", 0)).await.expect("commits");
    store.close().await;
    assert!(store.ping().await.is_err() && store.get(&named("abcd-1")).await.is_err());
    let again = open_with(&options(&folder)).await.expect("opens");
    assert_eq!(again.get(&named("abcd-1")).await.expect("reads").journal_len, 1);
}
