//! What an evaluation that was cut off had found already, so that it goes on and does not begin again.
//!
//! Answers are appended, one line of JSON a file, to `unfinished.jsonl` in the folder of the results, which goes when the
//! results are written. They count only for the same task, framing, policy, models and version, and for a file of the same
//! size and time of change, with the same held-out logit.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::error::EvalError;
use super::manifest::Item;
use super::run::EvalTask;
use crate::scoring::Policy;
use crate::service::Pipeline;
use crate::vision::Embedding;

const FILE: &str = "unfinished.jsonl";

/// An answer that can be kept in a file.
pub(super) trait Answer: Sized {
    /// As JSON; everything that [`Answer::from_json`] needs.
    fn to_json(&self) -> Value;
    /// The same again; `None` when it is not one.
    fn from_json(value: &Value) -> Option<Self>;
}

/// An identity vector that was kept; `None` for none.
pub(super) fn embedding_from_json(value: &Value) -> Option<Embedding> {
    #[expect(clippy::cast_possible_truncation, reason = "they were f32 when they were written")]
    let values =
        value.as_array()?.iter().map(|number| number.as_f64().map(|number| number as f32)).collect::<Option<_>>();
    Embedding::from_unit(values?)
}

/// Answers of an evaluation that is not finished.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    answers: HashMap<String, Value>,
    file: Mutex<File>,
}

impl Unfinished {
    /// Opens the answers in the folder of the results, or begins anew when there are none or they belong to something else.
    ///
    /// # Errors
    /// [`EvalError::Io`] naming the file.
    pub fn open(
        folder: &Path,
        name: &str,
        task: &EvalTask,
        pipeline: &Pipeline,
        policy: &Policy,
    ) -> Result<Self, EvalError> {
        let belongs_to = json!({
            "task": name,
            "framing": format!("{:?}", task.framing),
            "bonafide": env!("CARGO_PKG_VERSION"),
            "models": pipeline.model_versions(),
            "policy": format!("{policy:?}"),
        });
        Self::open_for(folder, &belongs_to)
    }

    fn open_for(folder: &Path, belongs_to: &Value) -> Result<Self, EvalError> {
        std::fs::create_dir_all(folder).map_err(EvalError::write(folder))?;
        let path = folder.join(FILE);
        let answers = read(&path, belongs_to).map_err(EvalError::read(&path))?;
        // Written anew: a line that was torn, and what belongs to something else, go.
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            writeln!(file, "{belongs_to}")?;
            for (key, answer) in &answers {
                writeln!(file, "{}", json!({ "file": key, "answer": answer }))?;
            }
            file.persist(&path).map_err(|error| error.error)
        };
        let file = write().map_err(EvalError::write(&path))?;
        Ok(Self { path, answers, file: Mutex::new(file) })
    }

    /// Answers that were found.
    #[must_use]
    pub fn n_answers(&self) -> usize {
        self.answers.len()
    }

    /// The answer for a file, kept or made now.
    pub(super) fn answer<A: Answer>(
        &self,
        item: &Item,
        work: impl FnOnce() -> Result<A, EvalError>,
    ) -> Result<A, EvalError> {
        let key = key(item);
        if let Some(answer) = self.answers.get(&key).and_then(A::from_json) {
            return Ok(answer);
        }
        let answer = work()?;
        let line = format!("{}\n", json!({ "file": key, "answer": answer.to_json() }));
        let mut kept = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        kept.write_all(line.as_bytes()).map_err(EvalError::write(&self.path))?;
        Ok(answer)
    }

    /// Removes the file: the results are written.
    ///
    /// # Errors
    /// [`EvalError::Io`] naming it.
    pub fn finish(self) -> Result<(), EvalError> {
        std::fs::remove_file(&self.path).map_err(EvalError::write(&self.path))
    }
}

/// Path, size, time of change, and the one thing of a manifest that an answer depends on.
fn key(item: &Item) -> String {
    let file = &item.file;
    let metadata = file.metadata().ok();
    let bytes = metadata.as_ref().map_or(0, std::fs::Metadata::len);
    let modified = metadata.and_then(|metadata| metadata.modified().ok());
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    let held_out = item.held_out.map(|logit| format!(" {logit}")).unwrap_or_default();
    format!("{} {bytes} {}{held_out}", file.display(), since.as_nanos())
}

fn read(path: &Path, belongs_to: &Value) -> std::io::Result<HashMap<String, Value>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::new(file).split(b'\n');
    let parsed = |line: Vec<u8>| serde_json::from_slice::<Value>(&line).ok();
    let first = lines.next().transpose()?.and_then(parsed);
    if first.as_ref() != Some(belongs_to) {
        return Ok(HashMap::new());
    }
    let mut answers = HashMap::new();
    for line in lines {
        let Some(mut line) = parsed(line?) else { continue };
        let answer = line.get_mut("answer").map(Value::take);
        if let (Some(file), Some(answer)) = (line.get("file").and_then(Value::as_str), answer) {
            answers.insert(file.to_owned(), answer);
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;

    use serde_json::{Value, json};

    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{Answer, FILE, Item, Unfinished};

    impl Answer for u64 {
        fn to_json(&self) -> Value {
            json!(self)
        }

        fn from_json(value: &Value) -> Option<Self> {
            value.as_u64()
        }
    }

    fn item(file: &Path, held_out: Option<f64>) -> Item {
        Item {
            path: file.display().to_string(),
            file: file.to_owned(),
            name: "bona_fide".to_owned(),
            source: None,
            species: None,
            group: None,
            groups: BTreeMap::new(),
            held_out,
        }
    }

    #[test]
    fn another_held_out_logit_is_another_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let media = folder.path().join("a.jpg");
        std::fs::write(&media, "picture").expect("writes");
        let ask = |held_out: Option<f64>, answer: u64| {
            let kept = Unfinished::open_for(folder.path(), &json!({ "models": 1 })).expect("opens");
            kept.answer::<u64>(&item(&media, held_out), || Ok(answer)).expect("answers")
        };
        assert_eq!((ask(Some(1.5), 7), ask(Some(1.5), 8)), (7, 7), "kept");
        assert_eq!((ask(Some(-2.0), 9), ask(None, 10)), (9, 10), "the manifest says something else");
    }

    #[test]
    fn what_was_answered_is_not_asked_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (media, asked) = (folder.path().join("a.jpg"), Cell::new(0));
        std::fs::write(&media, "picture").expect("writes");
        let ask = |belongs_to: &Value| {
            let kept = Unfinished::open_for(folder.path(), belongs_to).expect("opens");
            let work = || {
                asked.set(asked.get() + 1);
                Ok(7)
            };
            assert_eq!(kept.answer::<u64>(&item(&media, None), work).expect("answers"), 7);
            kept
        };
        let kept = ask(&json!({ "models": 1 }));
        drop(kept);
        // Killed in the middle of a line.
        let mut file = std::fs::File::options().append(true).open(folder.path().join(FILE)).expect("opens");
        file.write_all(b"{\"file\": \"tor").expect("writes");
        assert_eq!(ask(&json!({ "models": 1 })).n_answers(), 1);
        assert_eq!(asked.get(), 1);
        ask(&json!({ "models": 2 }));
        assert_eq!(asked.get(), 2, "other models give other answers");
        std::fs::write(&media, "another picture").expect("writes");
        let kept = ask(&json!({ "models": 2 }));
        assert_eq!(asked.get(), 3, "the file is another one");
        kept.finish().expect("removes");
        assert!(!folder.path().join(FILE).exists());
    }
}
