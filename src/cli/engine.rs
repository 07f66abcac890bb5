//! Puts models, pipeline and policy together for the subcommands that analyse.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::config::Config;
use crate::inference::{Executor, Manifest};
use crate::scoring::Policy;
use crate::service::Pipeline;

/// Loaded models and the policy that scores what they measure.
pub(super) struct Engine {
    pub(super) pipeline: Pipeline,
    pub(super) policy: Arc<Policy>,
    /// The policy as it was written.
    pub(super) policy_text: String,
    pub(super) provider: &'static str,
}

impl Engine {
    /// Loads models and policy; `policy_file` goes before the configuration's.
    pub(super) fn start(config: &Config, policy_file: Option<&Path>) -> anyhow::Result<Self> {
        let (policy, policy_text) = load_policy(config, policy_file)?;
        let policy = Arc::new(policy);
        let manifest = Manifest::bundled()?;
        let executor = Executor::start(&manifest, &config.inference)?;
        let provider = executor.provider();
        let pipeline = Pipeline::new(executor, &manifest, config.media, policy.sampling)?;
        Ok(Self { pipeline, policy, policy_text, provider })
    }
}

pub(super) fn load_policy(config: &Config, policy_file: Option<&Path>) -> anyhow::Result<(Policy, String)> {
    let configured = Some(config.scoring.policy_file.as_path()).filter(|path| !path.as_os_str().is_empty());
    let Some(path) = policy_file.or(configured) else {
        return Ok((Policy::shipped(), Policy::shipped_text().to_owned()));
    };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the policy file {}", path.display()))?;
    let policy = Policy::from_toml(&text).with_context(|| format!("policy file {}", path.display()))?;
    Ok((policy, text))
}
