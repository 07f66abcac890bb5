//! The stored audit log: what is told stands in it, and what is tampered with is named.

use sqlx::Row as _;

use super::file::connect;
use super::{open, options, signing_key};
use crate::audit::{Action, Broken, Event, Problem, Summary};
use crate::keys::SigningKey;
use crate::service::ports::{AuditLog, AuditPruner, ReviewStore, SessionStore};
use crate::store::samples::{commit, named, record, said, time};
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

/// The log after its first rows were deleted.
async fn prune(store: &SqlStore, before_secs: i64) -> u64 {
    store.prune_audit(time(before_secs), time(before_secs), 100).await.expect("prunes")
}

/// An entry about a session at a second.
fn about(object: &str, secs: i64) -> Event {
    Event { time: time(secs), object: object.to_owned(), ..said() }
}

/// A database whose log began long ago, with an entry each second from then on.
async fn old_log(n_entries: i64) -> (std::sync::Arc<SqlStore>, tempfile::TempDir) {
    let (store, folder) = open().await;
    for secs in 0..n_entries {
        store.append(about("sessions/abcd-1", secs)).await.expect("appends");
    }
    (store, folder)
}

#[tokio::test]
async fn old_rows_go_from_the_beginning_and_the_rest_is_in_order() {
    let (store, folder) = old_log(10).await;
    // The first row says when the database was made, which is now; it is older for nobody.
    assert_eq!(prune(&store, 5).await, 0);
    let far = 400_000_000;
    let end = verify(&options(&folder)).await.expect("in order").head;
    assert_eq!(prune(&store, far).await, 11, "all that there is");
    let summary = verify(&options(&folder)).await.expect("what is left is in order");
    assert_eq!((summary.first, summary.n_rows, summary.head.sequence), (12, 1, 12));
    let entries = AuditReader::open(&options(&folder)).expect("opens").page(0, 10).await.expect("reads");
    let (row, told) = &entries[0];
    assert_eq!((*row, told.action), (12, Action::AuditPrune));
    assert_eq!((told.details["rows"].as_str(), told.details["last_row"].as_str()), ("11", "11"));
    let reader = AuditReader::open(&options(&folder)).expect("opens");
    reader.require(11, &end.hash.to_string()).await.expect("where the log begins is remembered");
    let gone = reader.require(3, &end.hash.to_string()).await.expect_err("is gone");
    assert!(gone.to_string().contains("deleted at the end of its retention"), "{gone}");
    assert_eq!(prune(&store, 0).await, 0);
    store.append(said()).await.expect("goes on");
    verify(&options(&folder)).await.expect("in order");
}

#[tokio::test]
async fn what_is_dropped_beside_retention_is_named() {
    let (store, folder) = old_log(4).await;
    let far = 400_000_000;
    assert_eq!(store.prune_audit(time(far), time(far), 3).await.expect("prunes"), 3, "in portions");
    store.close().await;
    let mut connection = connect(&options(&folder)).await;
    let keep =
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_checkpoints AS SELECT * FROM audit_checkpoints";
    sqlx::raw_sql(keep).execute(&mut connection).await.expect("keeps");
    for (tampering, sequence) in [
        ("DELETE FROM audit WHERE sequence = 4", 4),
        ("DELETE FROM audit WHERE sequence = 5", 5),
        ("DELETE FROM audit WHERE sequence <= 5", 4),
        ("DELETE FROM audit_checkpoints WHERE kind = 'anchor'", 1),
        ("UPDATE audit_checkpoints SET sequence = 4 WHERE kind = 'anchor'", 4),
        (
            "UPDATE audit_checkpoints SET sequence = 4, hash = (SELECT hash FROM audit WHERE sequence = 4) WHERE kind = 'anchor'",
            4,
        ),
        ("UPDATE audit_checkpoints SET kind = 'anchor' WHERE kind = 'head'", 6),
    ] {
        sqlx::raw_sql(tampering).execute(&mut connection).await.expect("tampers");
        let found = verify(&options(&folder)).await.expect_err(tampering);
        assert_eq!(found.sequence, sequence, "{tampering}: {found}");
        let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DELETE FROM audit_checkpoints; \
                       INSERT INTO audit_checkpoints SELECT * FROM kept_checkpoints";
        sqlx::raw_sql(restore).execute(&mut connection).await.expect("restores");
    }
    assert_eq!(verify(&options(&folder)).await.expect("in order").first, 4);
}

#[tokio::test]
async fn what_concerns_a_held_session_stays_with_all_that_follows() {
    let (store, folder) = open().await;
    let far = 400_000_000;
    store.create(record("abcd-2", 0), None, about("sessions/abcd-2", 1)).await.expect("creates");
    store.append(about("sessions/abcd-1", 2)).await.expect("appends");
    store.append(about("sessions/abcd-2/stills/1", 3)).await.expect("appends");
    store.append(about("sessions/abcd-1", 4)).await.expect("appends");
    store.hold(&named("abcd-2"), true, about("sessions/abcd-2", 5)).await.expect("holds");
    assert_eq!(prune(&store, far).await, 1, "only the beginning");
    assert_eq!(verify(&options(&folder)).await.expect("in order").first, 2);
    store.hold(&named("abcd-2"), false, about("sessions/abcd-2", 6)).await.expect("lets go");
    assert_eq!(prune(&store, far).await, 5, "up to the row that told of the first time");
    verify(&options(&folder)).await.expect("in order");
}
