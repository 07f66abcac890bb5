//! What an evaluation leaves behind: `scores.csv`, `report.json`, `report.md` and plots.

use std::path::Path;

use serde_json::{Value, json};

use super::error::EvalError;
use super::run::Bench;

/// One line of `scores.csv`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ScoreRow {
    /// As in the manifest.
    pub(super) path: String,
    /// As in the manifest.
    pub(super) label: String,
    /// Attack score, 0..=1, higher = more likely an attack; `None` when not assessable.
    pub(super) score: Option<f64>,
    /// Calibrated evidence, natural logarithm, positive supports bona fide.
    pub(super) llr: Option<f64>,
    /// Why it is not assessable.
    pub(super) reason: Option<String>,
}

/// What an evaluation found.
#[derive(Clone, Debug)]
pub struct EvalReport {
    /// `report.md`.
    pub markdown: String,
    /// `report.json`.
    pub json: Value,
    /// `scores.csv`.
    pub(super) rows: Vec<ScoreRow>,
    /// Further files: name and content.
    pub(super) plots: Vec<(&'static str, String)>,
}

impl EvalReport {
    /// Writes every file into a folder, which is made if need be.
    ///
    /// # Errors
    /// [`EvalError::Io`] naming the file.
    pub fn write(&self, folder: &Path) -> Result<(), EvalError> {
        std::fs::create_dir_all(folder).map_err(EvalError::write(folder))?;
        let write = |name: &str, content: &str| {
            let path = folder.join(name);
            std::fs::write(&path, content).map_err(EvalError::write(&path))
        };
        write("report.md", &self.markdown)?;
        write("report.json", &format!("{:#}\n", self.json))?;
        for (name, content) in &self.plots {
            write(name, content)?;
        }
        write("scores.csv", &self.scores_csv())
    }

    /// `scores.csv` as text.
    fn scores_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = writer.write_record(["path", "label", "score", "llr", "reason"]);
        for row in &self.rows {
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
            let (score, llr) = (number(row.score), number(row.llr));
            let reason = row.reason.as_deref().unwrap_or_default();
            let _ = writer.write_record([row.path.as_str(), row.label.as_str(), &score, &llr, reason]);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }
}

/// What the figures belong to: code, policy, models.
pub(super) fn versions(bench: &Bench<'_>) -> Value {
    json!({
        "bonafide": env!("CARGO_PKG_VERSION"),
        "policy": bench.policy.name(),
        "models": bench.pipeline.model_versions(),
    })
}

/// A share as a percentage with its interval, for tables.
pub(super) fn percent(share: f64, interval: Option<(f64, f64)>) -> String {
    let digits = if share > 0.0 && share < 0.001 { 3 } else { 1 };
    let part = |value: f64| format!("{:.digits$}", value * 100.0);
    match interval {
        Some((low, high)) => format!("{} % ({} to {})", part(share), part(low), part(high)),
        None => format!("{} %", part(share)),
    }
}

/// A number of four digits with its interval, for tables.
pub(super) fn figure(value: Option<f64>, interval: Option<(f64, f64)>) -> String {
    match (value, interval) {
        (Some(value), Some((low, high))) => format!("{value:.4} ({low:.4} to {high:.4})"),
        (Some(value), None) => format!("{value:.4}"),
        (None, _) => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EvalReport, ScoreRow, figure, percent};

    #[test]
    fn the_table_has_exactly_the_documented_columns() {
        let folder = tempfile::tempdir().expect("a folder");
        let row = |path: &str, score: Option<f64>, reason: Option<&str>| ScoreRow {
            path: path.to_owned(),
            label: "attack".to_owned(),
            score,
            llr: score.map(|score| 0.5 - score),
            reason: reason.map(str::to_owned),
        };
        let report = EvalReport {
            markdown: "# Report\n".to_owned(),
            json: json!({ "n": 2 }),
            rows: vec![row("a, b.jpg", Some(0.25), None), row("c.jpg", None, Some("face.none"))],
            plots: vec![("roc.svg", "<svg/>".to_owned())],
        };
        report.write(&folder.path().join("deep/out")).expect("writes");
        let written = std::fs::read_to_string(folder.path().join("deep/out/scores.csv")).expect("is there");
        let expected =
            "path,label,score,llr,reason\n\"a, b.jpg\",attack,0.250000,0.250000,\nc.jpg,attack,,,face.none\n";
        assert_eq!(written, expected);
        for name in ["report.md", "report.json", "roc.svg"] {
            assert!(folder.path().join("deep/out").join(name).is_file(), "{name}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.123_4, Some((0.1, 0.2))), "12.3 % (10.0 to 20.0)");
        assert_eq!(percent(0.000_05, None), "0.005 %");
        assert_eq!(figure(None, None), "–");
        assert_eq!(figure(Some(0.5), None), "0.5000");
    }
}
