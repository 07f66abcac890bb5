//! What is known of the provider: where it answers and which keys it signs with, fetched when it is needed and kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::address::Address;
use super::client::{Answer, Client, ClientError, Credentials};
use super::id_token::{Claims, Expected, Keys, TokenError, verify};

/// How long what is known is believed.
const KEPT: Duration = Duration::from_hours(1);
/// Keys are asked for again at most so often, however many tokens name one that is not known.
const KEYS_PAUSE: Duration = Duration::from_mins(1);
/// After a failure nobody asks again for so long.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// Where a provider says what it is, below its issuer (OpenID Connect Discovery 1.0, 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A provider with which nobody can log in at this moment, or not with what was brought.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum OidcError {
    /// It does not answer.
    #[error("{what} of the identity provider cannot be had")]
    Unreachable {
        /// What was asked for.
        what: &'static str,
        /// The cause.
        #[source]
        source: Unreachable,
    },
    /// It answers something else than a provider does, or refuses this installation.
    #[error("{what} of the identity provider: {problem}")]
    Unusable {
        /// What was asked for.
        what: &'static str,
        /// What came.
        problem: String,
    },
    /// It sent the browser back without a login.
    #[error("the identity provider says {error}")]
    Denied {
        /// The code that it gives.
        error: String,
    },
    /// What the browser brings belongs to no try of it, or to one that is too old.
    #[error("what came back belongs to no login that this browser began")]
    Stale,
    /// Somebody's groups belong to more than one tenant.
    #[error("the person's groups belong to more than one tenant")]
    Tenants,
    /// The ID token is not believed.
    #[error("the ID token {problem}")]
    Token {
        /// Why.
        problem: String,
    },
}

impl OidcError {
    /// The name in the audit log and in the address of the page that says it.
    pub(in crate::web) const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Unusable { .. } => "unusable",
            Self::Denied { .. } => "denied",
            Self::Stale => "stale",
            Self::Tenants => "tenants",
            Self::Token { .. } => "token",
        }
    }
}

/// Why it does not answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum Unreachable {
    /// It was asked.
    #[error(transparent)]
    Asked(ClientError),
    /// It was asked a moment ago, in vain.
    #[error("did not answer a moment ago")]
    Lately,
}

/// Where the provider answers.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Address,
    pub(super) token: Address,
    pub(super) user_info: Option<Address>,
    keys: Address,
    /// Whether secrets go in the form because nothing else is taken.
    pub(super) wants_secret_in_form: bool,
    /// Whether it says with each answer which provider it is (RFC 9207).
    pub(super) names_itself: bool,
}

/// Metadata as a provider writes it.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// One provider.
pub(super) struct Provider {
    issuer: String,
    client: Client,
    /// One at a time asks what all wait for.
    turn: Semaphore,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Duration)>,
    keys: Option<(Arc<Keys>, Duration)>,
    failed: Option<Duration>,
}

impl Provider {
    pub(super) fn new(issuer: String, client: Client) -> Self {
        Self { issuer, client, turn: Semaphore::new(1), known: Mutex::default() }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Where it answers, at `now` (monotonic).
    ///
    /// # Errors
    /// [`OidcError::Unreachable`], [`OidcError::Unusable`].
    pub(super) async fn metadata(&self, now: Duration) -> Result<Arc<Metadata>, OidcError> {
        const WHAT: &str = "the metadata";
        if let Some(metadata) = self.with(|known| fresh(known.metadata.as_ref(), now)) {
            return Ok(metadata);
        }
        // The semaphore is never closed; should it be, several ask at once.
        let _turn = self.turn.acquire().await.ok();
        if let Some(metadata) = self.with(|known| fresh(known.metadata.as_ref(), now)) {
            return Ok(metadata);
        }
        self.check_pause(WHAT, now)?;
        let address = format!("{}{WELL_KNOWN}", self.issuer.trim_end_matches('/'));
        let outcome = match Address::parse(&address) {
            Some(address) => self.document(WHAT, &address).await.and_then(|document| self.read(document)),
            None => Err(unusable(WHAT, "its issuer is no address")),
        };
        self.keep(now, outcome, |known, metadata| known.metadata = Some((metadata, now)))
    }

    /// What a token says, once it is believed; keys are asked for again when it is signed with one that is not known.
    ///
    /// # Errors
    /// [`OidcError`].
    pub(super) async fn claims(
        &self,
        metadata: &Metadata,
        token: &str,
        expected: &Expected<'_>,
        now: Duration,
    ) -> Result<Claims, OidcError> {
        let keys = self.keys(metadata, now, KEPT).await?;
        let outcome = match verify(token, &keys, expected) {
            Err(TokenError::UnknownKey) => verify(token, &*self.keys(metadata, now, KEYS_PAUSE).await?, expected),
            outcome => outcome,
        };
        outcome.map_err(|error| OidcError::Token { problem: error.to_string() })
    }

    /// Its keys, not older than `max_age`.
    async fn keys(&self, metadata: &Metadata, now: Duration, max_age: Duration) -> Result<Arc<Keys>, OidcError> {
        const WHAT: &str = "the keys";
        let young = |known: &Known| {
            let (keys, since) = known.keys.as_ref()?;
            (now.saturating_sub(*since) < max_age).then(|| Arc::clone(keys))
        };
        if let Some(keys) = self.with(|known| young(known)) {
            return Ok(keys);
        }
        let _turn = self.turn.acquire().await.ok();
        if let Some(keys) = self.with(|known| young(known)) {
            return Ok(keys);
        }
        self.check_pause(WHAT, now)?;
        let outcome = match self.ask(WHAT, &metadata.keys).await {
            Ok(answer) => Keys::read(&answer.body).ok_or_else(|| unusable(WHAT, "no list of keys came")),
            Err(error) => Err(error),
        };
        self.keep(now, outcome, |known, keys| known.keys = Some((keys, now)))
    }

    fn read(&self, document: Document) -> Result<Metadata, OidcError> {
        let wrong = |problem: String| OidcError::Unusable { what: "the metadata", problem };
        if document.issuer != self.issuer {
            return Err(wrong(format!(
                "they are those of {:?}, web.oidc.issuer is {:?}",
                document.issuer, self.issuer
            )));
        }
        let address = |text: &str| Address::parse(text).ok_or_else(|| wrong(format!("{text:?} is no https address")));
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.as_ref().is_some_and(|methods| methods.iter().any(|known| known == method));
        Ok(Metadata {
            authorization: address(&document.authorization_endpoint)?,
            token: address(&document.token_endpoint)?,
            user_info: document.userinfo_endpoint.as_deref().map(address).transpose()?,
            keys: address(&document.jwks_uri)?,
            wants_secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }

    /// A document of the provider.
    async fn document<T: DeserializeOwned>(&self, what: &'static str, address: &Address) -> Result<T, OidcError> {
        let answer = self.ask(what, address).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| OidcError::Unusable { what, problem: format!("not what it should be: {error}") })
    }

    async fn ask(&self, what: &'static str, address: &Address) -> Result<Answer, OidcError> {
        let answer = self.client.get(address, Credentials::None).await.map_err(|error| unreachable(what, error))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(OidcError::Unusable { what, problem: format!("answered with status {}", answer.status.as_u16()) })
    }

    fn check_pause(&self, what: &'static str, now: Duration) -> Result<(), OidcError> {
        let failed = self.with(|known| known.failed);
        if failed.is_some_and(|failed| now.saturating_sub(failed) < FAILURE_PAUSE) {
            return Err(OidcError::Unreachable { what, source: Unreachable::Lately });
        }
        Ok(())
    }

    /// Remembers what came, or that nothing did.
    fn keep<T>(
        &self,
        now: Duration,
        outcome: Result<T, OidcError>,
        put: impl FnOnce(&mut Known, Arc<T>),
    ) -> Result<Arc<T>, OidcError> {
        self.with(|known| {
            known.failed = outcome.is_err().then_some(now);
            let value = Arc::new(outcome?);
            put(known, Arc::clone(&value));
            Ok(value)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn fresh<T>(kept: Option<&(Arc<T>, Duration)>, now: Duration) -> Option<Arc<T>> {
    let (value, since) = kept?;
    (now.saturating_sub(*since) < KEPT).then(|| Arc::clone(value))
}

fn unusable(what: &'static str, problem: &str) -> OidcError {
    OidcError::Unusable { what, problem: problem.to_owned() }
}

pub(super) fn unreachable(what: &'static str, error: ClientError) -> OidcError {
    OidcError::Unreachable { what, source: Unreachable::Asked(error) }
}

#[cfg(test)]
mod tests;
