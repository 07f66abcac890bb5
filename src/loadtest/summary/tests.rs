//! Tables and verdicts of made-up load tests.

use std::sync::Arc;
use std::time::Duration;

use crate::grpc::ClientOptions;
use crate::loadtest::footage::Footage;
use crate::loadtest::process::Usage;
use crate::loadtest::profile::Profile;
use crate::loadtest::report::{LoadReport, Outcome, SessionRow, WallClock};
use crate::loadtest::run::LoadTask;
use crate::loadtest::session::{Played, Verdict};
use crate::loadtest::tally::{Ending, Tally, Total};
use crate::media::MediaLimits;
use crate::scoring::Level;

fn task() -> LoadTask {
    LoadTask {
        server: ClientOptions::default(),
        profile: Profile::default(),
        n_sessions: 2,
        rate_hz: 15.0,
        secs: 10.0,
        server_pid: None,
        is_alone_first: false,
        limits: MediaLimits::default(),
    }
}

fn footage(name: &str, label: &str) -> Arc<Footage> {
    Arc::new(Footage {
        name: name.to_owned(),
        label: label.to_owned(),
        weight: 1.0,
        pictures: Vec::new(),
        span: Duration::from_secs(4),
        is_whole: true,
    })
}

fn session(number: u64, reel: usize, ending: Ending, level: Option<Level>) -> SessionRow {
    let played = Played {
        ending,
        failure: (ending == Ending::Failed).then(|| "the server went away".to_owned()),
        n_sent: 60,
        n_dropped: 0,
        n_refused: 0,
        latency_p99: Some(Duration::from_millis(120)),
        verdict: level.map(|level| Verdict { level, authenticity: None }),
    };
    SessionRow { number, start_secs: 0.5, reel: Some(reel), played }
}

/// Two seconds in which a hundred frames were sent, so many of them late, and all acknowledged after 12 ms.
fn total(n_late: u32) -> Total {
    let tally = Tally::new(Some(Usage { cpu_secs: 1.0, rss_bytes: 1 << 20 }));
    tally.started();
    for frame in 0..100 {
        tally.due(1);
        tally.sent(frame < n_late, false);
        tally.acknowledged(&[Duration::from_millis(12)], 0, Some(Duration::from_millis(5)));
    }
    tally.second(1.0, Some(Usage { cpu_secs: 1.6, rss_bytes: 9 << 20 }));
    tally.sent_all(Duration::from_secs(2));
    tally.second(2.0, Some(Usage { cpu_secs: 2.0, rss_bytes: 5 << 20 }));
    tally.into_total()
}

fn report(sessions: Vec<SessionRow>, alone: Vec<Option<Level>>, total: Total) -> LoadReport {
    let (task, footages) =
        (task(), [footage("a.mp4", "bona_fide"), footage("b.mp4", "deepfake"), footage("c.mp4", "")]);
    let clock = WallClock { sending_secs: 2.0, all_secs: 2.5 };
    LoadReport::of(&Outcome { task: &task, run: "0000abcd", footages: &footages, alone, sessions, total, clock })
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn levels_are_counted_by_label_and_only_of_what_was_played_to_its_end() {
    let sessions = vec![
        session(1, 0, Ending::Finished, Some(Level::Clear)),
        session(2, 0, Ending::Finished, Some(Level::Inconclusive)),
        session(3, 1, Ending::Finished, Some(Level::Alert)),
        session(4, 1, Ending::Cut, Some(Level::Clear)),
        session(5, 2, Ending::Finished, Some(Level::Clear)),
    ];
    let report = report(sessions, Vec::new(), total(0));
    has(
        &report.table,
        &[
            "FINISHED, BY LABEL  SESSIONS  INCONCLUSIVE        CLEAR  SUSPICIOUS        ALERT\n",
            "(no label)                 1             0  1 (100.0 %)           0            0\n",
            "bona_fide                  2    1 (50.0 %)   1 (50.0 %)           0            0\n",
            "deepfake                   1             0            0           0  1 (100.0 %)\n",
        ],
    );
    assert_eq!(report.json["levels"][2]["levels"]["ALERT"], 1);
    assert_eq!((report.problem, report.json["alone"].is_null()), (None, true));
}

#[test]
fn levels_are_compared_with_those_alone_and_what_differs_is_named() {
    let alone = vec![Some(Level::Clear), Some(Level::Alert), None];
    let sessions = vec![
        session(1, 0, Ending::Finished, Some(Level::Clear)),
        session(2, 0, Ending::Finished, Some(Level::Inconclusive)),
        session(3, 0, Ending::Finished, Some(Level::Inconclusive)),
        session(4, 1, Ending::Finished, Some(Level::Alert)),
        session(5, 1, Ending::Cut, Some(Level::Clear)),
        session(6, 2, Ending::Finished, Some(Level::Clear)),
    ];
    let report = report(sessions, alone, total(0));
    has(&report.table, &["ALONE: 2 of 4 finished sessions have", "    a.mp4: CLEAR alone, INCONCLUSIVE in 2\n"]);
    assert!(!report.table.contains("b.mp4"), "{}", report.table);
    assert_eq!((&report.json["alone"]["n_compared"], &report.json["alone"]["n_equal"]), (&4.into(), &2.into()));
}

#[test]
fn figures_of_frames_and_of_the_server_are_shown() {
    let report = report(vec![session(1, 0, Ending::Finished, Some(Level::Clear))], Vec::new(), total(1));
    has(
        &report.table,
        &[
            "2 sessions of 15 frames/s for 2 s, jpeg within 640x480, 3 recordings\n",
            "latency, due to acknowledged           12.0  12.0  12.0   12.0  12.0\n",
            "1.0 s    0.50 s           0.500 s      9 MiB  5 MiB  9 MiB\n",
        ],
    );
    assert!(!report.table.contains("WARNING"), "one late frame of a hundred is let pass:\n{}", report.table);
    assert_eq!(report.json["latency_millis"]["count"], 100);
}

#[test]
fn a_generator_that_is_too_slow_says_so() {
    let report = report(vec![session(1, 0, Ending::Finished, Some(Level::Clear))], Vec::new(), total(2));
    has(&report.table, &["WARNING: the generator was too slow, not the server: 2.0 % of the frames"]);
}

#[test]
fn failures_and_silence_are_problems() {
    let sessions = vec![session(1, 0, Ending::Finished, Some(Level::Clear)), session(2, 0, Ending::Failed, None)];
    let failed = report(sessions, Vec::new(), total(0));
    assert_eq!(failed.problem.as_deref(), Some("1 of 2 sessions failed, the first: the server went away"));
    assert_eq!(failed.json["failures"][0]["session"], 2);
    let silent = report(vec![session(1, 0, Ending::Cut, None)], Vec::new(), Tally::new(None).into_total());
    assert_eq!(silent.problem.as_deref(), Some("the server acknowledged no frame"));
    has(&silent.table, &["latency, due to acknowledged             –    –    –      –    –\n"]);
}

#[test]
fn every_file_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("made/if/need/be");
    let report = report(vec![session(1, 0, Ending::Finished, Some(Level::Clear))], Vec::new(), total(0));
    report.write(&into).expect("writes");
    let read = |name: &str| std::fs::read_to_string(into.join(name)).expect(name);
    let seconds = read("loadtest.csv");
    assert_eq!(seconds.lines().count(), 3, "{seconds}");
    assert!(seconds.contains("\n1.000,1,0,100,100,0,0,0,12.0"), "{seconds}");
    assert!(
        read("sessions.csv").contains("\nloadtest-0000abcd-1,a.mp4,bona_fide,0.500,finished,CLEAR,,,60,0,0,120.000,\n")
    );
    let latency = read("latency.csv");
    for percentile in ["0,", "50,", "99.9,", "99.99,", "100,"] {
        assert!(latency.contains(&format!("\n{percentile}12.0")), "{percentile} is missing in\n{latency}");
    }
    assert!(read("loadtest.svg").starts_with("<svg "));
    assert!(serde_json::from_str::<serde_json::Value>(&read("report.json")).is_ok());
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").expect("writes");
    let error = report.write(&blocked).expect_err("a file is no folder").to_string();
    assert!(error.contains("file"), "{error}");
}
