//! Forms: bounded, of text, and only with the token of the page that they were on.

use axum::extract::{Form, FromRequest, FromRequestParts as _, Request};

use super::csrf;
use super::error::Failure;
use super::state::Web;
use super::visit::Visitor;

/// The field that carries the token.
pub(super) const TOKEN_FIELD: &str = "csrf";
/// Most bytes of a form: a note of the longest, each letter written as three.
pub(super) const MAX_FORM_BYTES: usize = 64 * 1024;

/// What a form of one of our pages says. There is no other way to read one, so that none is read without its token.
#[derive(Debug)]
pub(super) struct SafeForm {
    fields: Vec<(String, String)>,
}

impl SafeForm {
    /// A field's text; empty when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field that can be there more than once.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Web> for SafeForm {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Visitor(visit) = Visitor::from_request_parts(&mut parts, web).await?;
        let request = Request::from_parts(parts, body);
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, web)
            .await
            .map_err(|rejection| Failure::of_status(rejection.status()))?;
        // A form sends line ends as CR LF.
        let fields = fields.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect();
        let form = Self { fields };
        if !csrf::is_right(&visit.csrf_token, form.get(TOKEN_FIELD)) {
            return Err(Failure::stale_form());
        }
        Ok(form)
    }
}

/// A query of pairs.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    use std::fmt::Write as _;
    let mut query = String::new();
    let mut push = |part: &str, before: &str| {
        query.push_str(before);
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
                query.push(char::from(byte));
            } else {
                let _written = write!(query, "%{byte:02X}");
            }
        }
    };
    for (position, (name, value)) in pairs.iter().enumerate() {
        push(name, if position == 0 { "" } else { "&" });
        push(value, "=");
    }
    query
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;

    use super::encode;

    #[test]
    fn what_is_encoded_reads_back() {
        let pairs = [("note", "a b&c=d%2\u{e4}\n\"<>+#"), ("empty", ""), ("path", "/sessions/a?b=c")];
        let query = encode(&pairs);
        assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>#\\".contains(&byte)), "{query}");
        let uri = format!("/?{query}").parse().expect("is an address");
        let Query(read): Query<Vec<(String, String)>> = Query::try_from_uri(&uri).expect("reads");
        assert_eq!(read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), pairs);
    }
}
