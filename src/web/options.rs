//! Where the pages are served, and to whom.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::InvalidOption;

use super::oidc::OidcOptions;
use super::tls::TlsOptions;

/// Settings of the review pages.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebOptions {
    /// Whether there are pages at all.
    pub enabled: bool,
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Address at which browsers reach the pages, such as `https://review.example.org`; empty = the one they listen on.
    /// With `https` cookies are sent over TLS alone.
    pub public_origin: String,
    /// Certificate and key; `None` = plain HTTP.
    pub tls: Option<TlsOptions>,
    /// An identity provider that people log in with; `None` = with passwords alone.
    pub oidc: Option<OidcOptions>,
    /// Lets the server start on an address that other machines reach although `tls` is not set and `public_origin` not `https`.
    pub allow_plaintext_on_public_address: bool,
    /// Whether the last address in `X-Forwarded-For` is the browser's. Right behind a proxy that sets it, wrong elsewhere.
    pub trust_forwarded_for: bool,
    /// Open connections; further ones wait in the listen queue of the system.
    pub max_connections: u32,
    /// Pages that are followed live at one time.
    pub max_live_pages: u32,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 8_080)),
            public_origin: String::new(),
            tls: None,
            oidc: None,
            allow_plaintext_on_public_address: false,
            trust_forwarded_for: false,
            max_connections: 512,
            max_live_pages: 128,
        }
    }
}

/// Pages that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A value is out of its range.
    #[error("web.{0}")]
    BadOption(#[from] InvalidOption),
    /// The port cannot be opened.
    #[error("web.listen: cannot listen on {listen}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A certificate or key file cannot be read or used.
    #[error("web.tls.{key}: cannot read {}", path.display())]
    TlsFile {
        /// The key within `web.tls`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Certificate and key do not go together.
    #[error("web.tls: certificate and key cannot be used: {problem}")]
    Tls {
        /// The cause.
        problem: String,
    },
    /// Logging in with an identity provider cannot be set up.
    #[error("web.oidc: cannot be set up")]
    Oidc {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A task of the server panicked.
    #[error("the server of the pages panicked")]
    Panicked,
}

impl WebOptions {
    /// Checks everything that can be checked without the network.
    ///
    /// # Errors
    /// [`InvalidOption`] for a value out of range, or an open door.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_within("max_connections", self.max_connections, 1..=65_536)?;
        InvalidOption::unless_within("max_live_pages", self.max_live_pages, 0..=65_536)?;
        let is_origin = self.public_origin.is_empty() || self.origin().is_some();
        if !is_origin {
            let problem = "must be https://HOST or http://HOST, with a port where it needs one and nothing after it";
            return Err(InvalidOption { key: "public_origin", problem: problem.to_owned() });
        }
        if self.tls.is_some() && self.public_origin.starts_with("http://") {
            let problem = "begins with http://, but web.tls is set: browsers reach the pages at https://";
            return Err(InvalidOption { key: "public_origin", problem: problem.to_owned() });
        }
        if let Some(oidc) = &self.oidc {
            oidc.validate()?;
            if self.public_origin.is_empty() && !self.listen.ip().is_loopback() {
                let problem = "is not set, and web.oidc needs it: the identity provider sends browsers back there";
                return Err(InvalidOption { key: "public_origin", problem: problem.to_owned() });
            }
        }
        let is_private = self.listen.ip().is_loopback() || self.is_secure() || self.allow_plaintext_on_public_address;
        if self.enabled && !is_private {
            let problem = format!(
                "{} can be reached from other machines, and passwords would cross the network in the clear: set web.tls, \
                 or put a proxy with TLS in front, listen on 127.0.0.1 and set web.public_origin, or set \
                 web.allow_plaintext_on_public_address",
                self.listen
            );
            return Err(InvalidOption { key: "listen", problem });
        }
        Ok(())
    }

    /// Whether browsers come over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.public_origin.starts_with("https://")
    }

    /// Where browsers reach pages that listen on `address`: the public address, or that one.
    pub(super) fn origin_at(&self, address: SocketAddr) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        self.origin().map_or_else(|| format!("{scheme}://{address}"), str::to_owned)
    }

    /// The public address as browsers send it in `Origin`; `None` when it is not set or no address.
    pub(super) fn origin(&self) -> Option<&str> {
        let url = self.public_origin.strip_suffix('/').unwrap_or(&self.public_origin);
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let is_host = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
        is_host.then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::{TlsOptions, WebOptions};

    #[test]
    fn the_defaults_are_valid_and_local() {
        let options = WebOptions::default();
        assert!(options.validate().is_ok());
        assert!(options.listen.ip().is_loopback() && !options.is_secure());
    }

    #[test]
    fn a_public_address_wants_tls_in_front() {
        let public = |public_origin: &str, allow| WebOptions {
            listen: "0.0.0.0:8080".parse().expect("an address"),
            public_origin: public_origin.to_owned(),
            allow_plaintext_on_public_address: allow,
            ..WebOptions::default()
        };
        assert!(public("", false).validate().expect_err("an open door").problem.contains("web.public_origin"));
        assert!(public("http://review.example.org", false).validate().is_err());
        assert!(public("https://review.example.org", false).validate().is_ok());
        assert!(public("", true).validate().is_ok());
        let tls = Some(TlsOptions { cert: "server.pem".into(), key: "server.key".into() });
        let secure = WebOptions { tls, ..public("", false) };
        assert!(secure.validate().is_ok() && secure.is_secure());
        assert_eq!(secure.origin_at(secure.listen), "https://0.0.0.0:8080");
        let mixed = WebOptions { public_origin: "http://review.example.org".to_owned(), ..secure };
        assert_eq!(mixed.validate().expect_err("contradicts itself").key, "public_origin");
        assert!(WebOptions { enabled: false, ..public("", false) }.validate().is_ok());
    }

    #[test]
    fn public_addresses_are_origins() {
        for good in
            ["https://review.example.org", "https://review.example.org/", "http://127.0.0.1:8080", "https://[::1]:1"]
        {
            let options = WebOptions { public_origin: good.to_owned(), ..WebOptions::default() };
            assert!(options.validate().is_ok(), "{good}");
        }
        for bad in ["review.example.org", "https://", "https://a/b", "ftp://a", "https://A", "https://a b"] {
            let options = WebOptions { public_origin: bad.to_owned(), ..WebOptions::default() };
            assert_eq!(options.validate().expect_err(bad).key, "public_origin");
        }
    }
}
