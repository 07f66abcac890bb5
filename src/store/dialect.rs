//! Where the two databases differ.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;

use super::options::StoreOptions;

/// Schema changes so far, in order; embedded at build.
pub(super) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The SQLite write-ahead log is cut back to this size after a checkpoint.
const WAL_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Holds the tail of the audit log for one transaction at a time: any number that no other program takes.
const AUDIT_LOCK: &str = "SELECT pg_advisory_xact_lock(4702111234474983745)";

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file.
    Sqlite,
    /// A server, shared by several processes.
    Postgres,
}

impl Dialect {
    /// The database that the options name.
    pub(super) fn of(options: &StoreOptions) -> Self {
        if options.postgres_url.is_empty() { Self::Sqlite } else { Self::Postgres }
    }

    pub(super) fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres => &POSTGRES_MIGRATIONS,
        }
    }

    /// Begins a transaction that writes.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Begins a transaction that reads one snapshot.
    pub(super) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Keeps other processes from appending to the audit log until the transaction ends; SQLite has one writer anyway.
    pub(super) const fn lock_audit(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(AUDIT_LOCK),
        }
    }

    /// What a connection that writes is told first.
    pub(super) fn write_settings(self, options: &StoreOptions) -> Vec<String> {
        let patience = options.busy_timeout_millis;
        match self {
            Self::Sqlite => vec![
                format!("PRAGMA busy_timeout = {patience}"),
                "PRAGMA journal_mode = WAL".to_owned(),
                "PRAGMA synchronous = FULL".to_owned(),
                "PRAGMA secure_delete = ON".to_owned(),
                format!("PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}"),
                "PRAGMA foreign_keys = ON".to_owned(),
            ],
            Self::Postgres => {
                vec![format!("SET lock_timeout = {patience}"), "SET synchronous_commit = on".to_owned()]
            }
        }
    }

    /// What a connection that reads is told first.
    pub(super) fn read_settings(self, options: &StoreOptions) -> Vec<String> {
        let patience = options.busy_timeout_millis;
        match self {
            Self::Sqlite => vec![format!("PRAGMA busy_timeout = {patience}"), "PRAGMA query_only = ON".to_owned()],
            // How many sessions share a value decides how they are found: a plan for any value would be the wrong one for many.
            Self::Postgres => vec![
                format!("SET statement_timeout = {}", patience.max(1_000) * 6),
                "SET plan_cache_mode = force_custom_plan".to_owned(),
            ],
        }
    }
}

/// How to reach the database.
///
/// # Errors
/// What is wrong with the path or the URL; never the URL itself, which may hold a password.
pub(super) fn connect_options(
    options: &StoreOptions,
) -> Result<AnyConnectOptions, Box<dyn std::error::Error + Send + Sync>> {
    sqlx::any::install_default_drivers();
    let url = match Dialect::of(options) {
        Dialect::Sqlite => sqlite_url(&options.database)?,
        Dialect::Postgres => options.postgres_url.expose().to_owned(),
    };
    let parsed: Result<AnyConnectOptions, sqlx::Error> = url.parse();
    // The parser's own error may repeat the password.
    let parsed = parsed.map_err(|_| "store.postgres_url: is not postgres://USER:PASSWORD@HOST:PORT/DATABASE")?;
    Ok(parsed.disable_statement_logging())
}

/// A pool of connections that read.
pub(super) fn read_pool_options(options: &StoreOptions) -> AnyPoolOptions {
    let settings = Dialect::of(options).read_settings(options);
    AnyPoolOptions::new().max_connections(options.read_connections).after_connect(move |connection, _| {
        let settings = settings.clone();
        Box::pin(async move { apply_settings(connection, settings).await })
    })
}

/// Tells a new connection how to behave.
pub(super) async fn apply_settings(
    connection: &mut super::Connection,
    settings: Vec<String>,
) -> Result<(), sqlx::Error> {
    for setting in settings {
        // Written above, from numbers alone.
        sqlx::raw_sql(sqlx::AssertSqlSafe(setting)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The file as a URL; characters that mean something in one are escaped.
fn sqlite_url(path: &Path) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let absolute = std::path::absolute(path)?;
    let text = absolute.to_str().ok_or("store.database: the path must be UTF-8")?;
    let mut url = String::from("sqlite://");
    for character in text.chars() {
        match character {
            '%' | '?' | '#' | ' ' | '"' | '<' | '>' | '`' | '{' | '}' | '\\' | '^' | '|' => {
                let _written = write!(url, "%{:02X}", u32::from(character));
            }
            _ => url.push(character),
        }
    }
    url.push_str("?mode=rw");
    Ok(url)
}
