//! `bonafide serve` as a process of its own, which can be killed and looked at from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::{PATIENCE, models_dir};

/// A running server process.
pub(crate) struct Process {
    /// Where it serves gRPC.
    pub(crate) address: SocketAddr,
    /// Where the review pages are.
    pub(crate) web_address: SocketAddr,
    ops_address: SocketAddr,
    child: Child,
    log: Log,
}

impl Process {
    /// Starts a server on `folder/test.sqlite`; `None`, said aloud, when there are no models.
    pub(crate) async fn start(folder: &Path, settings: &[(&str, &str)]) -> Option<Self> {
        let models_dir = models_dir()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
        command.env_clear().env("HOME", folder).current_dir(folder).arg("serve");
        if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", path);
        }
        command
            .env("BONAFIDE__GRPC__LISTEN", "127.0.0.1:0")
            .env("BONAFIDE__WEB__LISTEN", "127.0.0.1:0")
            .env("BONAFIDE__TELEMETRY__OPS_LISTEN", "127.0.0.1:0")
            .env("BONAFIDE__INFERENCE__MODELS_DIR", models_dir)
            .env("BONAFIDE__INFERENCE__PROVIDER", "cpu")
            .env("BONAFIDE__STORE__DATABASE", folder.join("test.sqlite"))
            .env("BONAFIDE__SERVICE__COMMIT_INTERVAL_MILLIS", "5")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let log = Log::default();
        log.follow(child.stdout.take().expect("piped"));
        log.follow(child.stderr.take().expect("piped"));
        let address = log.value_after("serves gRPC on ").await;
        let web_address = log.value_after("review pages on http://").await;
        let ops_address = log.value_after("ops.address=").await;
        Some(Self { address, web_address, ops_address, child, log })
    }

    /// Kills it without any warning.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// Asks it to stop, as an operator's tools do.
    pub(crate) async fn terminate(&self) {
        let pid = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await.expect("there is a kill");
        assert!(asked.success());
    }

    /// Waits until it ended by itself, with everything that it said.
    pub(crate) async fn wait(mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("in time").expect("its status");
        (status, self.log.to_end().await)
    }

    /// Stops it in order, and checks that it did not panic.
    pub(crate) async fn stop(self) {
        self.terminate().await;
        let (status, said) = self.wait().await;
        assert!(status.success(), "{status}:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Bytes of its memory that are in RAM.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1_024
    }

    /// Its metrics now.
    pub(crate) async fn metrics(&self) -> Metrics {
        let mut stream = TcpStream::connect(self.ops_address).await.expect("it listens");
        let request = "GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Metrics(answer)
    }

    /// Waits until its metrics are as wanted.
    pub(crate) async fn wait_for_metrics(&self, what: &str, is_so: impl Fn(&Metrics) -> bool) {
        let waiting = async {
            while !is_so(&self.metrics().await) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let is_late = tokio::time::timeout(PATIENCE, waiting).await.is_err();
        assert!(!is_late, "waited too long for {what}:\n{}", self.metrics().await.0);
    }
}

/// Metrics in Prometheus' text format.
pub(crate) struct Metrics(String);

impl Metrics {
    /// The value of a series, written as in the text; 0 when it was never touched.
    pub(crate) fn value(&self, series: &str) -> f64 {
        let of_line = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        self.0.lines().find_map(of_line).unwrap_or(0.0)
    }

    /// The sum over all series of a metric whose labels hold `label`.
    pub(crate) fn sum(&self, metric: &str, label: &str) -> f64 {
        let of_line = |line: &str| -> Option<f64> {
            let (labels, value) = line.strip_prefix(metric)?.strip_prefix('{')?.split_once("} ")?;
            if labels.contains(label) { value.parse().ok() } else { None }
        };
        self.0.lines().filter_map(of_line).sum()
    }
}

impl std::fmt::Display for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the process says, line by line.
#[derive(Default)]
struct Log {
    said: Arc<Mutex<String>>,
    grown: watch::Sender<()>,
    readers: Mutex<Vec<JoinHandle<()>>>,
}

impl Log {
    fn follow(&self, from: impl AsyncRead + Unpin + Send + 'static) {
        let (said, grown) = (Arc::clone(&self.said), self.grown.clone());
        let reader = tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                {
                    let mut said = said.lock().expect("no panic under the lock");
                    said.push_str(&line);
                    said.push('\n');
                }
                if line.contains("DEBUG") {
                    eprintln!("{line}");
                }
                grown.send_replace(());
            }
        });
        self.readers.lock().expect("no panic under the lock").push(reader);
    }

    fn text(&self) -> String {
        self.said.lock().expect("no panic under the lock").clone()
    }

    /// Everything, once the process has ended.
    async fn to_end(&self) -> String {
        let readers = std::mem::take(&mut *self.readers.lock().expect("no panic under the lock"));
        for reader in readers {
            reader.await.expect("no panic");
        }
        self.text()
    }

    /// The address that follows `mark`, once it is said.
    async fn value_after(&self, mark: &str) -> SocketAddr {
        let mut grown = self.grown.subscribe();
        let waiting = async {
            loop {
                grown.mark_unchanged();
                let text = self.text();
                let found = text.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
                if let Some(found) = found {
                    return found;
                }
                let is_over = grown.changed().await.is_err();
                assert!(!is_over, "the process ended:\n{}", self.text());
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{mark} is not said:\n{}", self.text()))
    }
}
