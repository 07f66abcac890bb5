//! `bonafide report`: makes reports on sessions, and checks them without server, store or secret key.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use crate::keys::{KeyFile, VerifyingKey};
use crate::report::{
    ExportedReport, JSON_FILE, PDF_FILE, ReportSignature, SIGNATURE_FILE, Signer, Verified, VerifyError, export,
};
use crate::service::ports::Clock;
use crate::service::{Caller, Evidence, Permission, Reports, SessionKeys, command_line};
use crate::session::{SessionId, TenantId};
use crate::store::{EvidenceFolder, SqlStore};
use crate::text::Language;

use super::error::UsageError;
use super::global::GlobalArgs;
use super::serve::SystemClock;

/// Reports show what a session does: they are their owner's alone.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// A report of every still and segment that one may have is smaller.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// What to do with reports.
#[derive(Clone, Debug, Subcommand)]
pub enum ReportCommand {
    /// Writes report.pdf, report.json and report.sig of a session; a running server may go on
    Export(ExportArgs),
    /// Checks a report's files against their signature; needs no server and no store. Exit code 1 names what differs
    Verify(VerifyReportArgs),
    /// Prints the public keys of keys.file, newest last: who gets reports checks them with one of these
    Keys,
}

/// Arguments of `bonafide report export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Which session, by its id
    session: String,
    /// The language of the report
    #[arg(long, value_enum, default_value_t = LanguageArg::En)]
    language: LanguageArg,
    /// Where to write the files; made if it is not there
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Whose session
    #[arg(long, value_name = "TENANT", default_value = TenantId::DEFAULT)]
    tenant: String,
    /// One JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// Arguments of `bonafide report verify`.
#[derive(Clone, Debug, Default, Args)]
pub struct VerifyReportArgs {
    /// A folder with the files, or the files; without PDF or JSON the other one is checked alone
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A public key that may have signed, as hex digits, known from elsewhere; can be repeated
    #[arg(long = "public-key", value_name = "HEX")]
    public_keys: Vec<String>,
    /// One JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// A language on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LanguageArg {
    /// English
    En,
    /// German
    De,
}

impl From<LanguageArg> for Language {
    fn from(language: LanguageArg) -> Self {
        match language {
            LanguageArg::En => Self::En,
            LanguageArg::De => Self::De,
        }
    }
}

impl ReportCommand {
    /// Runs the command; what it found goes to standard output.
    ///
    /// # Errors
    /// When a report cannot be made, or is not the one that was signed.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        match self {
            Self::Export(args) => super::runtime()?.block_on(export_report(args, global)),
            Self::Verify(args) => verify(args),
            Self::Keys => {
                let keys = KeyFile::load(&global.load_config([])?.get().keys.file)?;
                for key in keys.verifying_keys() {
                    println!("{}", key.to_hex());
                }
                Ok(())
            }
        }
    }
}

async fn export_report(args: &ExportArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let id = SessionId::new(&args.session).map_err(|error| UsageError(format!("SESSION: {}", error.problem)))?;
    let tenant = TenantId::new(&args.tenant).map_err(|error| UsageError(format!("--tenant: {}", error.problem)))?;
    let targets = [PDF_FILE, JSON_FILE, SIGNATURE_FILE].map(|name| args.out.join(name));
    if let Some(taken) = targets.iter().find(|target| target.exists()) {
        let problem = format!("--out: {} is there already: name another folder", taken.display());
        return Err(UsageError(problem).into());
    }
    let loaded = global.load_config([])?;
    let config = loaded.get();
    let keys = KeyFile::load_or_create(&config.keys.file, Timestamp::now())?;
    let store = SqlStore::open(&config.store, keys.signing_key(), &keys.verifying_keys())
        .await
        .context("cannot open the store")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock { start: Instant::now() });
    let evidence = Evidence::new(
        Arc::clone(&store) as _,
        Arc::new(EvidenceFolder::new(&config.evidence.folder)),
        SessionKeys::new(Arc::clone(&store) as _, keys.sealing_keys()),
        Arc::clone(&clock),
        config.evidence.clone(),
    );
    let reports = Reports::new(Arc::clone(&store) as _, clock, config.service.second_reviewer)
        .with_stills(Arc::new(evidence))
        .with_policy(Arc::new(super::engine::load_policy(config, None)?.0));
    let operator = Caller { permissions: [Permission::ReadSessions].into(), ..command_line(tenant) };
    let content = reports.content(&operator, &id).await;
    store.close().await;
    let ExportedReport { pdf, json, signature } =
        export(&content?, args.language.into(), &Signer::new(keys.signing_key()))?;
    DirBuilder::new()
        .recursive(true)
        .mode(DIR_MODE)
        .create(&args.out)
        .with_context(|| format!("cannot make {}", args.out.display()))?;
    for (target, bytes) in targets.iter().zip([&pdf, &json, &signature]) {
        write_new(target, bytes).with_context(|| format!("cannot write {}", target.display()))?;
    }
    let key = keys.signing_key().verifying_key();
    if args.json {
        let files = targets.each_ref().map(|target| target.display().to_string());
        println!("{}", json!({ "files": files, "key": key.key_id(), "public_key": key.to_hex() }));
    } else {
        for target in &targets {
            println!("{}", target.display());
        }
        println!("signed by key {}; who gets it checks it with --public-key {}", key.key_id(), key.to_hex());
    }
    Ok(())
}

/// Writes a file that is not there yet; it survives a power cut.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn verify(args: &VerifyReportArgs) -> anyhow::Result<()> {
    let keys: Vec<VerifyingKey> = args
        .public_keys
        .iter()
        .map(|text| {
            VerifyingKey::from_hex(text)
                .map_err(|_| UsageError("--public-key: must be a public key of 64 hex digits".to_owned()))
        })
        .collect::<Result<_, _>>()?;
    let Files { pdf, json, signature } = Files::read(&args.paths)?;
    let signature = signature.ok_or_else(|| {
        UsageError(format!("PATH: no {SIGNATURE_FILE} among what was named: it comes with the report"))
    })?;
    if pdf.is_none() && json.is_none() {
        return Err(UsageError(format!("PATH: neither {PDF_FILE} nor {JSON_FILE} among what was named")).into());
    }
    let outcome = ReportSignature::from_file(&signature)
        .and_then(|signature| signature.verify(pdf.as_deref(), json.as_deref(), &keys));
    match outcome {
        Ok(verified) => {
            println!("{}", if args.json { verified_json(&verified).to_string() } else { sentences(&verified) });
            Ok(())
        }
        Err(error) => {
            if args.json {
                println!("{}", json!({ "in_order": false, "file": file_of(&error), "problem": error.to_string() }));
            }
            Err(error.into())
        }
    }
}

/// Which file an error is about.
fn file_of(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::Malformed { file, .. } | VerifyError::Differs { file, .. } => file,
        VerifyError::OtherKey { .. } | VerifyError::BadSignature => SIGNATURE_FILE,
    }
}

fn verified_json(verified: &Verified) -> serde_json::Value {
    json!({
        "in_order": true,
        "session": verified.session,
        "made": verified.made.to_string(),
        "files": verified.files,
        "key": verified.key_id,
        "public_key": verified.public_key,
        "is_key_known": verified.is_key_known,
    })
}

fn sentences(verified: &Verified) -> String {
    let Verified { session, made, key_id, public_key, is_key_known, files } = verified;
    let trust = if *is_key_known {
        "which is one that was named".to_owned()
    } else {
        format!(
            "which nobody vouched for: compare {public_key} with what the operator says, or name it with --public-key"
        )
    };
    format!(
        "report in order: {} of session {session}, made {made:.0}\nsigned by key {key_id}, {trust}",
        files.join(" and ")
    )
}

/// What was found of a report.
#[derive(Default)]
struct Files {
    pdf: Option<Vec<u8>>,
    json: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
}

impl Files {
    /// Reads folders by the names that reports have, files by their ending.
    fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut files = Self::default();
        for path in paths {
            if path.is_dir() {
                for name in [PDF_FILE, JSON_FILE, SIGNATURE_FILE] {
                    let inside = path.join(name);
                    if inside.exists() {
                        files.take(&inside)?;
                    }
                }
            } else {
                files.take(path)?;
            }
        }
        Ok(files)
    }

    fn take(&mut self, path: &Path) -> anyhow::Result<()> {
        let place = match path.extension().and_then(|end| end.to_str()) {
            Some("pdf") => &mut self.pdf,
            Some("json") => &mut self.json,
            Some("sig") => &mut self.signature,
            _ => {
                return Err(UsageError(format!("PATH: {} is no .pdf, .json or .sig", path.display())).into());
            }
        };
        if place.is_some() {
            return Err(UsageError(format!("PATH: {} is a second file of its kind", path.display())).into());
        }
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(bytes.len() as u64 <= MAX_FILE_BYTES, "{} is larger than a report can be", path.display());
        *place = Some(bytes);
        Ok(())
    }
}
