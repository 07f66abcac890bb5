//! Databases of every earlier version open with this one and keep what they hold.

use sqlx::Executor;

use super::audit::verify;
use super::file::connect;
use super::{open, open_with, options};
use crate::service::ports::{AuditLog, SessionStore, StoreError};
use crate::store::dialect::SQLITE_MIGRATIONS;
use crate::store::samples::{named, said};

/// What a database of each version held: the version, and the statements that filled it.
/// A new migration adds a line; no line ever goes.
const FIXTURES: &[(i64, &str)] = &[
    (1, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v1.sql"))),
    (2, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v2.sql"))),
    (3, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v3.sql"))),
    (4, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v4.sql"))),
    (5, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v5.sql"))),
    (6, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v6.sql"))),
    (7, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v7.sql"))),
    (8, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v8.sql"))),
    (9, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v9.sql"))),
    (10, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/database_v10.sql"))),
];

#[test]
fn every_version_has_a_fixture() {
    let versions: Vec<_> = SQLITE_MIGRATIONS.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, FIXTURES.iter().map(|(version, _)| *version).collect::<Vec<_>>());
}

#[tokio::test]
async fn databases_of_every_version_are_brought_up_to_date() {
    for (version, fixture) in FIXTURES {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(options(&folder).database, "").expect("creates");
        let mut connection = connect(&options(&folder)).await;
        SQLITE_MIGRATIONS.run_to(*version, &mut connection).await.expect("migrates");
        connection.execute(*fixture).await.expect("fills");
        drop(connection);

        let store = open_with(&options(&folder)).await.expect("opens");
        let session = store.get(&named("from-the-past")).await.expect("reads");
        assert_eq!((session.journal_len, session.revision, session.participants.len()), (10, 2, 1), "{version}");
        assert_eq!(session.labels.get("team").map(String::as_str), Some("platform"), "{version}");
        assert_eq!(store.journal(&session.name).await.expect("reads").len(), 10, "{version}");
        assert_eq!(store.segments(&session.name, 5, None).await.expect("reads").items.len(), 1, "{version}");
        let candidate = &session.participants[0].participant_id;
        assert_eq!(store.score_points(&session.name, candidate, 5).await.expect("reads").len(), 1, "{version}");
        store.append(said()).await.expect("the audit log goes on");
        assert_eq!(verify(&options(&folder)).await.expect("is in order").n_rows, 2, "{version}");
    }
}

#[tokio::test]
async fn databases_of_a_newer_version_are_refused() {
    let (store, folder) = open().await;
    store.close().await;
    let mut connection = connect(&options(&folder)).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999999, 'future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut connection).await.expect("writes");
    let error = open_with(&options(&folder)).await.expect_err("is newer");
    let StoreError::Backend { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("newer version of this program"), "{source}");
}
