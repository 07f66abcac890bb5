//! Cookies: who is logged in, what a form must carry before that, language and theme.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// Longest cookie header that is read.
const MAX_COOKIE_BYTES: usize = 4_096;
/// How long a browser keeps what somebody likes.
const PREFERENCE_AGE: Duration = Duration::from_hours(24 * 365);

/// What the pages keep in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The token of a login.
    Login,
    /// A try to log in with an identity provider, until the browser comes back from there.
    Attempt,
    /// What forms carry while nobody is logged in.
    Form,
    /// The language that was chosen.
    Language,
    /// The theme that was chosen.
    Theme,
}

impl Cookie {
    /// Its name. Over TLS the prefix has the browser refuse one that another host or an unsafe page set.
    const fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Login, true) => "__Host-bonafide-login",
            (Self::Login, false) => "bonafide-login",
            (Self::Attempt, true) => "__Host-bonafide-attempt",
            (Self::Attempt, false) => "bonafide-attempt",
            (Self::Form, true) => "__Host-bonafide-form",
            (Self::Form, false) => "bonafide-form",
            (Self::Language, true) => "__Host-bonafide-language",
            (Self::Language, false) => "bonafide-language",
            (Self::Theme, true) => "__Host-bonafide-theme",
            (Self::Theme, false) => "bonafide-theme",
        }
    }

    /// Its value in a request.
    pub(super) fn read(self, headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        let name = self.name(is_secure);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter(|value| value.len() <= MAX_COOKIE_BYTES)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// The header that has a browser keep `value`, which is of letters, digits and '-' alone; until it closes when `max_age`
    /// is `None`.
    pub(super) fn set(self, value: &str, max_age: Option<Duration>, is_secure: bool) -> Option<HeaderValue> {
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let name = self.name(is_secure);
        let secure = if is_secure { "; Secure" } else { "" };
        let age = max_age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")).ok()
    }

    /// As [`Cookie::set`], for what somebody likes.
    pub(super) fn prefer(self, value: &str, is_secure: bool) -> Option<HeaderValue> {
        self.set(value, Some(PREFERENCE_AGE), is_secure)
    }

    /// The header that has a browser forget it.
    pub(super) fn forget(self, is_secure: bool) -> Option<HeaderValue> {
        self.set("", Some(Duration::ZERO), is_secure)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Cookie;

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static("a=1; bonafide-login2=x; bonafide-login=abc; __Host-bonafide-login=def"),
        )]);
        assert_eq!(Cookie::Login.read(&headers, false), Some("abc"));
        assert_eq!(Cookie::Login.read(&headers, true), Some("def"), "over TLS only what the browser guards counts");
        assert_eq!(Cookie::Theme.read(&headers, false), None);
    }

    #[test]
    fn cookies_stay_with_the_browser_and_the_host() {
        let text = |value: Option<HeaderValue>| value.expect("good").to_str().expect("text").to_owned();
        assert_eq!(
            text(Cookie::Login.set("abc", Some(Duration::from_secs(9)), true)),
            "__Host-bonafide-login=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=9; Secure"
        );
        assert_eq!(text(Cookie::Form.set("abc", None, false)), "bonafide-form=abc; Path=/; HttpOnly; SameSite=Lax");
        assert!(text(Cookie::Login.forget(false)).contains("Max-Age=0"));
        assert!(Cookie::Theme.set("a;b\r\n", None, false).is_none());
    }
}
