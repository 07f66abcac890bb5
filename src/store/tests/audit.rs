//! The stored audit log: what is told stands in it, and what is tampered with is named.

use sqlx::Row as _;

use super::file::connect;
use super::{open, options, signing_key};
use crate::audit::{Action, Broken, Event, Problem, Summary};
use crate::keys::SigningKey;
use crate::service::ports::{AuditLog, SessionStore};
use crate::store::samples::{commit, named, record, said};
use crate::store::{AuditError, AuditReader, SqlStore, StoreOptions};

/// Checks the log of the database that the options name.
pub(super) async fn verify(options: &StoreOptions) -> Result<Summary, Broken> {
    let reader = AuditReader::open(options).expect("opens");
    reader.verify(&[signing_key().verifying_key()]).await.map_err(|error| match error {
        AuditError::Broken(broken) => broken,
        AuditError::Store(error) => panic!("{error:?}"),
    })
}

#[tokio::test]
async fn changes_stand_in_the_log_and_refused_ones_do_not() {
    let (store, folder) = open().await;
    store.create(record("abcd-1", 0), None, said()).await.expect("creates");
    assert!(store.create(record("abcd-1", 0), None, said()).await.is_err());
    let mut step = commit("abcd-1", 0);
    step.audit.push(Event { action: Action::SessionFinish, ..said() });
    store.commit(step.clone()).await.expect("commits");
    assert!(store.commit(step).await.is_err(), "is stale now");
    store.delete(&named("abcd-1"), None, Event { action: Action::SessionDelete, ..said() }).await.expect("deletes");
    let summary = verify(&options(&folder)).await.expect("in order");
    assert_eq!((summary.n_rows, summary.head.sequence), (4, 4));
    let entries = AuditReader::open(&options(&folder)).expect("opens").page(0, 10).await.expect("reads");
    let actions: Vec<_> = entries.iter().map(|(_, event)| event.action).collect();
    let expected = [Action::AuditBegin, Action::SessionUpdate, Action::SessionFinish, Action::SessionDelete];
    assert_eq!(actions, expected);
    let tombstone = &entries[3].1.details;
    assert_eq!(tombstone["journal_entries"], "1");
    assert_eq!((tombstone["score_windows"].as_str(), tombstone["segments"].as_str()), ("1", "0"));
    assert_eq!(tombstone["journal_sha256"].len(), 64);
}

#[tokio::test]
async fn one_changed_byte_or_dropped_row_is_named() {
    let (store, folder) = open().await;
    for number in 0..9 {
        store.create(record(&format!("abcd-{number}"), 0), None, said()).await.expect("creates");
    }
    store.close().await;
    let mut connection = connect(&options(&folder)).await;
    for sequence in 1..=10_i64 {
        for column in ["event", "hash", "tenant", "object"] {
            let read = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE sequence = {sequence}");
            let row = sqlx::query(sqlx::AssertSqlSafe(read)).fetch_one(&mut connection).await.expect("is there");
            let original: Vec<u8> = row.get(0);
            // Every byte in tests/audit; here three of them, through the database.
            for at in [0, original.len() / 2, original.len().saturating_sub(1)] {
                let mut changed = original.clone();
                let Some(byte) = changed.get_mut(at) else { continue };
                *byte ^= 1;
                write(&mut connection, column, sequence, &changed).await;
                let found = verify(&options(&folder)).await.expect_err("is broken");
                assert_eq!(found.sequence, sequence as u64, "{column} {at}");
                write(&mut connection, column, sequence, &original).await;
            }
        }
    }
    for sequence in 1..=10_i64 {
        let keep = "CREATE TABLE kept AS SELECT * FROM audit";
        sqlx::raw_sql(keep).execute(&mut connection).await.expect("keeps");
        let drop_row = format!("DELETE FROM audit WHERE sequence = {sequence}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop_row)).execute(&mut connection).await.expect("drops");
        let expected = Broken { sequence: sequence as u64, problem: Problem::Missing };
        assert_eq!(verify(&options(&folder)).await, Err(expected));
        let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept";
        sqlx::raw_sql(restore).execute(&mut connection).await.expect("restores");
    }
    assert_eq!(verify(&options(&folder)).await.expect("in order").n_rows, 10);
}

async fn write(connection: &mut crate::store::Connection, column: &str, sequence: i64, bytes: &[u8]) {
    let value = if column == "hash" { "$1" } else { "CAST($1 AS TEXT)" };
    let update = format!("UPDATE audit SET {column} = {value} WHERE sequence = $2");
    let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(bytes.to_vec()).bind(sequence);
    update.execute(connection).await.expect("writes");
}

#[tokio::test]
async fn a_log_that_another_key_signed_is_not_gone_on_with() {
    let (store, folder) = open().await;
    store.close().await;
    let other_key = || std::sync::Arc::new(SigningKey::from_seed([9; 32]));
    let error = SqlStore::open(&options(&folder), other_key(), &[]).await.expect_err("was signed by another");
    assert!(format!("{error:?}").contains("restore that file"), "{error:?}");
    let renewed =
        SqlStore::open(&options(&folder), other_key(), &[signing_key().verifying_key()]).await.expect("opens");
    renewed.append(said()).await.expect("goes on");
    let keys = [signing_key().verifying_key(), other_key().verifying_key()];
    let reader = AuditReader::open(&options(&folder)).expect("opens");
    let summary = reader.verify(&keys).await.expect("in order");
    reader.require(2, &summary.head.hash.to_string()).await.expect("is there");
    assert!(reader.require(1, &summary.head.hash.to_string()).await.is_err());
    assert!(reader.require(3, &summary.head.hash.to_string()).await.is_err());
}

#[tokio::test]
async fn a_log_without_its_signed_end_is_broken() {
    let (_store, folder) = open().await;
    let mut connection = connect(&options(&folder)).await;
    sqlx::raw_sql("DELETE FROM audit; DELETE FROM audit_checkpoints").execute(&mut connection).await.expect("empties");
    assert_eq!(verify(&options(&folder)).await, Err(Broken { sequence: 0, problem: Problem::NoHead }));
}
