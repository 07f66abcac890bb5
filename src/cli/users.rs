//! `bonafide users`: accounts for the review pages, from the machine's command line.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use crate::keys::KeyFile;
use crate::service::ports::AccountPatch;
use crate::service::{Accounts, NewAccount, Role, command_line};
use crate::session::TenantId;
use crate::store::SqlStore;

use super::error::UsageError;
use super::global::GlobalArgs;
use super::serve::SystemClock;

/// What to do with accounts.
#[derive(Clone, Debug, Args)]
pub struct UsersArgs {
    /// Whose accounts
    #[arg(long, global = true, value_name = "TENANT", default_value = TenantId::DEFAULT)]
    tenant: String,
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum UsersCommand {
    /// Makes an account; the password is the first line of standard input
    Create {
        /// Names it when logging in
        name: String,
        /// What it is for; can be repeated
        #[arg(long = "role", value_enum, required = true)]
        roles: Vec<RoleArg>,
        /// For people [default: the name]
        #[arg(long, default_value = "", hide_default_value = true)]
        display_name: String,
    },
    /// Sets a password, the first line of standard input; every login of the account ends
    Password {
        /// The account
        name: String,
    },
    /// Takes an account out of use; every login of it ends
    Disable {
        /// The account
        name: String,
    },
    /// Puts an account into use again
    Enable {
        /// The account
        name: String,
    },
    /// Shows every account, one JSON object a line
    List,
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Reads
    Viewer,
    /// Reads, marks and decides
    Reviewer,
    /// Compares faces across sessions
    Investigator,
    /// Runs the installation
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Reviewer => Self::Reviewer,
            RoleArg::Investigator => Self::Investigator,
            RoleArg::Admin => Self::Admin,
        }
    }
}

impl UsersArgs {
    /// Runs the command on the configured store; a running server may go on.
    ///
    /// # Errors
    /// When the store cannot be used, or the account is refused.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        super::runtime()?.block_on(self.apply(global))
    }

    async fn apply(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let loaded = global.load_config([])?;
        let config = loaded.get();
        let tenant = TenantId::new(&self.tenant).map_err(|error| UsageError(format!("--tenant: {}", error.problem)))?;
        let keys = KeyFile::load_or_create(&config.keys.file, Timestamp::now())?;
        let store = SqlStore::open(&config.store, keys.signing_key(), &keys.verifying_keys())
            .await
            .context("cannot open the store")?;
        let accounts = Accounts::new(Arc::clone(&store) as _, Arc::new(SystemClock { start: Instant::now() }));
        let outcome = self.change(&accounts, tenant).await;
        store.close().await;
        outcome
    }

    async fn change(&self, accounts: &Accounts, tenant: TenantId) -> anyhow::Result<()> {
        let operator = command_line(tenant);
        let is_active = |is_active| AccountPatch { is_active: Some(is_active), ..AccountPatch::default() };
        match &self.command {
            UsersCommand::Create { name, roles, display_name } => {
                let roles: BTreeSet<Role> = roles.iter().copied().map(Role::from).collect();
                let (name, display_name) = (name.clone(), display_name.clone());
                let new = NewAccount { name, display_name, roles, password: read_password()? };
                accounts.create(&operator, new).await?;
            }
            UsersCommand::Password { name } => accounts.set_password(&operator, name, &read_password()?).await?,
            UsersCommand::Disable { name } => accounts.update(&operator, name, is_active(false)).await?,
            UsersCommand::Enable { name } => accounts.update(&operator, name, is_active(true)).await?,
            UsersCommand::List => {
                for account in accounts.list(&operator).await? {
                    let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
                    println!(
                        "{}",
                        json!({
                            "name": account.name,
                            "display_name": account.display_name,
                            "roles": roles,
                            "active": account.is_active,
                            "issuer": account.identity.as_ref().map(|identity| &identity.issuer),
                            "subject": account.identity.as_ref().map(|identity| &identity.subject),
                            "created": account.create_time.to_string(),
                        })
                    );
                }
            }
        }
        Ok(())
    }
}

/// The first line of standard input; on a terminal it is asked for.
fn read_password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("password (at least 15 characters; it is shown): ");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("cannot read a password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(UsageError("no password on standard input: write it there, as its first line".to_owned()).into());
    }
    Ok(password)
}
