//! `bonafide eval`: error rates on labelled data, through the shipped path.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::eval::{
    Bench, EvalError, EvalReport, EvalTask, Framing, Unfinished, evaluate_deepfake, evaluate_identification,
    evaluate_presentation, evaluate_scene, evaluate_sequential, evaluate_session, evaluate_splice,
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
    /// Searches for people among many, enrolled and never enrolled
    Identification(ImageArgs),
    /// Tells pictures of one place from pictures of two, whoever sits before it
    Scene(EvalArgs),
    /// Tells photographs and screens held before the camera from people
    Presentation(ImageArgs),
    /// Tells swapped, reenacted and blended faces from genuine ones
    Deepfake(ImageArgs),
    /// Scores whole recordings as a server would
    Session(EvalArgs),
    /// Simulates long interviews from recordings and follows their levels over time
    Sequential(EvalArgs),
    /// Splices recordings of different people and measures how soon the change is told
    Splice(EvalArgs),
}

/// What is evaluated, and where the results go.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// Which files, and what is true of them.
    #[arg(
        long,
        value_name = "CSV",
        help = "CSV file with the columns path and label (or identity, or scene), and if there group, source, species, group_..., \
                held_out [default: folders below the root are labels]"
    )]
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
    const fn name(&self) -> &'static str {
        match self {
            Self::Verification(_) => "verification",
            Self::Identification(_) => "identification",
            Self::Scene(_) => "scene",
            Self::Presentation(_) => "presentation",
            Self::Deepfake(_) => "deepfake",
            Self::Session(_) => "session",
            Self::Sequential(_) => "sequential",
            Self::Splice(_) => "splice",
        }
    }

    /// Runs the evaluation, prints its report and writes its files.
    ///
    /// # Errors
    /// When models, policy or manifest cannot be read, a model fails, or the results cannot be written.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let (work, args, framing): (Work, &EvalArgs, Framing) = match self {
            Self::Verification(args) => (evaluate_verification, &args.eval, args.framing()),
            Self::Identification(args) => (evaluate_identification, &args.eval, args.framing()),
            Self::Scene(args) => (evaluate_scene, args, Framing::Scene),
            Self::Presentation(args) => (evaluate_presentation, &args.eval, args.framing()),
            Self::Deepfake(args) => (evaluate_deepfake, &args.eval, args.framing()),
            Self::Session(args) => (evaluate_session, args, Framing::Scene),
            Self::Sequential(args) => (evaluate_sequential, args, Framing::Scene),
            Self::Splice(args) => (evaluate_splice, args, Framing::Scene),
        };
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), args.policy.as_deref())?;
        let task = EvalTask { manifest: args.manifest.clone(), root: args.root.clone(), framing };
        let report = with_answers(&engine, &args.out, self.name(), &task, |bench| work(bench, &task))?;
        write!(std::io::stdout().lock(), "{}", report.markdown)?;
        Ok(())
    }
}

impl ImageArgs {
    const fn framing(&self) -> Framing {
        Framing::of_crops(self.face_crop)
    }
}

/// Runs an evaluation that goes on where an earlier one was cut off, and writes its files.
pub(super) fn with_answers(
    engine: &Engine,
    out: &Path,
    name: &str,
    task: &EvalTask,
    work: impl FnOnce(&Bench<'_>) -> Result<EvalReport, EvalError>,
) -> anyhow::Result<EvalReport> {
    let unfinished = Unfinished::open(out, name, task, &engine.pipeline, &engine.policy)?;
    if unfinished.n_answers() > 0 {
        let n_answers = unfinished.n_answers();
        writeln!(std::io::stderr(), "going on with {n_answers} answers of an evaluation that was cut off")?;
    }
    let report = with_bench(engine, Some(&unfinished), work)?;
    report.write(out)?;
    unfinished.finish()?;
    Ok(report)
}

/// Runs work that tells how far it is, with a bar on a terminal.
pub(super) fn with_bench<T>(
    engine: &Engine,
    unfinished: Option<&Unfinished>,
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
    let outcome = work(&Bench { pipeline: &engine.pipeline, policy: &engine.policy, progress: &progress, unfinished });
    bar.finish_and_clear();
    outcome
}
