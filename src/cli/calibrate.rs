//! `bonafide calibrate`: thresholds for an operator's own interviews, and the lines of the policy fitted on labelled data.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::eval::{
    Budgets, CalibrationTask, EvalTask, Fitted, FittedTail, Framing, calibrate, calibrate_scene, calibrate_search,
    calibrate_thresholds,
};
use crate::identity::{Knot, SceneKnot, ScenePolicy};
use crate::scoring::ErrorBudget;
use crate::signals::SignalName;

use super::engine::Engine;
use super::error::UsageError;
use super::eval::{with_answers, with_bench};
use super::global::GlobalArgs;

/// Which signal is calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignalArg {
    /// Images, one folder a person.
    Identity,
    /// Labelled images with surroundings.
    Presentation,
    /// Labelled images or recordings of genuine and manipulated faces.
    Deepfake,
    /// Labelled recordings; attacks are simulated.
    Motion,
    /// Labelled recordings; attacks are simulated.
    Presence,
    /// Labelled recordings; attacks are simulated.
    Stream,
}

/// Sets the thresholds of alarms by your own known-genuine interviews, or fits a signal's calibration.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct CalibrateArgs {
    /// What else can be calibrated.
    #[command(subcommand)]
    pub command: Option<CalibrateCommand>,
    /// Thresholds.
    #[command(flatten)]
    pub thresholds: Option<ThresholdArgs>,
}

/// Calibrations other than that of thresholds.
#[derive(Clone, Debug, Subcommand)]
pub enum CalibrateCommand {
    /// Fits a signal's calibration on labelled data and prints its table for the policy file
    Signal(SignalFitArgs),
    /// Fits how similar different people are and prints the tables of config/search.toml
    Search(SearchFitArgs),
    /// Fits how well pictures of one place, and of two, agree and prints the tables of config/scene.toml
    Scene(SceneFitArgs),
}

/// On which pictures.
#[derive(Clone, Debug, Args)]
pub struct SceneFitArgs {
    /// CSV file with the columns path and scene [default: folders below the root are places]
    #[arg(long, value_name = "CSV")]
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
}

/// On which pictures.
#[derive(Clone, Debug, Args)]
pub struct SearchFitArgs {
    /// CSV file with the columns path and identity [default: folders below the root are people]
    #[arg(long, value_name = "CSV")]
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Every image is a tight crop around one face
    #[arg(long)]
    pub face_crop: bool,
}

/// Known-genuine interviews, and how many of them may be alarms; attacks, and how many of them may be CLEAR.
#[derive(Clone, Debug, Args)]
#[group(id = "thresholds")]
pub struct ThresholdArgs {
    /// CSV file with the columns path and label [default: folders below the root are labels]
    #[arg(long, value_name = "CSV")]
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below
    #[arg(long, value_name = "DIR", required = true)]
    pub root: PathBuf,
    /// Folder for policy.toml, report.md, report.json and scores.csv; made if need be
    #[arg(long, value_name = "DIR", required = true)]
    pub out: PathBuf,
    /// Genuine interviews that may be an alarm, such as "1 in 200" or "0.5 %"
    #[arg(long, value_name = "SHARE", required = true)]
    pub false_alarms: ErrorBudget,
    /// Attacks that may be CLEAR, such as "1 in 20": moves the threshold of CLEAR by the labelled attacks; what lies between
    /// the thresholds is INCONCLUSIVE
    #[arg(long, value_name = "SHARE")]
    pub missed_attacks: Option<ErrorBudget>,
    /// Scoring policy to start from instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Which signal, and on what.
#[derive(Clone, Debug, Args)]
pub struct SignalFitArgs {
    /// Which signal
    #[arg(value_enum)]
    pub signal: SignalArg,
    /// CSV file with the columns path and label (or identity) [default: folders below the root are labels]
    #[arg(long, value_name = "CSV")]
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Every image is a tight crop around one face
    #[arg(long)]
    pub face_crop: bool,
    /// Folder of portraits, one folder a person, from which further attacks are simulated
    #[arg(long, value_name = "DIR")]
    pub portraits: Option<PathBuf>,
    /// Print the statistic of every sample as comment lines as well
    #[arg(long)]
    pub samples: bool,
}

impl CalibrateArgs {
    /// Does one or the other.
    ///
    /// # Errors
    /// When models or data cannot be read, a model fails, the data do not give a line or threshold, or results cannot be
    /// written.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        match (&self.command, &self.thresholds) {
            (Some(CalibrateCommand::Signal(args)), _) => args.run(global),
            (Some(CalibrateCommand::Search(args)), _) => args.run(global),
            (Some(CalibrateCommand::Scene(args)), _) => args.run(global),
            (None, Some(args)) => args.run(global),
            (None, None) => {
                let problem = "calibrate needs --root, --out and --false-alarms, or the subcommand signal";
                Err(UsageError(problem.to_owned()).into())
            }
        }
    }
}

impl ThresholdArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), self.policy.as_deref())?;
        let task = EvalTask { manifest: self.manifest.clone(), root: self.root.clone(), framing: Framing::Scene };
        let report = with_answers(&engine, &self.out, "thresholds", &task, |bench| {
            let budgets = Budgets { false_alarms: self.false_alarms, missed_attacks: self.missed_attacks };
            calibrate_thresholds(bench, &task, &engine.policy_text, budgets)
        })?;
        write!(std::io::stdout().lock(), "{}", report.markdown)?;
        Ok(())
    }
}

impl SignalFitArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), None)?;
        let task = CalibrationTask {
            signal: self.signal.name(),
            manifest: self.manifest.clone(),
            root: self.root.clone(),
            framing: Framing::of_crops(self.face_crop),
            portraits: self.portraits.clone(),
        };
        let fitted = with_bench(&engine, None, |bench| calibrate(bench, &task))?;
        let mut out = std::io::stdout().lock();
        if self.samples {
            for sample in &fitted.samples {
                let class = if sample.is_bona_fide { "bona_fide" } else { "attack" };
                writeln!(out, "# {class} {:.4} {}", sample.statistic, sample.source)?;
            }
        }
        write!(out, "{}", table(&fitted))?;
        Ok(())
    }
}

impl SearchFitArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), None)?;
        let framing = Framing::of_crops(self.face_crop);
        let task = EvalTask { manifest: self.manifest.clone(), root: self.root.clone(), framing };
        let fitted = with_bench(&engine, None, |bench| calibrate_search(bench, &task))?;
        write!(std::io::stdout().lock(), "{}", search_table(&fitted))?;
        Ok(())
    }
}

impl SceneFitArgs {
    fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), None)?;
        let task = EvalTask { manifest: self.manifest.clone(), root: self.root.clone(), framing: Framing::Scene };
        let fitted = with_bench(&engine, None, |bench| calibrate_scene(bench, &task))?;
        write!(std::io::stdout().lock(), "{}", scene_tables(&fitted))?;
        Ok(())
    }
}

impl SignalArg {
    const fn name(self) -> SignalName {
        match self {
            Self::Identity => SignalName::Identity,
            Self::Presentation => SignalName::Presentation,
            Self::Deepfake => SignalName::Deepfake,
            Self::Motion => SignalName::Motion,
            Self::Presence => SignalName::Presence,
            Self::Stream => SignalName::Stream,
        }
    }
}

/// The calibration as it stands in a policy file.
fn table(fitted: &Fitted) -> String {
    let line = &fitted.calibration;
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let mut table = format!(
        "[signals.{}.calibration]\noffset = {:.3}\nslope = {:.3}\nllr_min = {:.2}\nllr_max = {:.2}\n\
         standard_error = {:.2}\nn_bona_fide = {}\nn_attack = {}\nfitted_on = {}\n",
        fitted.signal,
        line.offset,
        line.slope,
        line.llr_min,
        line.llr_max,
        line.standard_error,
        line.n_bona_fide,
        line.n_attack,
        quoted(&line.fitted_on),
    );
    if let Some(alarm) = &fitted.alarm {
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "[signals.{}.alarm]\nllr = {:.2}\nstandard_error = {:.2}\nn_bona_fide = {}\nn_attack = {}\nfitted_on = {}\n",
            fitted.signal,
            alarm.llr,
            alarm.standard_error,
            alarm.n_bona_fide,
            alarm.n_attack,
            quoted(&alarm.fitted_on),
        );
    }
    table
}

/// The model and the tail as they stand in a file of search calibrations.
fn search_table(fitted: &FittedTail) -> String {
    let tail = &fitted.tail;
    let knot = |knot: &Knot| {
        format!("    {{ false_match_rate = {}, similarity = {:.4} }},\n", knot.false_match_rate, knot.similarity)
    };
    let knots: String = tail.knots.iter().map(knot).collect();
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    format!(
        "model = {}\n\n[tail]\nknots = [\n{knots}]\nmean_excess = {:.5}\nrate_relative_error = {:.3}\n\
         excess_relative_error = {:.3}\nn_people = {}\nfitted_on = {}\n",
        quoted(&fitted.model),
        tail.mean_excess,
        tail.rate_relative_error,
        tail.excess_relative_error,
        tail.n_people,
        quoted(&tail.fitted_on),
    )
}

/// The line and the tail as they stand in a file of scene calibrations.
fn scene_tables(fitted: &ScenePolicy) -> String {
    let (line, tail) = (&fitted.line, &fitted.tail);
    let knot = |knot: &SceneKnot| {
        format!("    {{ false_match_rate = {}, score = {:.4} }},\n", knot.false_match_rate, knot.score)
    };
    let knots: String = tail.knots.iter().map(knot).collect();
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    format!(
        "[line]\noffset = {:.3}\nslope = {:.3}\nllr_min = {:.2}\nllr_max = {:.2}\nstandard_error = {:.2}\nn_same = {}\n\
         n_different = {}\nfitted_on = {}\n\n[tail]\nknots = [\n{knots}]\nmean_excess = {:.5}\nrate_relative_error = {:.3}\n\
         excess_relative_error = {:.3}\nn_scenes = {}\nfitted_on = {}\n",
        line.offset,
        line.slope,
        towards_nothing(line.llr_min),
        towards_nothing(line.llr_max),
        line.standard_error,
        line.n_same,
        line.n_different,
        quoted(&line.fitted_on),
        tail.mean_excess,
        tail.rate_relative_error,
        tail.excess_relative_error,
        tail.n_scenes,
        quoted(&tail.fitted_on),
    )
}

/// A bound with two decimals that says no more than it did: the data allow no stronger statement.
fn towards_nothing(bound: f64) -> f64 {
    (bound * 100.0).trunc() / 100.0
}

#[cfg(test)]
mod tests {
    use super::{Fitted, FittedTail, SignalName, scene_tables, search_table, table};
    use crate::identity::{ScenePolicy, SearchPolicy};
    use crate::scoring::{AlarmRatio, Calibration, Policy};

    #[test]
    fn the_scene_tables_are_a_scene_policy() {
        let shipped = ScenePolicy::shipped();
        let text = format!("id = \"default\"\nversion = {}\n{}", shipped.version, scene_tables(&shipped));
        assert_eq!(ScenePolicy::from_toml(&text).expect("still valid"), shipped);
        let mut at_the_bound = shipped;
        at_the_bound.line.llr_max = f64::from(at_the_bound.line.n_different).ln();
        at_the_bound.line.llr_min = -f64::from(at_the_bound.line.n_same).ln();
        let text = format!("id = \"default\"\nversion = 2\n{}", scene_tables(&at_the_bound));
        ScenePolicy::from_toml(&text).expect("rounding does not say more than the data");
    }

    #[test]
    fn the_search_table_is_a_search_policy() {
        let shipped = SearchPolicy::shipped();
        let fitted = FittedTail { model: shipped.model.clone(), tail: shipped.tail.clone() };
        let text = format!("id = \"default\"\nversion = {}\n{}", shipped.version, search_table(&fitted));
        assert_eq!(SearchPolicy::from_toml(&text).expect("still valid"), shipped);
    }

    #[test]
    fn the_table_can_be_pasted_into_a_policy() {
        let calibration = Calibration {
            offset: -1.25,
            slope: 3.5,
            llr_min: -2.0,
            llr_max: 1.0,
            standard_error: 0.25,
            n_bona_fide: 12,
            n_attack: 8,
            fitted_on: "\"quoted\" data".to_owned(),
        };
        let alarm =
            AlarmRatio { llr: -4.5, standard_error: 0.5, n_bona_fide: 90, n_attack: 60, fitted_on: "data".to_owned() };
        let fitted = Fitted {
            signal: SignalName::Motion,
            calibration: calibration.clone(),
            alarm: Some(alarm.clone()),
            samples: Vec::new(),
        };
        let shipped = include_str!("../../config/policy.toml");
        let start = shipped.find("[signals.motion.calibration]").expect("is there");
        let end = shipped[start..].find("\n\n").map_or(shipped.len(), |length| start + length);
        let pasted = format!("{}{}{}", &shipped[..start], table(&fitted), &shipped[end..]);
        let policy = Policy::from_toml(&pasted).expect("still valid");
        let motion = policy.signal(SignalName::Motion).expect("is there");
        assert_eq!((&motion.calibration, &motion.alarm), (&calibration, &Some(alarm)));
    }
}
