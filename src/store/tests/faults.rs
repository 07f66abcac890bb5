//! What the store says when its file or its queue fails it.

use std::error::Error;

use super::file::connect;
use super::{StoreOptions, open, open_with, options};
use crate::error::{ErrorKind, Kinded};
use crate::service::ports::{SessionStore, StoreError};
use crate::store::samples::{commit, named, record, said};

fn causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_locked_database_is_said_to_be_locked_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = StoreOptions { busy_timeout_millis: 50, ..options(&folder) };
    let store = open_with(&options).await.expect("opens");
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let mut other = connect(&options).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locks");
    let error = store.commit(commit("abcd-1", 0)).await.expect_err("is locked");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(causes(&error).contains("locked by another process"), "{}", causes(&error));
    assert!(store.ping().await.is_err(), "not ready while it cannot write");
    assert!(store.get(&named("abcd-1")).await.is_ok(), "reading goes on");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocks");
    store.commit(commit("abcd-1", 0)).await.expect("goes on");
}

/// The real thing, by SQLite's own page limit: `SQLITE_FULL` in the middle of a transaction.
#[tokio::test]
async fn a_full_database_fails_the_step_and_nothing_else() {
    let (store, folder) = open().await;
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    let options = options(&folder).clone();
    let mut connection = connect(&options).await;
    sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut connection).await.expect("is set");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.expect("begins");
    let full = loop {
        let filled = sqlx::query("INSERT INTO journal SELECT 1, count(*), 1, zeroblob(100000) FROM journal");
        if let Err(error) = filled.execute(&mut connection).await {
            break error;
        }
    };
    let error = crate::store::failure::backend("storing a step of a session", full);
    assert!(causes(&error).contains("the disk is full: free some space"), "{}", causes(&error));
    drop(connection);
    store.commit(commit("abcd-1", 0)).await.expect("the other connection is not concerned");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = StoreOptions { max_pending_writes: 2, busy_timeout_millis: 2_000, ..options(&folder) };
    let store = open_with(&options).await.expect("opens");
    let mut other = connect(&options).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locks");
    let creations = (0..12).map(|number| store.create(record(&format!("abcd-{number}"), 0), None, said()));
    let all = futures_util::future::join_all(creations.map(|creation| async {
        let outcome = creation.await;
        matches!(outcome, Err(StoreError::Behind { pending: 2 }))
    }));
    let unlock = async {
        tokio::task::yield_now().await;
        sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocks");
    };
    let (refused, ()) = tokio::join!(all, unlock);
    let n_refused = refused.iter().filter(|is_behind| **is_behind).count();
    assert!((8..12).contains(&n_refused), "{n_refused} of 12");
}

#[tokio::test]
async fn what_is_no_database_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(options(&folder).database, "not a database, but long enough to look at ".repeat(40))
        .expect("writes");
    let error = open_with(&options(&folder)).await.expect_err("is none");
    assert!(causes(&error).contains("not a SQLite database"), "{}", causes(&error));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn folders_that_cannot_be_made_and_bad_options_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("writes");
    let below_a_file = StoreOptions { database: folder.path().join("file/x.sqlite"), ..StoreOptions::default() };
    assert!(matches!(open_with(&below_a_file).await, Err(StoreError::Backend { .. })));
    let error = open_with(&StoreOptions { max_batch_writes: 0, ..options(&folder) }).await.expect_err("refused");
    assert!(causes(&error).contains("max_batch_writes is 0, must be 1 to"), "{}", causes(&error));
}

#[tokio::test]
async fn damaged_rows_are_corrupt_and_concern_only_their_session() {
    let (store, folder) = open().await;
    for name in ["abcd-1", "abcd-2", "abcd-3"] {
        store.create(record(name, 0), None, said()).await.expect("creates");
        store.commit(commit(name, 0)).await.expect("commits");
        store.commit(commit(name, 1)).await.expect("commits");
    }
    let mut connection = connect(&options(&folder)).await;
    for damage in [
        "UPDATE journal SET chunk = zeroblob(100) WHERE session_key = 1 AND first_entry = 1",
        "DELETE FROM journal WHERE session_key = 2 AND first_entry = 0",
        "UPDATE participants SET score = '{}' WHERE session_key = 2",
    ] {
        sqlx::query(damage).execute(&mut connection).await.expect("damages");
    }
    for name in ["abcd-1", "abcd-2"] {
        let outcome = store.journal(&named(name)).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
    }
    assert!(matches!(store.get(&named("abcd-2")).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.journal(&named("abcd-3")).await.expect("reads").len(), 2);
    store.delete(&named("abcd-2"), None, said()).await.expect("damaged sessions can be deleted");
}
