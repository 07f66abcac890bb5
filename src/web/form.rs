//! Forms: bounded, of text, and only with the token of the page that they were on.

use axum::extract::{Form, FromRequest, FromRequestParts as _, Multipart, Request};
use bytes::Bytes;

use super::csrf;
use super::error::Failure;
use super::state::Web;
use super::visit::Visitor;

/// The field that carries the token.
pub(super) const TOKEN_FIELD: &str = "csrf";
/// The field that carries a picture.
const PICTURE_FIELD: &str = "picture";
/// Most bytes of a form: a note of the longest, each letter written as three.
pub(super) const MAX_FORM_BYTES: usize = 64 * 1024;
/// Most bytes of a form with a picture: the largest picture that is looked at, and the rest of the form.
pub(super) const MAX_UPLOAD_BYTES: usize = 16 * 1024 * 1024 + MAX_FORM_BYTES;
/// Most fields of a form with a picture.
const MAX_PARTS: usize = 16;

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

/// A form with a picture, under the same rule.
#[derive(Debug)]
pub(super) struct SafeUpload {
    /// Its texts.
    pub(super) form: SafeForm,
    /// The picture; `None` when none was chosen.
    pub(super) picture: Option<Bytes>,
}

impl FromRequest<Web> for SafeUpload {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Visitor(visit) = Visitor::from_request_parts(&mut parts, web).await?;
        let request = Request::from_parts(parts, body);
        let bad = |status| Failure::of_status(status);
        let mut multipart = Multipart::from_request(request, web).await.map_err(|rejection| bad(rejection.status()))?;
        let (mut fields, mut picture, mut n_parts) = (Vec::new(), None, 0);
        while let Some(field) = multipart.next_field().await.map_err(|error| bad(error.status()))? {
            n_parts += 1;
            if n_parts > MAX_PARTS {
                return Err(Failure::bad_request("error-400-text"));
            }
            let name = field.name().unwrap_or_default().to_owned();
            if name == PICTURE_FIELD {
                let bytes = field.bytes().await.map_err(|error| bad(error.status()))?;
                picture = Some(bytes).filter(|bytes| !bytes.is_empty());
            } else {
                let text = field.text().await.map_err(|error| bad(error.status()))?;
                // The page puts the token first: whoever has none sends no picture that is read.
                if fields.is_empty() && !(name == TOKEN_FIELD && csrf::is_right(&visit.csrf_token, &text)) {
                    return Err(Failure::stale_form());
                }
                fields.push((name, text.replace("\r\n", "\n")));
            }
        }
        let form = SafeForm { fields };
        if !csrf::is_right(&visit.csrf_token, form.get(TOKEN_FIELD)) {
            return Err(Failure::stale_form());
        }
        Ok(Self { form, picture })
    }
}

/// One value of a query, as a part of an address.
pub(super) fn encode_value(text: &str) -> String {
    encode(&[("", text)]).trim_start_matches('=').to_owned()
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
