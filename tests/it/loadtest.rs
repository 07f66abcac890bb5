//! `bonafide loadtest` as an operator runs it, against `bonafide serve` as it ships.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::process::Process;

/// A recording of four seconds.
const RECORDING: &str = "carphone_pristine.mp4";

/// The sample recording; `None`, said aloud, without it.
fn recording() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("BONAFIDE_TEST_MEDIA").unwrap_or_default()).join(RECORDING);
    if !path.exists() {
        eprintln!("SKIPPED: {RECORDING} is not in BONAFIDE_TEST_MEDIA");
        return None;
    }
    Some(path)
}

async fn loadtest(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.env_clear().env("HOME", folder).current_dir(folder).arg("loadtest").args(arguments);
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", path);
    }
    command.kill_on_drop(true).output().await.expect("runs")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

/// The columns of a CSV file, by row.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.expect("a row").iter().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_load_is_accounted_for_to_the_last_frame() {
    let Some(recording) = recording() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let Some(server) = Process::start(folder.path(), &[]).await else { return };
    let profile = serde_json::json!({
        "width": 320,
        "height": 240,
        "sessions_per_connection": 2,
        "interviews": [{ "file": recording, "label": "bona_fide" }],
    });
    std::fs::write(folder.path().join("profile.json"), profile.to_string()).expect("writes");
    let (url, pid) = (format!("http://{}", server.address), server.id().to_string());
    let arguments = [
        "--to",
        &url,
        "--sessions",
        "2",
        "--fps",
        "5",
        "--secs",
        "7",
        "--profile",
        "profile.json",
        "--alone",
        "--server-pid",
        &pid,
        "--out",
        "results",
    ];
    let output = loadtest(folder.path(), &arguments).await;
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");

    let results = folder.path().join("results");
    let report: Value = serde_json::from_str(&read(&results, "report.json")).expect("JSON");
    let count = |key: &str| report["counts"][key].as_u64().unwrap_or_else(|| panic!("{key} is no count: {report}"));
    // Four seconds each: both places see one recording to its end, and the next one is cut.
    assert_eq!((count("sessions_finished"), count("sessions_cut"), count("sessions_failed")), (2, 2, 0), "{report}");
    assert!(count("frames_due") >= count("frames_sent"), "{report}");
    assert_eq!((count("frames_unanswered"), count("frames_refused")), (0, 0), "{report}");
    assert_eq!(count("frames_acknowledged"), count("frames_sent"));
    assert!(count("frames_sent") > 2 * 5 * 5, "{report}");
    assert_eq!(report["latency_millis"]["count"], report["counts"]["frames_sent"]);
    assert!(report["latency_millis"]["p50"].as_f64() >= report["server_millis"]["p50"].as_f64(), "{report}");
    assert!(report["server"]["cpu_secs"].as_f64() > Some(0.0), "{report}");
    assert_eq!(report["alone"]["n_compared"], 2);
    assert_eq!(report["alone"]["n_equal"], 2, "so small a load changes no verdict: {report}");

    let sessions = rows(&read(&results, "sessions.csv"));
    let column = |name: &str| sessions[0].iter().position(|column| column == name).expect(name);
    let (level, label, ending) = (column("level"), column("label"), column("ending"));
    assert_eq!(sessions.len(), 5);
    for session in &sessions[1..] {
        assert_eq!((session[level].as_str(), session[label].as_str()), ("INCONCLUSIVE", "bona_fide"), "{session:?}");
        assert!(["finished", "cut"].contains(&session[ending].as_str()), "{session:?}");
    }
    let seconds = rows(&read(&results, "loadtest.csv"));
    let sent = seconds[0].iter().position(|column| column == "frames_sent").expect("a column");
    let of_seconds: u64 = seconds[1..].iter().map(|second| second[sent].parse::<u64>().expect("a count")).sum();
    assert_eq!(of_seconds, count("frames_sent"));
    assert!(read(&results, "latency.csv").starts_with("percentile,latency_millis,server_millis\n"));
    assert!(read(&results, "loadtest.svg").ends_with("</svg>\n"));

    for part in ["ACKNOWLEDGED", "bona_fide", "A SESSION SECOND", "ALONE: 2 of 2 finished sessions"] {
        assert!(out.contains(part), "{part:?} is missing in\n{out}");
    }
    let progress: Vec<Value> = err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let n_of = |event: &str| progress.iter().filter(|line| line["event"] == event).count();
    assert_eq!((n_of("prepared"), n_of("alone"), n_of("second")), (1, 1, seconds.len() - 1), "{err}");
    server.stop().await;
}

#[tokio::test]
async fn wrong_commands_exit_with_2_and_an_absent_server_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wrong.json"), r#"{"widht": 640}"#).expect("writes");
    let to = ["--to", "http://127.0.0.1:1", "--sessions", "1", "--fps", "5"];
    let with = |more: &[&'static str]| to.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
    for (arguments, code, part) in [
        (with(&["--profile", "wrong.json"]), 2, "unknown field `widht`"),
        (with(&["--profile", "missing.json"]), 2, "missing.json"),
        (with(&[]), 2, "interviews is empty"),
        (with(&["--secs", "0", "x.mp4"]), 2, "--secs"),
        (vec!["--to", "http://127.0.0.1:1", "--sessions", "0", "--fps", "5", "x.mp4"], 2, "--sessions"),
        (with(&["--server-pid", "4294967295", "x.mp4"]), 2, "--server-pid 4294967295"),
        (with(&["x.mp4"]), 1, "cannot connect"),
        (vec!["--sessions", "1", "x.mp4"], 2, "--to"),
    ] {
        let output = loadtest(folder.path(), &arguments).await;
        let err = said(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {part:?} is missing in {err}");
        assert!(output.stdout.is_empty(), "results only");
    }
}
