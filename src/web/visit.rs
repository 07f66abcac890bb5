//! Who asks for a page, and how they like it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;

use crate::service::{Caller, LoggedIn, Permission};
use crate::text::{Language, Value, text, text_with};

use super::error::Failure;
use super::form::encode;
use super::login_cookie::Cookie;
use super::state::Web;

/// Longest path that is remembered to go back to.
const MAX_PATH_BYTES: usize = 2_048;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme.
    pub(super) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name in the cookie and in the stylesheet.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

/// One request, as far as every page needs it.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// Names the request in the log and on error pages.
    pub(super) request_id: String,
    /// When it came.
    pub(super) now: Timestamp,
    /// In which language to answer.
    pub(super) language: Language,
    /// Light or dark.
    pub(super) theme: Theme,
    /// Who is logged in.
    pub(super) login: Option<LoggedIn>,
    /// Whether faces are compared across sessions here.
    pub(super) has_ledger: bool,
    /// What forms of the page must carry.
    pub(super) csrf_token: String,
    /// Path and query of the page, to come back to.
    pub(super) path: String,
    /// Whose guesses of passwords count together.
    pub(super) address: String,
}

impl Visit {
    /// The text of a key in the visitor's language.
    pub(super) fn text(&self, key: &str) -> String {
        text(self.language, key)
    }

    /// The text of a key with values put in.
    pub(super) fn text_with(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        text_with(self.language, key, values)
    }

    /// Whether the visitor may.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.login.as_ref().is_some_and(|login| login.caller.may(permission))
    }

    /// Whether the visitor may compare faces across sessions, here.
    pub(super) fn may_compare(&self) -> bool {
        self.has_ledger && self.may(Permission::Identity)
    }
}

/// The language that somebody chose, or that their browser prefers.
pub(super) fn language(headers: &HeaderMap, is_secure: bool) -> Language {
    let chosen = Cookie::Language.read(headers, is_secure).and_then(Language::from_tag);
    let preferred = || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    chosen.unwrap_or_else(|| Language::from_accept_language(preferred().unwrap_or_default()))
}

/// The theme that somebody chose.
pub(super) fn theme(headers: &HeaderMap, is_secure: bool) -> Theme {
    Cookie::Theme.read(headers, is_secure).and_then(Theme::from_name).unwrap_or_default()
}

/// Whose guesses of passwords count together: an address, and of version 6 the network that one household gets.
pub(super) fn address(headers: &HeaderMap, peer: SocketAddr, trust_forwarded_for: bool) -> String {
    let forwarded = || {
        let value = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let address = if trust_forwarded_for { forwarded() } else { None }.unwrap_or_else(|| peer.ip());
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// `path` if it leads to one of our own pages, else the inbox.
pub(super) fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= MAX_PATH_BYTES
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { path } else { "/" }
}

/// A visit, logged in or not.
#[derive(Clone, Debug)]
pub(super) struct Visitor(pub(super) Arc<Visit>);

impl FromRequestParts<Web> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Failure> {
        let visit = parts.extensions.get::<Arc<Visit>>().cloned();
        visit.map(Self).ok_or_else(|| Failure::internal("a page without its frame"))
    }
}

/// A visit of somebody who is logged in; others are sent to log in first.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The visit.
    pub(super) visit: Arc<Visit>,
    /// Who.
    pub(super) login: LoggedIn,
}

impl Member {
    /// Who, as the use cases know them.
    pub(super) const fn caller(&self) -> &Caller {
        &self.login.caller
    }

    /// Their account's name.
    pub(super) fn name(&self) -> &str {
        &self.login.account.name
    }
}

impl FromRequestParts<Web> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        let Visitor(visit) = Visitor::from_request_parts(parts, web).await.map_err(Failure::into_response)?;
        if let Some(login) = visit.login.clone() {
            return Ok(Self { visit, login });
        }
        if parts.method == Method::GET || parts.method == Method::HEAD {
            let next = encode(&[("next", own_path(&visit.path))]);
            return Err(Redirect::to(&format!("/login?{next}")).into_response());
        }
        Err(Failure::logged_out().into_response())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{address, own_path};

    #[test]
    fn nobody_is_led_to_another_site() {
        for good in ["/", "/sessions/abcd?from=1", "/a//b"] {
            assert_eq!(own_path(good), good);
        }
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil", "/a\r\nb", "/a b", "evil"] {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn forwarded_addresses_count_only_where_they_are_trusted() {
        let headers = HeaderMap::from_iter([(
            "x-forwarded-for".parse().expect("a name"),
            HeaderValue::from_static("1.2.3.4, 5.6.7.8"),
        )]);
        let peer = "127.0.0.1:9".parse().expect("an address");
        assert_eq!(address(&headers, peer, true), "5.6.7.8");
        assert_eq!(address(&headers, peer, false), "127.0.0.1");
        let six = |text: &str| address(&HeaderMap::new(), text.parse().expect("an address"), false);
        assert_eq!(six("[2001:db8:1:2:3:4:5:6]:1"), six("[2001:db8:1:2::9]:1"));
        assert_ne!(six("[2001:db8:1:2::9]:1"), six("[2001:db8:1:3::9]:1"));
    }
}
