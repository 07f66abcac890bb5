//! Opening the database: permissions of the file, settings, migrations.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::ConnectOptions as _;
use sqlx::migrate::MigrateError;

use crate::service::ports::StoreError;

use super::Connection;
use super::dialect::{Dialect, apply_settings, connect_options, read_pool_options};
use super::failure::{backend, other};
use super::options::StoreOptions;

/// What the owner alone may do with the file and with a folder made for it.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// For error messages.
const OPENING: &str = "opening the database";
const MIGRATING: &str = "bringing the database schema up to date";

/// Connections that read.
///
/// # Errors
/// [`StoreError::Backend`] for options that name no database.
pub(super) fn read_pool(options: &StoreOptions) -> Result<AnyPool, StoreError> {
    let connect = connect_options(options).map_err(|error| other(OPENING, error))?;
    let patience = Duration::from_millis(options.busy_timeout_millis.max(1_000));
    Ok(read_pool_options(options).acquire_timeout(patience).connect_lazy_with(connect))
}

/// Makes the file if it is missing, opens the database and brings its schema up to date.
///
/// # Errors
/// [`StoreError::Backend`] when that fails, or when a newer version of this program has written the database.
pub(super) async fn open_writer(options: &StoreOptions) -> Result<Connection, StoreError> {
    let dialect = Dialect::of(options);
    if dialect == Dialect::Sqlite {
        let path = options.database.clone();
        let creating = "creating the database file";
        tokio::task::spawn_blocking(move || prepare_file(&path))
            .await
            .map_err(|error| other(creating, error))?
            .map_err(|error| other(creating, error))?;
    }
    let mut connection = reconnect(options).await.map_err(|error| backend(OPENING, error))?;
    migrate(&mut connection, dialect).await?;
    Ok(connection)
}

/// Brings the schema up to date. SQLite remakes tables on the way, which it may only do while references are not enforced.
async fn migrate(connection: &mut Connection, dialect: Dialect) -> Result<(), StoreError> {
    let failed = |error| backend(MIGRATING, error);
    if dialect == Dialect::Sqlite {
        sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut *connection).await.map_err(failed)?;
    }
    dialect.migrations().run(&mut *connection).await.map_err(migration_failed)?;
    if dialect == Dialect::Sqlite {
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut *connection).await.map_err(failed)?;
        if broken.is_some() {
            return Err(other(
                MIGRATING,
                "a row refers to a session that is not there: restore the file from a backup",
            ));
        }
        sqlx::raw_sql("PRAGMA foreign_keys = ON").execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Opens the connection that writes to a database that was opened before.
pub(super) async fn reconnect(options: &StoreOptions) -> Result<Connection, Arc<sqlx::Error>> {
    let connect = connect_options(options).map_err(|error| Arc::new(sqlx::Error::Configuration(error)))?;
    let mut connection = connect.connect().await.map_err(Arc::new)?;
    apply_settings(&mut connection, Dialect::of(options).write_settings(options)).await.map_err(Arc::new)?;
    Ok(connection)
}

fn migration_failed(error: MigrateError) -> StoreError {
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return backend(MIGRATING, error);
    }
    if matches!(error, MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) {
        return other(
            MIGRATING,
            format!("{error}: the database was written by a newer version of this program, use that one"),
        );
    }
    other(MIGRATING, error)
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
