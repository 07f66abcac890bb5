//! `bonafide loadtest`: many plugins at once against a server.

use std::error::Error as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::error::{ErrorKind, Kinded as _};
use crate::grpc::ClientOptions;
use crate::loadtest::{LoadError, LoadReport, LoadTask, Profile, Progress, Second};

use super::error::UsageError;
use super::global::GlobalArgs;
use super::stream::{parse_rate, read_key};

/// Threads of the generator: its work is to wait and to hand over bytes.
const THREADS: usize = 2;

/// Puts a load on a server: recordings played as interviews by many plugins at once, every frame sent when it is due.
#[derive(Clone, Debug, Args)]
pub struct LoadtestArgs {
    /// Recordings, in any container that FFmpeg reads; added to those of the profile, without a label
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The server, such as `http://127.0.0.1:50051`
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Sessions that are live at one time
    #[arg(long, value_name = "N")]
    pub sessions: usize,
    /// Frames a second of each session
    #[arg(long, value_name = "HZ", value_parser = parse_rate)]
    pub fps: f64,
    /// What the load is made of (JSON); docs/loadtest.md has the keys
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Seconds for which frames are sent
    #[arg(long, value_name = "SECS", default_value_t = 60.0)]
    pub secs: f64,
    /// Folder for loadtest.csv, sessions.csv, latency.csv, loadtest.svg and report.json; made if need be
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Process of the server, if it is on this machine: its CPU time and memory are reported, too (Linux)
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// First play each recording by itself, in real time, and compare the levels
    #[arg(long)]
    pub alone: bool,
    /// File that holds the API key, and nothing else; a key on the command line would show in process lists
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Authority of the server's certificate (PEM), for https
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
}

impl LoadtestArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// When the load cannot begin, no frame was acknowledged, or a session failed; [`UsageError`] for a wrong profile or flag.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = super::quiet_telemetry(&config.get().telemetry)?;
        let mut profile = match &self.profile {
            Some(path) => Profile::read(path).map_err(usage)?,
            None => Profile::default(),
        };
        self.files.iter().for_each(|file| profile.add_file(file.clone()));
        let task = LoadTask {
            server: ClientOptions {
                endpoint: self.to.clone(),
                api_key: self.api_key_file.as_deref().map(read_key).transpose()?,
                ca_cert: self.ca_cert.clone(),
            },
            profile,
            n_sessions: self.sessions,
            rate_hz: self.fps,
            secs: self.secs,
            server_pid: self.server_pid,
            is_alone_first: self.alone,
            limits: config.get().media,
        };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let report = runtime.worker_threads(THREADS).enable_all().build()?.block_on(load(&task)).map_err(usage)?;
        print!("{}", report.table);
        if let Some(folder) = &self.out {
            report.write(folder)?;
        }
        report.problem.map_or(Ok(()), |problem| Err(anyhow::anyhow!(problem)))
    }
}

/// Runs the load; an interrupt ends it early and in order, a second one at once.
async fn load(task: &LoadTask) -> Result<LoadReport, LoadError> {
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let interrupts = tokio::spawn(async move {
        // Where signals cannot be heard, the system's own answer to them stays.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        stopper.cancel();
        tokio::signal::ctrl_c().await.ok();
    });
    let is_terminal = std::io::stderr().is_terminal();
    let tell = |progress: Progress<'_>| eprintln!("{}", progress_line(&progress, is_terminal));
    tokio::select! {
        report = crate::loadtest::run(task, &tell, &stop) => report,
        _twice = interrupts => Err(LoadError::Interrupted),
    }
}

/// What is wrong with the command, told apart from what went wrong.
fn usage(error: LoadError) -> anyhow::Error {
    if error.kind() == ErrorKind::InvalidInput {
        let because = error.source().map_or_else(String::new, |source| format!(": {source}"));
        return UsageError(format!("{error}{because}")).into();
    }
    error.into()
}

/// One line of progress: for people at a terminal, one JSON object otherwise.
fn progress_line(progress: &Progress<'_>, is_terminal: bool) -> String {
    if is_terminal { progress_text(progress) } else { progress_json(progress).to_string() }
}

fn progress_text(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Prepared { n_done, n_recordings } => format!("prepared {n_done} of {n_recordings} recordings"),
        Progress::Slow { recording, rate_hz } => {
            format!("{recording} has {rate_hz:.1} frames/s, fewer than asked for: all of them are sent")
        }
        Progress::Alone { n_done, n_recordings, recording, level } => {
            format!("alone {n_done} of {n_recordings}: {recording} {}", level.as_str())
        }
        Progress::Second(second) => second_text(second),
    }
}

fn second_text(second: &Second) -> String {
    let latency = second.latency.map_or_else(
        || "nothing acknowledged".to_owned(),
        |latency| {
            format!("p50 {:.0} p99 {:.0} max {:.0} ms", latency.p50_millis, latency.p99_millis, latency.max_millis)
        },
    );
    let server = second.server_cpu_secs.zip(second.server_rss_bytes).map_or_else(String::new, |(cpu_secs, bytes)| {
        format!("  server {cpu_secs:.2} s CPU, {:.0} MiB", bytes as f64 / 1_048_576.0)
    });
    let errors = if second.n_errors + second.n_refused > 0 {
        format!("  {} refused, {} errors", second.n_refused, second.n_errors)
    } else {
        String::new()
    };
    format!(
        "{:>5.0} s  {:>4} live  {:>5} sent  {:>5} acknowledged  {:>4} dropped  {latency}{server}{errors}",
        second.secs, second.n_live, second.n_sent, second.n_acknowledged, second.n_dropped
    )
}

fn progress_json(progress: &Progress<'_>) -> Value {
    match progress {
        Progress::Prepared { n_done, n_recordings } => {
            json!({ "event": "prepared", "done": n_done, "recordings": n_recordings })
        }
        Progress::Slow { recording, rate_hz } => {
            json!({ "event": "slow_recording", "recording": recording, "frames_per_second": rate_hz })
        }
        Progress::Alone { n_done, n_recordings, recording, level } => json!({
            "event": "alone",
            "done": n_done,
            "recordings": n_recordings,
            "recording": recording,
            "level": level.as_str(),
        }),
        Progress::Second(second) => json!({
            "event": "second",
            "secs": second.secs,
            "live_sessions": second.n_live,
            "ending_sessions": second.n_ending,
            "frames_sent": second.n_sent,
            "frames_acknowledged": second.n_acknowledged,
            "frames_dropped": second.n_dropped,
            "frames_refused": second.n_refused,
            "errors": second.n_errors,
            "latency_p50_millis": second.latency.map(|latency| latency.p50_millis),
            "latency_p99_millis": second.latency.map(|latency| latency.p99_millis),
            "latency_max_millis": second.latency.map(|latency| latency.max_millis),
            "server_cpu_secs": second.server_cpu_secs,
            "server_rss_bytes": second.server_rss_bytes,
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::loadtest::{Progress, Second, Spread};

    use super::progress_line;

    #[test]
    fn a_second_is_a_line_for_people_and_an_object_for_programs() {
        let second = Second {
            secs: 12.0,
            n_live: 4,
            n_ending: 1,
            n_sent: 60,
            n_acknowledged: 58,
            n_dropped: 2,
            n_refused: 0,
            n_errors: 0,
            latency: Some(Spread { p50_millis: 10.2, p99_millis: 40.0, max_millis: 55.5 }),
            server_cpu_secs: Some(1.25),
            server_rss_bytes: Some(300 << 20),
        };
        let line = progress_line(&Progress::Second(&second), true);
        let expected = "   12 s     4 live     60 sent     58 acknowledged     2 dropped  p50 10 p99 40 max 56 ms  server 1.25 s \
                        CPU, 300 MiB";
        assert_eq!(line, expected);
        let line = progress_line(&Progress::Second(&Second { latency: None, n_errors: 3, ..second.clone() }), true);
        assert!(line.contains("nothing acknowledged") && line.ends_with("0 refused, 3 errors"), "{line}");
        let object: serde_json::Value =
            serde_json::from_str(&progress_line(&Progress::Second(&second), false)).expect("one object");
        assert_eq!((&object["event"], &object["frames_dropped"]), (&"second".into(), &2.into()));
    }
}
