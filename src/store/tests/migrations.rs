//! Databases of every earlier version open with this one and keep what they hold.

use sqlx::ConnectOptions;
use sqlx::Executor;

use super::{SqliteStore, open, options};
use crate::service::ports::{SessionStore, StoreError};
use crate::store::open::{MIGRATIONS, write_options};
use crate::store::samples::id;

/// What a database of each version held: the version, and the statements that filled it.
/// A new migration adds a line; no line ever goes.
const FIXTURES: &[(i64, &str)] =
    &[(1, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v1.sql")))];

#[test]
fn every_version_has_a_fixture() {
    let versions: Vec<_> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, FIXTURES.iter().map(|(version, _)| *version).collect::<Vec<_>>());
}

#[tokio::test]
async fn databases_of_every_version_are_brought_up_to_date() {
    for (version, fixture) in FIXTURES {
        let folder = tempfile::tempdir().expect("a folder");
        let old = write_options(&options(&folder)).create_if_missing(true);
        let mut connection = old.connect().await.expect("connects");
        MIGRATIONS.run_to(*version, &mut connection).await.expect("migrates");
        connection.execute(*fixture).await.expect("fills");
        drop(connection);

        let store = SqliteStore::open(&options(&folder)).await.expect("opens");
        let session = store.get(&id("from-the-past")).await.expect("reads");
        assert_eq!((session.journal_len, session.revision, session.participants.len()), (10, 2, 1), "{version}");
        assert_eq!(session.labels.get("team").map(String::as_str), Some("platform"), "{version}");
        assert_eq!(store.journal(&session.id).await.expect("reads").len(), 10, "{version}");
        assert_eq!(store.segments(&session.id, 5, None).await.expect("reads").items.len(), 1, "{version}");
        let candidate = &session.participants[0].participant_id;
        assert_eq!(store.scores(&session.id, candidate, 5).await.expect("reads").len(), 1, "{version}");
    }
}

#[tokio::test]
async fn databases_of_a_newer_version_are_refused() {
    let (store, folder) = open().await;
    store.close().await;
    let mut connection = write_options(&options(&folder)).connect().await.expect("connects");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999999, 'future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut connection).await.expect("writes");
    let error = SqliteStore::open(&options(&folder)).await.expect_err("is newer");
    let StoreError::Backend { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("newer version of this program"), "{source}");
}
