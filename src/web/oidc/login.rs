//! The way to the provider and back.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::service::ExternalPerson;
use crate::web::form::{encode, encode_value};

use super::attempt::Attempt;
use super::client::{Answer, Client, ClientError, Credentials};
use super::id_token::{Claims, Expected};
use super::options::OidcOptions;
use super::person::{claim, person};
use super::provider::{Metadata, OidcError, Provider, unreachable};

/// Where the provider sends browsers back to.
pub(in crate::web) const CALLBACK: &str = "/login/oidc/callback";
/// Longest code of an error that is repeated.
const MAX_ERROR_BYTES: usize = 64;

/// What a browser brings back.
#[derive(Default, Deserialize)]
pub(in crate::web) struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
    iss: Option<String>,
}

/// What the token endpoint gives.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: String,
}

/// Logging in with the provider that the operator named.
pub(in crate::web) struct Oidc {
    options: OidcOptions,
    redirect_uri: String,
    provider: Provider,
}

impl Oidc {
    /// Ready to ask the provider, which happens when somebody logs in. `origin` is where browsers reach the pages. Reads the
    /// certificates that this machine trusts.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(in crate::web) fn new(options: OidcOptions, origin: &str) -> Result<Self, ClientError> {
        let provider = Provider::new(options.issuer.clone(), Client::new()?);
        Ok(Self { redirect_uri: format!("{origin}{CALLBACK}"), options, provider })
    }

    /// The provider's name on the button; empty = a general one.
    pub(in crate::web) fn label(&self) -> &str {
        &self.options.label
    }

    /// Where to send a browser that begins a try, at `now` (monotonic).
    ///
    /// # Errors
    /// [`OidcError::Unreachable`], [`OidcError::Unusable`].
    pub(in crate::web) async fn begin(&self, attempt: &Attempt, now: Duration) -> Result<String, OidcError> {
        let metadata = self.provider.metadata(now).await?;
        let query = encode(&[
            ("response_type", "code"),
            ("client_id", &self.options.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.options.scopes.join(" ")),
            ("state", &attempt.state()),
            ("nonce", &attempt.nonce()),
            ("code_challenge", &attempt.challenge()),
            ("code_challenge_method", "S256"),
        ]);
        Ok(metadata.authorization.with_query(&query))
    }

    /// Whom the provider vouches for, by what a browser brings back; `now` is the monotonic clock's.
    ///
    /// # Errors
    /// [`OidcError`].
    pub(in crate::web) async fn finish(
        &self,
        attempt: Option<&Attempt>,
        returned: &Returned,
        time: Timestamp,
        now: Duration,
    ) -> Result<ExternalPerson, OidcError> {
        let attempt = attempt.filter(|attempt| attempt.is_state(&returned.state)).ok_or(OidcError::Stale)?;
        let metadata = self.provider.metadata(now).await?;
        let is_other = returned.iss.as_deref().is_some_and(|issuer| issuer != self.options.issuer);
        if is_other || (metadata.names_itself && returned.iss.is_none()) {
            return Err(OidcError::Token { problem: "would be that of another provider".to_owned() });
        }
        if let Some(error) = &returned.error {
            return Err(OidcError::Denied { error: error_code(error) });
        }
        let tokens = self.redeem(&metadata, &returned.code, attempt).await?;
        let expected = Expected {
            issuer: &self.options.issuer,
            client_id: &self.options.client_id,
            nonce: &attempt.nonce(),
            now: time,
        };
        let mut claims = self.provider.claims(&metadata, &tokens.id_token, &expected, now).await?;
        let wanted = [&self.options.name_claim, &self.options.groups_claim];
        if let Some(address) = &metadata.user_info
            && wanted.iter().any(|name| claim(&claims, name).is_none())
        {
            const WHAT: &str = "the user info";
            let answer = self.provider.client().get(address, Credentials::Bearer(&tokens.access_token)).await;
            let more: Claims = read(WHAT, answer)?;
            if more.get("sub").and_then(Value::as_str) != claims.get("sub").and_then(Value::as_str) {
                return Err(OidcError::Token { problem: "and the user info name two people".to_owned() });
            }
            // What is signed counts more.
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        person(&claims, &self.options).ok_or(OidcError::Tenants)
    }

    /// The tokens that a code is good for.
    async fn redeem(&self, metadata: &Metadata, code: &str, attempt: &Attempt) -> Result<Tokens, OidcError> {
        let (id, secret) = (self.options.client_id.as_str(), self.options.client_secret.expose());
        let verifier = attempt.verifier();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &verifier),
        ];
        // Both parts are encoded as a form's fields before they are joined (RFC 6749, 2.3.1).
        let (encoded_id, encoded_secret) = (encoded(id), encoded(secret));
        let credentials = if secret.is_empty() {
            form.push(("client_id", id));
            Credentials::None
        } else if metadata.wants_secret_in_form {
            form.extend([("client_id", id), ("client_secret", secret)]);
            Credentials::None
        } else {
            Credentials::Basic(&encoded_id, &encoded_secret)
        };
        read("the tokens", self.provider.client().post(&metadata.token, encode(&form), credentials).await)
    }
}

/// What an answer holds. Its text is not repeated: tokens could be in it.
fn read<T: serde::de::DeserializeOwned>(
    what: &'static str,
    answer: Result<Answer, ClientError>,
) -> Result<T, OidcError> {
    /// An error as the token endpoint tells it (RFC 6749, 5.2).
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let answer = answer.map_err(|error| unreachable(what, error))?;
    if answer.status == StatusCode::OK {
        return serde_json::from_slice(&answer.body)
            .map_err(|_error| OidcError::Unusable { what, problem: "not what it should be".to_owned() });
    }
    let status = answer.status.as_u16();
    let problem = match serde_json::from_slice::<Refusal>(&answer.body) {
        // The code was used before, or is too old.
        Ok(Refusal { error }) if error == "invalid_grant" => return Err(OidcError::Denied { error }),
        Ok(Refusal { error }) => format!("answered with status {status}, {}", error_code(&error)),
        Err(_) => format!("answered with status {status}"),
    };
    Err(OidcError::Unusable { what, problem })
}

/// A code of an error as far as it can be one (RFC 6749, 4.1.2.1).
fn error_code(error: &str) -> String {
    let is_code = |letter: &char| letter.is_ascii_alphanumeric() || "_-.".contains(*letter);
    error.chars().filter(is_code).take(MAX_ERROR_BYTES).collect()
}

fn encoded(text: &str) -> String {
    encode_value(text).replace(':', "%3A")
}
