//! Where a provider answers: over TLS, or on this machine.

use std::net::IpAddr;

use axum::http::Uri;

/// An address that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    uri: Uri,
    /// The host without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

impl Address {
    /// An address as a provider or an operator wrote it; `None` for one that is none, or without TLS on another machine.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_text = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['#', '@', '\\']);
        let uri: Uri = text.parse().ok().filter(|_| is_text)?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_here => false,
            _ => return None,
        };
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { uri, host, port, is_tls })
    }

    /// As [`Address::parse`], for what names a provider, which has no query.
    pub(super) fn of_issuer(text: &str) -> Option<Self> {
        Self::parse(text).filter(|address| address.uri.query().is_none())
    }

    /// Host and port as a request names them.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Path and query.
    pub(super) fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The address with more in its query.
    pub(super) fn with_query(&self, query: &str) -> String {
        let mark = if self.uri.query().is_some() { '&' } else { '?' };
        format!("{}{mark}{query}", self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for (text, host, port, is_tls) in [
            ("https://id.example.org/a?b=c", "id.example.org", 443, true),
            ("https://id.example.org:8443", "id.example.org", 8_443, true),
            ("http://127.0.0.1:3000/x", "127.0.0.1", 3_000, false),
            ("http://[::1]:3000/x", "::1", 3_000, false),
            ("http://localhost", "localhost", 80, false),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!((address.host.as_str(), address.port, address.is_tls), (host, port, is_tls), "{text}");
        }
        for bad in [
            "http://id.example.org",
            "http://localhost.example.org",
            "ftp://localhost",
            "//id.example.org",
            "/path",
            "https://",
            "https://user@id.example.org",
            "https://id.example.org/#x",
            "https://id.example.org/a b",
            "",
        ] {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn queries_are_added_to() {
        let with = |text: &str| Address::parse(text).expect(text).with_query("a=b");
        assert_eq!(with("https://id.example.org/auth"), "https://id.example.org/auth?a=b");
        assert_eq!(with("https://id.example.org/auth?x=y"), "https://id.example.org/auth?x=y&a=b");
    }
}
