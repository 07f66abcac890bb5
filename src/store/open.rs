//! Opening the database file: permissions, pragmas, migrations.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::SqliteConnection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::service::ports::StoreError;

use super::failure::{backend, other};
use super::options::StoreOptions;

/// Every schema change so far, in order; embedded at build.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// What the owner alone may do with the file and with a folder made for it.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// The write-ahead log is cut back to this size after a checkpoint.
const WAL_LIMIT_BYTES: &str = "67108864";

/// Options of the one connection that writes.
pub(super) fn write_options(options: &StoreOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.database)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(options.busy_timeout_millis))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("journal_size_limit", WAL_LIMIT_BYTES)
        .disable_statement_logging()
}

/// Connections that read.
pub(super) fn read_pool(options: &StoreOptions) -> SqlitePool {
    let connect = SqliteConnectOptions::new()
        .filename(&options.database)
        .create_if_missing(false)
        .busy_timeout(Duration::from_millis(options.busy_timeout_millis))
        .pragma("query_only", "ON")
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(options.read_connections)
        .acquire_timeout(Duration::from_millis(options.busy_timeout_millis.max(1_000)))
        .connect_lazy_with(connect)
}

/// Makes the file if it is missing, opens it and brings its schema up to date.
///
/// # Errors
/// [`StoreError::Backend`] when that fails, or when a newer version of this program has written the file.
pub(super) async fn open_writer(options: &StoreOptions) -> Result<SqliteConnection, StoreError> {
    let path = options.database.clone();
    tokio::task::spawn_blocking(move || prepare_file(&path))
        .await
        .map_err(|error| other("creating the database file", error))?
        .map_err(|error| other("creating the database file", error))?;
    let mut connection = reconnect(options).await.map_err(|error| backend("opening the database", error))?;
    MIGRATIONS.run(&mut connection).await.map_err(migration_failed)?;
    Ok(connection)
}

/// Opens the connection that writes to a file that was opened before.
pub(super) async fn reconnect(options: &StoreOptions) -> Result<SqliteConnection, Arc<sqlx::Error>> {
    write_options(options).connect().await.map_err(Arc::new)
}

fn migration_failed(error: MigrateError) -> StoreError {
    let doing = "bringing the database schema up to date";
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return backend(doing, error);
    }
    if matches!(error, MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) {
        return other(
            doing,
            format!("{error}: the database was written by a newer version of this program, use that one"),
        );
    }
    other(doing, error)
}

/// The folder and the empty file, readable by the owner alone; both survive a power cut.
fn prepare_file(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(folder)?;
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Ok(file) => {
            file.sync_all()?;
            File::open(folder)?.sync_all()
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            warn_if_others_may_read(path);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn warn_if_others_may_read(path: &Path) {
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        tracing::warn!(
            store.mode = format!("{mode:03o}"),
            "database file is open to other users of this machine: it holds biometric measurements, set mode 600"
        );
    }
}
