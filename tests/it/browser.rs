//! The whole journey of reviewers in headless Chromium, on sessions that were really streamed and scored.
//!
//! `BONAFIDE_BROWSER_MODULES` names the folder of what drives the browser (`tests/browser`), `BONAFIDE_TEST_MEDIA` that of the
//! sample media, of which FFmpeg makes the recordings (`scripts/lib/clips.sh`). With `BONAFIDE_SCREENSHOTS` every page is kept
//! as a picture in that folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::harness::PATIENCE;
use crate::process::Process;

const PASSWORD: &str = "correct horse battery staple";
const CHROMIUM: &str = "/usr/bin/chromium";
const PEOPLE: [(&str, &[&str]); 4] =
    [("rita", &["reviewer"]), ("rolf", &["reviewer"]), ("ines", &["investigator"]), ("adam", &["admin"])];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reviewers_see_compare_and_decide_in_a_browser() {
    let Some(modules) = std::env::var_os("BONAFIDE_BROWSER_MODULES").filter(|_| Path::new(CHROMIUM).exists()) else {
        eprintln!("SKIPPED: BONAFIDE_BROWSER_MODULES is not set, or there is no {CHROMIUM}; run scripts/setup --dev");
        return;
    };
    let Some(recording) = change_of_person().await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = [("BONAFIDE__IDENTITY__ENABLED", "true")];
    let Some(server) = Process::start(folder.path(), &settings).await else { return };
    for (name, roles) in PEOPLE {
        create_account(folder.path(), name, roles).await;
    }
    for (session, candidate, name) in [
        ("browser-first", "ats-4711", "Backend engineer, second round"),
        ("browser-again", "ats-4712", "Data analyst, first round"),
    ] {
        let outcome = bonafide(folder.path())
            .arg("stream")
            .arg(&recording)
            .args(["--to", &format!("http://{}", server.address), "--session", session, "--candidate", candidate])
            .args(["--display-name", name, "--consent-reference", "consent/1", "--speed", "max", "--fps", "10"])
            .output();
        let output = tokio::time::timeout(PATIENCE, outcome).await.expect("in time").expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let compare = "/identity/compare?a=sessions/browser-first&b=sessions/browser-again";
    let task = json!({
        "url": format!("http://{}", server.web_address),
        "chromium": CHROMIUM,
        "password": PASSWORD,
        "reviewer": "rita",
        "second": "rolf",
        "investigator": "ines",
        "admin": "adam",
        "session": "browser-first",
        "stills": true,
        "compare": compare,
        "report": ["/sessions/browser-first/report.pdf?lang=en", "/sessions/browser-first/report.pdf?lang=de", "/sessions/browser-first/report.json"],
        "sweep": [
            ["rita", [
                ["inbox", "/"],
                ["session", "/sessions/browser-first"],
                ["live", "/sessions/browser-first/live"],
                ["technical", "/sessions/browser-first/technical"],
                ["batches", "/batches"],
                ["account", "/account"],
            ]],
            ["ines", [
                ["compare", compare],
                ["identity", "/identity"],
                ["search", "/identity/search?subject=sessions/browser-first"],
                ["scene", "/identity/scene?subject=sessions/browser-first"],
                ["candidates", "/identity/candidates"],
                ["candidate", "/identity/candidates/ats-4711"],
                ["watchlist", "/identity/watchlist"],
            ]],
            ["adam", [
                ["health", "/admin/health"],
                ["settings", "/admin/settings"],
                ["users", "/admin/users"],
                ["audit", "/admin/audit"],
                ["delete", "/sessions/browser-again/delete"],
            ]],
        ],
        "screenshots": std::env::var("BONAFIDE_SCREENSHOTS").unwrap_or_default(),
    });
    let seen = walk(&modules, &task).await;
    println!("{} pages, {}", seen["pages"].as_array().map_or(0, Vec::len), seen["steps"]);
    audit_is_whole(folder.path()).await;
    server.stop().await;
}

/// Two people in one recording, as the demo makes it.
async fn change_of_person() -> Option<PathBuf> {
    let root = env!("CARGO_MANIFEST_DIR");
    let script = "set -euo pipefail; . scripts/lib/common.sh; . scripts/lib/clips.sh; make_clips; printf %s \"$clips\"";
    let output = Command::new("bash").args(["-c", script]).current_dir(root).output().await.expect("there is a bash");
    if !output.status.success() {
        eprintln!("SKIPPED: the demo's recordings cannot be made: {}", String::from_utf8_lossy(&output.stderr).trim());
        return None;
    }
    Some(Path::new(String::from_utf8_lossy(&output.stdout).trim()).join("change-of-person.mp4"))
}

/// The program, with the settings of [`Process`].
fn bonafide(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.env_clear().env("HOME", folder).current_dir(folder).kill_on_drop(true);
    command.env("BONAFIDE__STORE__DATABASE", folder.join("test.sqlite"));
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", path);
    }
    command
}

async fn create_account(folder: &Path, name: &str, roles: &[&str]) {
    let mut command = bonafide(folder);
    command.args(["users", "create", name]).args(roles.iter().flat_map(|role| ["--role", role]));
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(PASSWORD.as_bytes()).await.expect("is read");
    drop(stdin);
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.expect("in time").expect("its status");
    assert!(status.success(), "{name}: {status}");
}

/// Walks the pages; what was seen.
async fn walk(modules: &std::ffi::OsStr, task: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/walk.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .env("BONAFIDE_BROWSER_MODULES", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(task.to_string().as_bytes()).await.expect("is read");
    drop(stdin);
    let output = tokio::time::timeout(4 * PATIENCE, child.wait_with_output()).await.expect("in time").expect("output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_str(&said).expect("one JSON object")
}

async fn audit_is_whole(folder: &Path) {
    let output = bonafide(folder).args(["audit", "verify", "--json"]).output().await.expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
