//! `bonafide audit verify`: checks every digest and signature of the audit log.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::audit::Summary;
use crate::keys::{KeyFile, VerifyingKey};
use crate::store::{AuditError, AuditReader};

use super::error::UsageError;
use super::global::GlobalArgs;

/// What to do with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Checks every row and signature; a running server is not disturbed. Exit code 1 names the first place that is broken
    Verify(VerifyArgs),
}

/// Arguments of `bonafide audit verify`.
#[derive(Clone, Debug, Default, Args)]
pub struct VerifyArgs {
    /// Public key that may have signed, as hex digits; can be repeated [default: those of keys.file]
    #[arg(long = "public-key", value_name = "HEX")]
    public_keys: Vec<String>,
    /// What an earlier check printed as its end, or a report says: the log must still contain it
    #[arg(long, value_name = "ROW:DIGEST")]
    contains: Option<String>,
    /// One JSON object instead of a sentence
    #[arg(long)]
    json: bool,
    /// Another SQLite file than store.database, such as a restored backup
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
}

impl AuditCommand {
    /// Runs the command; what it found goes to standard output.
    ///
    /// # Errors
    /// When the log cannot be read, or is broken.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let Self::Verify(args) = self;
        super::runtime()?.block_on(verify(args, global))
    }
}

async fn verify(args: &VerifyArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let loaded = global.load_config([])?;
    let config = loaded.get();
    let keys = if args.public_keys.is_empty() {
        KeyFile::load(&config.keys.file).context("cannot tell which keys may have signed")?.verifying_keys()
    } else {
        args.public_keys.iter().map(|text| public_key(text)).collect::<Result<_, _>>()?
    };
    let mut store = config.store.clone();
    if let Some(database) = &args.database {
        store.database.clone_from(database);
        store.postgres_url = crate::store::PostgresUrl::default();
    }
    let contains = args.contains.as_deref().map(place).transpose()?;
    let reader = AuditReader::open(&store)?;
    let outcome = reader.verify(&keys).await;
    let summary = match outcome {
        Ok(summary) => summary,
        Err(AuditError::Broken(broken)) => {
            if args.json {
                println!(
                    "{}",
                    json!({ "in_order": false, "row": broken.sequence, "problem": broken.problem.to_string() })
                );
            }
            return Err(broken.into());
        }
        Err(AuditError::Store(error)) => return Err(error.into()),
    };
    if let Some((row, digest)) = contains {
        reader.require(row, &digest).await?;
    }
    println!("{}", if args.json { summary_json(&summary).to_string() } else { sentence(&summary) });
    Ok(())
}

fn public_key(text: &str) -> Result<VerifyingKey, UsageError> {
    VerifyingKey::from_hex(text)
        .map_err(|_| UsageError("--public-key: must be a public key of 64 hex digits".to_owned()))
}

/// `ROW:DIGEST` as an earlier check printed it.
fn place(text: &str) -> Result<(u64, String), UsageError> {
    let parsed = text.split_once(':').and_then(|(row, digest)| Some((row.parse().ok()?, digest.to_ascii_lowercase())));
    parsed
        .filter(|(_, digest)| digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .ok_or_else(|| UsageError("--contains: must be ROW:DIGEST, as an earlier check printed it".to_owned()))
}

fn summary_json(summary: &Summary) -> serde_json::Value {
    json!({
        "in_order": true,
        "first_row": summary.first,
        "rows": summary.n_rows,
        "signatures": summary.n_checkpoints,
        "end": format!("{}:{}", summary.head.sequence, summary.head.hash),
        "signed_at": summary.head.time.to_string(),
        "key": summary.head.key_id,
    })
}

fn sentence(summary: &Summary) -> String {
    let Summary { first, n_rows, n_checkpoints, head } = summary;
    format!(
        "audit log in order: {n_rows} rows from {first} to {}, {n_checkpoints} signatures\nsigned {:.0} by key {}\nend {}:{}",
        head.sequence, head.time, head.key_id, head.sequence, head.hash
    )
}
