//! `bonafide eval`: error rates on labelled data, through the shipped path.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::eval::{
    Bench, EvalError, EvalReport, EvalTask, Framing, evaluate_presentation, evaluate_session, evaluate_splice,
    evaluate_verification,
};

use super::engine::Engine;
use super::global::GlobalArgs;

/// How often a progress bar is drawn.
const TICK: Duration = Duration::from_millis(120);

/// An evaluation.
type Work = fn(&Bench<'_>, &EvalTask) -> Result<EvalReport, EvalError>;

/// Measures error rates on labelled images or recordings.
#[derive(Clone, Debug, Subcommand)]
pub enum EvalCommand {
    /// Tells pictures of one person from pictures of two
    Verification(ImageArgs),
    /// Tells photographs and screens held before the camera from people
    Presentation(ImageArgs),
    /// Scores whole recordings as a server would
    Session(EvalArgs),
    /// Splices recordings of different people and measures how soon the change is told
    Splice(EvalArgs),
}

/// What is evaluated, and where the results go.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// CSV file with the columns path and label (or identity), and if there group, source, species [default: folders
    /// below the root are labels]
    #[arg(long, value_name = "CSV")]
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Folder for scores.csv, report.json, report.md and plots; made if need be
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Scoring policy to use instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// The same for images.
#[derive(Clone, Debug, Args)]
pub struct ImageArgs {
    /// What, and where to.
    #[command(flatten)]
    pub eval: EvalArgs,
    /// Every image is a tight crop around one face
    #[arg(long)]
    pub face_crop: bool,
}

impl EvalCommand {
    /// Runs the evaluation, prints its report and writes its files.
    ///
    /// # Errors
    /// When models, policy or manifest cannot be read, a model fails, or the results cannot be written.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let (work, args, framing): (Work, &EvalArgs, Framing) = match self {
            Self::Verification(args) => (evaluate_verification, &args.eval, args.framing()),
            Self::Presentation(args) => (evaluate_presentation, &args.eval, args.framing()),
            Self::Session(args) => (evaluate_session, args, Framing::Scene),
            Self::Splice(args) => (evaluate_splice, args, Framing::Scene),
        };
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), args.policy.as_deref())?;
        let task = EvalTask { manifest: args.manifest.clone(), root: args.root.clone(), framing };
        let report = with_bench(&engine, |bench| work(bench, &task))?;
        report.write(&args.out)?;
        write!(std::io::stdout().lock(), "{}", report.markdown)?;
        Ok(())
    }
}

impl ImageArgs {
    const fn framing(&self) -> Framing {
        if self.face_crop { Framing::FaceCrop } else { Framing::Scene }
    }
}

/// Runs work that tells how far it is, with a bar on a terminal.
pub(super) fn with_bench<T>(
    engine: &Engine,
    work: impl FnOnce(&Bench<'_>) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{wide_bar:.cyan/dim} {pos}/{len} {eta:>4}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    let progress = |n_done: usize, n_all: usize| {
        bar.set_length(n_all as u64);
        bar.set_position(n_done as u64);
    };
    let outcome = work(&Bench { pipeline: &engine.pipeline, policy: &engine.policy, progress: &progress });
    bar.finish_and_clear();
    outcome
}
