//! A PostgreSQL server of the tests' own, on a socket and a port that nobody else has.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tempfile::TempDir;

use super::{SqlStore, StoreOptions, open_with};
use crate::store::{Connection, PostgresUrl};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; stopped and forgotten when dropped.
pub(super) struct Server {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts one, or says on standard error that PostgreSQL is not installed.
    pub(super) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let owner = owner();
        if let Some(owner) = owner {
            let given = Command::new("chown").arg(owner).arg(folder.path()).status().expect("coreutils are there");
            assert!(given.success());
        }
        let made = as_owner(owner, &programs.join("initdb"))
            .args(["--auth=trust", "--username=bonafide", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("initdb starts");
        assert!(made.success(), "initdb fails");
        let port = free_port();
        let process = as_owner(owner, &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=50", "-p"])
            .arg(port.to_string())
            .arg("-k")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        let server = Self { process, folder, port };
        let began = Instant::now();
        sqlx::any::install_default_drivers();
        while Connection::connect(&server.url("postgres")).await.is_err() {
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(server)
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://bonafide@127.0.0.1:{}/{database}", self.port)
    }

    pub(super) fn options(&self, database: &str) -> StoreOptions {
        StoreOptions { postgres_url: PostgresUrl::new(self.url(database)), ..StoreOptions::default() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The owner's process does not listen to us; its own tool asks it to stop at once.
        if let Some(programs) = programs() {
            let data = self.folder.path().join("data");
            let mut stop = as_owner(owner(), &programs.join("pg_ctl"));
            stop.args(["stop", "--mode=immediate", "--wait", "--pgdata"]).arg(data).stdout(Stdio::null());
            drop(stop.status());
        }
        drop(self.process.wait());
    }
}

/// A new store on a server of its own.
pub(super) async fn open() -> Option<(Arc<SqlStore>, Server)> {
    let server = Server::start().await?;
    let store = open_with(&server.options("postgres")).await.expect("opens");
    Some((store, server))
}

/// Where Debian puts the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|folder| folder.join("postgres").exists()).max()
}

/// PostgreSQL refuses to run as root; then its own account does it.
fn owner() -> Option<&'static str> {
    let id = Command::new("id").arg("-u").output().expect("coreutils are there");
    (id.stdout == b"0\n").then_some("postgres")
}

fn as_owner(owner: Option<&str>, program: &Path) -> Command {
    let Some(owner) = owner else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", owner, "--regid", owner, "--clear-groups", "--"]).arg(program).current_dir("/");
    command
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("has one").port()
}

#[tokio::test]
async fn two_servers_on_one_database_extend_one_audit_log() {
    use crate::service::ports::SessionStore;
    use crate::store::samples::{record, said};

    let Some((first, server)) = open().await else { return };
    let second = open_with(&server.options("postgres")).await.expect("opens");
    let stores = [first, second];
    let creations = (0..40).map(|number| {
        let store = Arc::clone(&stores[number % 2]);
        async move { store.create(record(&format!("abcd-{number}"), 0), None, said()).await }
    });
    for outcome in futures_util::future::join_all(creations).await {
        outcome.expect("creates");
    }
    let summary = super::audit::verify(&server.options("postgres")).await.expect("in order");
    assert_eq!(summary.n_rows, 41);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_refused_without_its_password() {
    let url = format!("postgres://someone:s3cret@127.0.0.1:{}/nowhere", free_port());
    let options = StoreOptions { postgres_url: PostgresUrl::new(url), ..StoreOptions::default() };
    let error = open_with(&options).await.expect_err("nobody listens");
    assert!(!format!("{error:?} {options:?}").contains("s3cret"), "{error:?}");
    let no_url = StoreOptions { postgres_url: PostgresUrl::new("s3cret nonsense".to_owned()), ..options };
    let error = open_with(&no_url).await.expect_err("is no address");
    assert!(!format!("{error:?}").contains("s3cret") && format!("{error:?}").contains("postgres://"), "{error:?}");
}
