//! A process that commits until it is killed, and the tests that kill it or take its disk space away.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{StoreOptions, open_with};
use crate::service::ports::SessionStore;
use crate::store::samples::{commit, named, record, said};

/// Stands in the working folder of a child that commits without end.
const DATABASE: &str = "endless.sqlite";
const SESSION: &str = "abcd-1";

/// The child: commits to the database in its working folder and says of each step whether it was acknowledged.
/// Run as an ordinary test, it does so a few times in a folder of its own.
#[tokio::test]
async fn commits_steps_and_says_so() {
    let is_endless = Path::new(DATABASE).exists();
    let folder = tempfile::tempdir().expect("a folder");
    let database = if is_endless { PathBuf::from(DATABASE) } else { folder.path().join(DATABASE) };
    let store = open_with(&StoreOptions { database, ..StoreOptions::default() }).await.expect("opens");
    store.create(record(SESSION, 0), None, said()).await.expect("creates");
    let mut acknowledged = 0;
    while is_endless || acknowledged < 5 {
        match store.commit(commit(SESSION, acknowledged)).await {
            Ok(()) => {
                acknowledged += 1;
                println!("\n@acknowledged {acknowledged}");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                println!("\n@refused {error}: {cause}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
    assert_eq!(store.get(&named(SESSION)).await.expect("reads").journal_len, acknowledged);
}

/// A running child; killed when dropped.
struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts the child in `folder`, with an optional limit on the size of any file.
    fn start(folder: &Path, max_file_kib: Option<u32>) -> Self {
        std::fs::write(folder.join(DATABASE), "").expect("writes");
        let limit = max_file_kib.map(|kib| format!("trap '' XFSZ; ulimit -S -f {}; ", kib * 2)).unwrap_or_default();
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(format!("{limit}exec \"$0\" --exact --nocapture store::tests::child::commits_steps_and_says_so"))
            .arg(std::env::current_exe().expect("this test"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(process.stdout.take().expect("is piped")).lines();
        Self { process, lines }
    }

    /// The next thing that the child says.
    fn next(&mut self) -> String {
        let mut lines = self.lines.by_ref().map(|line| line.expect("is text"));
        lines.find_map(|line| line.strip_prefix('@').map(str::to_owned)).expect("the child goes on")
    }

    /// Kills the child and gives back the last step that it saw acknowledged.
    fn kill(mut self) -> u64 {
        self.process.kill().expect("is killed");
        let said: Vec<_> = self.lines.by_ref().map_while(Result::ok).collect();
        said.iter().rev().find_map(|line| line.strip_prefix("@acknowledged ")?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

async fn assert_has_all(folder: &Path, acknowledged: u64) {
    let options = StoreOptions { database: folder.join(DATABASE), ..StoreOptions::default() };
    let store = open_with(&options).await.expect("opens");
    let journal = store.journal(&named(SESSION)).await.expect("reads");
    assert!(journal.len() as u64 >= acknowledged, "{} of {acknowledged} steps", journal.len());
    let expected: Vec<_> = (0..journal.len() as u64).flat_map(|step| commit(SESSION, step).journal).collect();
    assert_eq!(journal, expected);
    store.commit(commit(SESSION, journal.len() as u64)).await.expect("goes on");
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_killed_process() {
    for n_steps in [1, 40, 150] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Running::start(folder.path(), None);
        let mut acknowledged = 0;
        for step in 1..=n_steps {
            assert_eq!(child.next(), format!("acknowledged {step}"));
            acknowledged = step;
        }
        let acknowledged = child.kill().max(acknowledged);
        assert_has_all(folder.path(), acknowledged).await;
    }
}

#[tokio::test]
async fn without_space_steps_are_refused_and_with_space_they_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Running::start(folder.path(), Some(1024));
    let mut acknowledged = 0_u64;
    let refusal = loop {
        let said = child.next();
        match said.strip_prefix("acknowledged ") {
            Some(step) => acknowledged = step.parse().expect("a number"),
            None => break said,
        }
    };
    assert!(acknowledged > 0 && refusal.contains("check its space, quota and health"), "{acknowledged} {refusal}");
    let given = Command::new("prlimit").arg(format!("--pid={}", child.process.id())).arg("--fsize=unlimited").status();
    assert!(given.expect("util-linux is there").success());
    let back = (0..1_000).map(|_| child.next()).find(|said| said.starts_with("acknowledged"));
    assert_eq!(back, Some(format!("acknowledged {}", acknowledged + 1)), "goes on where it was");
    let acknowledged = child.kill().max(acknowledged + 1);
    assert_has_all(folder.path(), acknowledged).await;
}
