//! The binary as a script sees it: output, exit code, messages.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary with nothing of this process's environment but what is given, in an empty folder.
fn bonafide(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.env_clear().env("HOME", "/home/operator").envs(variables.iter().copied()).current_dir(folder);
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", path);
    }
    command.args(arguments).output().expect("runs")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn config_check_prints_what_is_in_effect() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bonafide.toml"), "[store]\nread_connections = 9\n").expect("writes");
    let output = bonafide(
        folder.path(),
        &[("BONAFIDE__TELEMETRY__LOG_LEVEL", "warn")],
        &["config", "check", "--log-format", "json"],
    );
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    for line in [
        "read_connections = 9  # bonafide.toml",
        "log_level = \"warn\"  # environment variable BONAFIDE__TELEMETRY__LOG_LEVEL",
        "log_format = \"json\"  # flag --log-format",
        "database = \"/home/operator/.local/share/bonafide/bonafide.sqlite\"",
    ] {
        assert!(out.contains(line), "{line} is missing in\n{out}");
    }
}

#[test]
fn bad_configurations_exit_with_2_and_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("other.toml"), "[store]\nread_conections = 9\n").expect("writes");
    let output = bonafide(folder.path(), &[], &["config", "check", "--config", "other.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let expected = "error: unknown key store.read_conections in other.toml: did you mean read_connections?\n";
    assert_eq!((said(&output.stderr).as_str(), output.stdout.len()), (expected, 0));
    let output = bonafide(folder.path(), &[], &["config", "check", "--config", "missing.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let lines = said(&output.stderr);
    assert!(
        lines.starts_with("error: cannot read configuration file missing.toml\n  because: No such file"),
        "{lines}"
    );
    for arguments in [&["--no-such-flag"][..], &["no-such-command"], &[], &["healthcheck", "--timeout-secs", "-1"]] {
        assert_eq!(bonafide(folder.path(), &[], arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["config", "check", "--help"]] {
        assert_eq!(bonafide(folder.path(), &[], arguments).status.code(), Some(0), "{arguments:?}");
    }
}

/// Answers one connection with these bytes.
fn answer_once(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("is bound").to_string();
    let server = std::thread::Builder::new().name("answer-once".to_owned());
    let serve = move || {
        let (mut stream, _from) = listener.accept().expect("accepts");
        let mut request = [0; 1_024];
        let n_read = stream.read(&mut request).expect("reads");
        assert!(said(&request[..n_read]).starts_with("GET /readyz HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).expect("answers");
    };
    drop(server.spawn(serve).expect("starts"));
    address
}

#[test]
fn healthcheck_tells_ready_from_not_ready_and_from_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let check =
        |address: &str| bonafide(folder.path(), &[("BONAFIDE__TELEMETRY__OPS_LISTEN", address)], &["healthcheck"]);
    let ready = check(&answer_once("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nready\n"));
    assert_eq!((ready.status.code(), said(&ready.stdout).as_str()), (Some(0), "ready\n"));
    let busy = check(&answer_once("HTTP/1.1 503 Service Unavailable\r\n\r\nnot ready: models are warming up\n"));
    assert_eq!(
        (busy.status.code(), said(&busy.stderr).as_str()),
        (Some(1), "error: not ready: models are warming up\n")
    );
    let unused =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("binds").to_string();
    let absent = check(&unused);
    assert_eq!(absent.status.code(), Some(1));
    assert!(said(&absent.stderr).contains("no server answers at"), "{}", said(&absent.stderr));

    // Someone listens and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = silent.local_addr().expect("is bound").to_string();
    let late = bonafide(folder.path(), &[], &["healthcheck", "--ops-address", &address, "--timeout-secs", "0.2"]);
    assert_eq!(late.status.code(), Some(1));
    assert!(said(&late.stderr).contains("no answer within 0.2 s"), "{}", said(&late.stderr));
}

/// ONNX Runtime's wheels from 1.30 on carry a client that reports to its maker; where it starts, it leaves a device id and a
/// database in the cache folder.
#[test]
fn the_runtime_reports_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, home) = (folder.path().join("cache"), std::env::var_os("HOME").unwrap_or_default());
    let models = std::env::var_os("BONAFIDE_TEST_MODELS_DIR")
        .map_or_else(|| Path::new(&home).join(".cache/bonafide/models"), Into::into);
    if !models.join("ultraface.onnx").exists() {
        println!("SKIPPED: the models are not fetched; run `bonafide models fetch`");
        return;
    }
    let path = |path: &Path| path.to_str().expect("readable").to_owned();
    let (cache_path, models) = (path(&cache), path(&models));
    let variables = [("XDG_CACHE_HOME", cache_path.as_str()), ("BONAFIDE__INFERENCE__MODELS_DIR", &models)];
    let output = bonafide(folder.path(), &variables, &["models", "verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    assert!(!cache.exists(), "something was written to the cache folder");
}
