//! `bonafide score`: recordings on this machine, without a server.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::service::{RecordingReport, score_recording};

use super::engine::Engine;
use super::global::GlobalArgs;
use super::result::{participant_json, row, segment_json, strongest_reasons, table_head};

/// How often a progress bar is drawn.
const TICK: Duration = Duration::from_millis(120);

/// Scores recordings on this machine, without a server.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// Recordings, in any container that FFmpeg reads
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object a file instead of a table
    #[arg(long)]
    pub json: bool,
    /// Picture of the person who should be in the interview (CV or identity photo)
    #[arg(long, value_name = "IMAGE")]
    pub reference: Option<PathBuf>,
    /// Scoring policy to use instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

impl ScoreArgs {
    /// Runs the command: every file is tried, and the exit code says whether all could be scored.
    ///
    /// # Errors
    /// When models, policy or reference cannot be loaded, or at least one file could not be scored.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = super::quiet_telemetry(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), self.policy.as_deref())?;
        let reference = self.reference.as_deref().map(|path| read_reference(&engine, path)).transpose()?;
        if !self.json {
            println!("{}", table_head());
        }
        let mut n_failed = 0_usize;
        for path in &self.files {
            let bar = progress_bar(path, self.json);
            let outcome = score_recording(&engine.pipeline, &engine.policy, path, reference.as_ref(), |at_secs| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar's position")]
                bar.set_position((at_secs.max(0.0) * 1_000.0) as u64);
            });
            bar.finish_and_clear();
            let mut out = std::io::stdout().lock();
            match (outcome, self.json) {
                (Ok(report), true) => writeln!(out, "{}", report_json(path, &report, &engine))?,
                (Ok(report), false) => write!(out, "{}", report_text(path, &report))?,
                (Err(error), true) => {
                    n_failed += 1;
                    let problem = super::report(&anyhow::Error::from(error));
                    writeln!(out, "{}", json!({ "path": path, "error": problem }))?;
                }
                (Err(error), false) => {
                    n_failed += 1;
                    eprintln!("{}: {}", path.display(), super::report(&anyhow::Error::from(error)));
                }
            }
        }
        if n_failed > 0 {
            bail!("{n_failed} of {} files could not be scored", self.files.len());
        }
        Ok(())
    }
}

fn read_reference(engine: &Engine, path: &Path) -> anyhow::Result<crate::vision::Embedding> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the reference {}", path.display()))?;
    engine.pipeline.measure_reference(&bytes).with_context(|| format!("reference {}", path.display()))
}

fn progress_bar(path: &Path, is_json: bool) -> ProgressBar {
    if is_json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let duration_secs = crate::media::Recording::open(path, &crate::media::MediaLimits::default())
        .ok()
        .and_then(|recording| recording.info().duration_secs);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar's length")]
    let bar =
        duration_secs.map_or_else(ProgressBar::no_length, |secs| ProgressBar::new((secs.max(0.0) * 1_000.0) as u64));
    let style = ProgressStyle::with_template("{msg:24!} {wide_bar:.cyan/dim} {percent:>3} % {eta:>4}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    bar.enable_steady_tick(TICK);
    bar
}

fn report_json(path: &Path, report: &RecordingReport, engine: &Engine) -> Value {
    json!({
        "path": path,
        "duration_secs": report.info.duration_secs,
        "decoded_frames": report.decoded_frames,
        "analysed_frames": report.analysed_frames,
        "decode_problem": report.decode_problem,
        "participants": report.participants.iter().map(|(id, score)| participant_json(id, score)).collect::<Vec<_>>(),
        "segments": report.segments.iter().map(segment_json).collect::<Vec<_>>(),
        "versions": {
            "bonafide": env!("CARGO_PKG_VERSION"),
            "policy": engine.policy.name(),
            "models": engine.pipeline.model_versions(),
            "provider": engine.provider,
        },
    })
}

fn report_text(path: &Path, report: &RecordingReport) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for (_, score) in &report.participants {
        let _ = writeln!(text, "{}", row(&name, score));
        for reason in strongest_reasons(score) {
            let _ = writeln!(text, "    {reason}");
        }
    }
    for segment in &report.segments {
        let (start, end) = (segment.start.as_secs_f64(), segment.end.as_secs_f64());
        let _ = writeln!(text, "    {start:.1} s to {end:.1} s {}", segment.level.as_str());
    }
    if let Some(problem) = &report.decode_problem {
        let _ = writeln!(text, "    scored up to where decoding ended: {problem}");
    }
    text
}
