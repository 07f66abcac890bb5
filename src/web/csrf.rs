//! Two walls against forms that other sites send in a visitor's name: where the browser says that a request comes from, and a
//! token that only our own pages know.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::hex::hex;

/// Length of a token in hex digits.
pub(super) const TOKEN_DIGITS: usize = 64;

/// A new token for whoever is not logged in.
pub(super) fn new_token() -> String {
    hex(&rand::random::<[u8; TOKEN_DIGITS / 2]>())
}

/// Whether a text can be a token.
pub(super) fn is_token(text: &str) -> bool {
    text.len() == TOKEN_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a form carries the token that it must; takes as long for any.
pub(super) fn is_right(expected: &str, given: &str) -> bool {
    is_token(expected) && expected.len() == given.len() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
}

/// Whether a request that changes something comes from one of our own pages, as far as the browser says. One that says
/// nothing is no browser, or an old one; the token decides then.
pub(super) fn is_from_own_page(headers: &HeaderMap, origin: Option<&str>) -> bool {
    let said = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if said(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(from) = said(header::ORIGIN) else { return true };
    if let Some(origin) = origin {
        return from == origin;
    }
    let host = said(header::HOST).unwrap_or_default();
    let from = from.strip_prefix("http://").or_else(|| from.strip_prefix("https://"));
    !host.is_empty() && from == Some(host)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{is_from_own_page, is_right, is_token, new_token};

    #[test]
    fn tokens_are_random_and_compared_whole() {
        let (token, other) = (new_token(), new_token());
        assert!(is_token(&token) && token != other);
        assert!(is_right(&token, &token) && !is_right(&token, &other));
        assert!(!is_right(&token, &token[..63]) && !is_right("", ""));
    }

    #[test]
    fn what_other_sites_send_is_refused() {
        let check = |pairs: &[(&'static str, &'static str)], origin| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            is_from_own_page(&headers, origin)
        };
        let host = ("host", "127.0.0.1:8080");
        assert!(check(&[host], None), "no browser");
        assert!(check(&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")], None));
        for refused in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:8081"),
            ("origin", "http://evil.example"),
            ("origin", "127.0.0.1:8080"),
        ] {
            assert!(!check(&[host, refused], None), "{refused:?}");
        }
        let public = Some("https://review.example.org");
        assert!(check(&[host, ("origin", "https://review.example.org")], public));
        assert!(!check(&[host, ("origin", "http://127.0.0.1:8080")], public));
    }
}
