//! Where the server listens, whom it lets in, and its bounds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::audit::{Actor, ActorKind};
use crate::service::{Caller, Permission};
use crate::session::TenantId;

/// Largest message in either direction, in bytes. A 1080p RGBA frame has 8.3 MB.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Settings of the gRPC server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcOptions {
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Certificate and key; `None` = plaintext.
    pub tls: Option<TlsOptions>,
    /// Who may call; empty = everyone who can reach the port.
    pub api_keys: Vec<ApiKey>,
    /// Lets the server start on an address that other machines reach although TLS or keys are missing.
    pub allow_plaintext_without_keys_on_public_address: bool,
    /// Open connections; further ones wait in the listen queue of the system.
    pub max_connections: u32,
    /// Streams and calls at a time on one connection.
    pub max_streams_per_connection: u32,
    /// Unary calls and batches at a time; further ones get `RESOURCE_EXHAUSTED`.
    pub max_concurrent_calls: u32,
    /// Longest time of a unary call in seconds; a caller's shorter `grpc-timeout` is honoured.
    pub call_deadline_secs: f64,
    /// Seconds within which the first message of a stream must come.
    pub config_patience_secs: f64,
    /// Seconds after which a stream is cut whose client takes none of its answers.
    pub slow_reader_patience_secs: f64,
    /// Seconds between HTTP/2 pings on a quiet connection.
    pub keepalive_interval_secs: f64,
    /// Seconds within which a ping must be answered.
    pub keepalive_timeout_secs: f64,
    /// Seconds that a shutdown may take from signal to end.
    pub drain_secs: f64,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50_051)),
            tls: None,
            api_keys: Vec::new(),
            allow_plaintext_without_keys_on_public_address: false,
            max_connections: 4_096,
            max_streams_per_connection: 256,
            max_concurrent_calls: 256,
            call_deadline_secs: 30.0,
            config_patience_secs: 10.0,
            slow_reader_patience_secs: 30.0,
            keepalive_interval_secs: 20.0,
            keepalive_timeout_secs: 20.0,
            drain_secs: 20.0,
        }
    }
}

/// Files of the server's identity, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Authority that client certificates must come from; `None` = no client certificates.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// One key that opens the services. The key itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Names the key in logs, such as the plugin that uses it.
    pub name: String,
    /// SHA-256 of the key's text, 64 hex digits. The key should carry 256 random bits.
    pub sha256: String,
    /// Whose sessions it opens.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// What it opens.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<Scope>,
}

/// What an API key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Create, feed, read, change, finish and delete sessions.
    Sessions,
    /// Read, mark and decide.
    Review,
    /// Compare faces across sessions.
    Identity,
    /// Read the audit log.
    Audit,
}

impl Scope {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Review => "review",
            Self::Identity => "identity",
            Self::Audit => "audit",
        }
    }

    /// What the scope allows.
    pub(super) const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Sessions => &[Permission::ReadSessions, Permission::WriteSessions, Permission::DeleteSessions],
            Self::Review => &[Permission::ReadSessions, Permission::Review],
            Self::Identity => &[Permission::ReadSessions, Permission::Identity],
            Self::Audit => &[Permission::Audit],
        }
    }
}

fn default_tenant() -> String {
    TenantId::DEFAULT.to_owned()
}

fn default_scopes() -> Vec<Scope> {
    vec![Scope::Sessions]
}

/// A setting that the server cannot start with.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// A value is out of its range.
    #[error("grpc.{key}: {problem}")]
    BadOption {
        /// The key within `grpc`.
        key: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The port would be open to other machines without TLS or without keys.
    #[error(
        "grpc.listen: {listen} can be reached from other machines, but {missing} not set: set grpc.tls and grpc.api_keys, listen \
         on 127.0.0.1, or set grpc.allow_plaintext_without_keys_on_public_address if something in front takes care of both"
    )]
    Exposed {
        /// The address.
        listen: SocketAddr,
        /// What is missing.
        missing: &'static str,
    },
    /// A certificate or key file cannot be read.
    #[error("grpc.tls.{key}: cannot read {}", path.display())]
    TlsFile {
        /// The key within `grpc.tls`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The certificate, key or listener was refused by the transport.
    #[error("cannot set up the gRPC transport")]
    Transport {
        /// The cause.
        #[source]
        source: tonic::transport::Error,
    },
    /// The port cannot be opened.
    #[error("grpc.listen: cannot listen on {listen}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The reflection service cannot read the descriptors of the contract.
    #[error("cannot set up reflection")]
    Reflection {
        /// The cause.
        #[source]
        source: tonic_reflection::server::Error,
    },
    /// A task of the server panicked.
    #[error("the gRPC server panicked")]
    Panicked,
}

impl GrpcOptions {
    /// Checks everything that can be checked without touching files or the network.
    ///
    /// # Errors
    /// [`GrpcError::BadOption`] for a value out of range, [`GrpcError::Exposed`] for an open door.
    pub fn validate(&self) -> Result<(), GrpcError> {
        let counts = [
            ("max_connections", self.max_connections),
            ("max_streams_per_connection", self.max_streams_per_connection),
            ("max_concurrent_calls", self.max_concurrent_calls),
        ];
        for (key, value) in counts {
            if value == 0 {
                return Err(GrpcError::BadOption { key, problem: "is 0: use at least 1".into() });
            }
        }
        let lengths = [
            ("call_deadline_secs", self.call_deadline_secs),
            ("config_patience_secs", self.config_patience_secs),
            ("slow_reader_patience_secs", self.slow_reader_patience_secs),
            ("keepalive_interval_secs", self.keepalive_interval_secs),
            ("keepalive_timeout_secs", self.keepalive_timeout_secs),
            ("drain_secs", self.drain_secs),
        ];
        for (key, value) in lengths {
            if !(0.001..=3_600.0).contains(&value) {
                return Err(GrpcError::BadOption { key, problem: format!("is {value}: use 0.001 to 3600 seconds") });
            }
        }
        for key in &self.api_keys {
            if key.name.is_empty() {
                return Err(GrpcError::BadOption { key: "api_keys.name", problem: "is empty: name the key".into() });
            }
            key.digest()?;
            key.caller()?;
            if key.scopes.is_empty() {
                let problem = "is empty: name at least one of sessions, review, identity, audit".into();
                return Err(GrpcError::BadOption { key: "api_keys.scopes", problem });
            }
        }
        self.check_exposure()
    }

    fn check_exposure(&self) -> Result<(), GrpcError> {
        let missing = match (self.tls.is_some(), self.api_keys.is_empty()) {
            (true, false) => return Ok(()),
            (true, true) => "grpc.api_keys is",
            (false, false) => "grpc.tls is",
            (false, true) => "grpc.tls and grpc.api_keys are",
        };
        if self.listen.ip().is_loopback() || self.allow_plaintext_without_keys_on_public_address {
            return Ok(());
        }
        Err(GrpcError::Exposed { listen: self.listen, missing })
    }
}

impl ApiKey {
    /// Who calls with the key.
    pub(super) fn caller(&self) -> Result<Caller, GrpcError> {
        let tenant = TenantId::new(&self.tenant)
            .map_err(|error| GrpcError::BadOption { key: "api_keys.tenant", problem: error.problem.to_owned() })?;
        let permissions = self.scopes.iter().flat_map(|scope| scope.permissions()).copied().collect();
        let actor = Actor { kind: ActorKind::ApiKey, name: self.name.clone() };
        Ok(Caller { tenant, actor, permissions })
    }

    /// The digest as bytes.
    pub(super) fn digest(&self) -> Result<[u8; 32], GrpcError> {
        let problem = || GrpcError::BadOption {
            key: "api_keys.sha256",
            problem: format!("of key {:?} must be 64 hex digits", self.name),
        };
        let mut digest = [0; 32];
        if self.sha256.len() != 64 || !self.sha256.is_ascii() {
            return Err(problem());
        }
        for (byte, pair) in digest.iter_mut().zip(self.sha256.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| problem())?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(problem());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| problem())?;
        }
        Ok(digest)
    }
}

/// Seconds that [`GrpcOptions::validate`] let pass.
pub(super) fn secs(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, GrpcError, GrpcOptions, TlsOptions};

    fn key() -> ApiKey {
        ApiKey {
            name: "plugin".into(),
            sha256: "0a".repeat(32),
            tenant: "default".into(),
            scopes: vec![super::Scope::Sessions],
        }
    }

    fn tls() -> TlsOptions {
        TlsOptions { cert: "cert.pem".into(), key: "key.pem".into(), client_ca: None }
    }

    #[test]
    fn the_defaults_are_valid_and_local() {
        let options = GrpcOptions::default();
        assert!(options.validate().is_ok());
        assert!(options.listen.ip().is_loopback());
    }

    #[test]
    fn a_public_address_needs_tls_and_keys() {
        let public = |tls, api_keys, allow| GrpcOptions {
            listen: "0.0.0.0:0".parse().expect("an address"),
            tls,
            api_keys,
            allow_plaintext_without_keys_on_public_address: allow,
            ..GrpcOptions::default()
        };
        for refused in
            [public(None, vec![], false), public(Some(tls()), vec![], false), public(None, vec![key()], false)]
        {
            let error = refused.validate().expect_err("an open door");
            assert!(matches!(error, GrpcError::Exposed { .. }), "{error}");
        }
        assert!(public(Some(tls()), vec![key()], false).validate().is_ok());
        assert!(public(None, vec![], true).validate().is_ok());
    }

    #[test]
    fn bad_values_are_named() {
        let check = |name: &str, change: fn(&mut GrpcOptions)| {
            let mut options = GrpcOptions::default();
            change(&mut options);
            let error = options.validate().expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        };
        check("grpc.max_connections", |options| options.max_connections = 0);
        check("grpc.call_deadline_secs", |options| options.call_deadline_secs = f64::NAN);
        check("grpc.drain_secs", |options| options.drain_secs = -1.0);
        check("grpc.api_keys.sha256", |options| options.api_keys = vec![ApiKey { sha256: "zz".repeat(32), ..key() }]);
        check("grpc.api_keys.sha256", |options| options.api_keys = vec![ApiKey { sha256: "+1".repeat(32), ..key() }]);
        check("grpc.api_keys.name", |options| options.api_keys = vec![ApiKey { name: String::new(), ..key() }]);
        check("grpc.api_keys.tenant", |options| options.api_keys = vec![ApiKey { tenant: "A B".into(), ..key() }]);
        check("grpc.api_keys.scopes", |options| options.api_keys = vec![ApiKey { scopes: vec![], ..key() }]);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let parsed: Result<GrpcOptions, _> = serde_json::from_str(r#"{"listen": "127.0.0.1:0", "lisen": 1}"#);
        assert!(parsed.expect_err("a typing mistake").to_string().contains("lisen"));
        let parsed: GrpcOptions = serde_json::from_str(r#"{"listen": "127.0.0.1:0"}"#).expect("valid");
        assert_eq!(parsed.listen.port(), 0);
    }
}
