//! `bonafide keys`: which keys there are, and a new one to seal with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;

use crate::config::Config;
use crate::keys::{KeyFile, KeyKind};
use crate::service::ports::DataKeyStore as _;
use crate::service::{KeyRotation, command_line};
use crate::session::TenantId;
use crate::store::SqlStore;

use super::global::GlobalArgs;
use super::serve::SystemClock;

/// What to do with the key file.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes a key file, which the first start of a server does as well
    Create,
    /// Shows every key, never a secret, one JSON object a line
    List,
    /// Adds a sealing key and wraps the keys of all sessions and candidates with it; running servers go on. Renew the copy of the
    /// key file
    Rotate,
    /// Wraps with the newest sealing key what is still wrapped with an older one: goes on with a rotation that was cut short
    Rewrap,
}

impl KeysCommand {
    /// Runs the command on the configured key file and store.
    ///
    /// # Errors
    /// When the key file or the store cannot be used.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let loaded = global.load_config([])?;
        let config = loaded.get();
        match self {
            Self::Create => {
                KeyFile::create(&config.keys.file, Timestamp::now())?;
                println!("{}", config.keys.file.display());
                Ok(())
            }
            Self::List => super::runtime()?.block_on(list(config)),
            Self::Rotate => {
                KeyFile::rotate_sealing_key(&config.keys.file, Timestamp::now())?;
                super::runtime()?.block_on(rewrap(config))
            }
            Self::Rewrap => super::runtime()?.block_on(rewrap(config)),
        }
    }
}

async fn open(config: &Config, keys: &KeyFile) -> anyhow::Result<Arc<SqlStore>> {
    SqlStore::open(&config.store, keys.signing_key(), &keys.verifying_keys()).await.context("cannot open the store")
}

async fn list(config: &Config) -> anyhow::Result<()> {
    let keys = KeyFile::load(&config.keys.file)?;
    let store = open(config, &keys).await?;
    let counted = store.count_data_keys().await;
    store.close().await;
    let mut counts: BTreeMap<String, u64> = counted?.into_iter().collect();
    for key in keys.list() {
        let wraps = counts.remove(&key.id);
        let shown = match key.kind {
            KeyKind::Signing => json!({ "kind": "signing", "id": key.id, "current": key.is_current }),
            KeyKind::Sealing => {
                json!({ "kind": "sealing", "id": key.id, "current": key.is_current, "wraps": wraps.unwrap_or(0) })
            }
        };
        println!("{shown}");
    }
    for (id, wraps) in counts {
        println!("{}", json!({ "kind": "sealing", "id": id, "missing": true, "wraps": wraps }));
    }
    Ok(())
}

async fn rewrap(config: &Config) -> anyhow::Result<()> {
    let keys = KeyFile::load(&config.keys.file)?;
    let store = open(config, &keys).await?;
    let clock = Arc::new(SystemClock { start: Instant::now() });
    let rotation = KeyRotation::new(Arc::clone(&store) as _, keys.sealing_keys(), clock);
    let outcome = rotation.run(&command_line(TenantId::default())).await;
    store.close().await;
    let rewrapped = outcome?;
    println!(
        "{}",
        json!({ "sealing_key": keys.sealing_keys().key_id(), "wrapped": rewrapped.wrapped, "lost": rewrapped.lost })
    );
    Ok(())
}
