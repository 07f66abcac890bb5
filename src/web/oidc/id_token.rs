//! ID tokens: whose they are, checked before anything in them is believed (OpenID Connect Core 1.0, 3.1.3.7).

use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::signature::{ALGORITHMS, install};

/// Clocks of provider and server may be so far apart, in seconds.
const LEEWAY_SECS: f64 = 60.0;
/// Most keys of a provider that are kept.
const MAX_KEYS: usize = 64;
/// Longest token in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What a token says.
pub(super) type Claims = Map<String, Value>;

/// What a token has to agree with.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// A token that is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// It is signed with a key that is not known.
    #[error("is signed with a key that the provider does not publish")]
    UnknownKey,
    /// Something else is wrong with it.
    #[error("{0}")]
    Wrong(&'static str),
}

/// The public keys of a provider.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Jwk>);

impl Keys {
    /// Those of a document that can check signatures; kinds that are not known are left out.
    pub(super) fn read(document: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(document).ok()?;
        let listed = document.get("keys")?.as_array()?;
        let known = listed.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        let signs = |key: &Jwk| matches!(&key.common.public_key_use, None | Some(PublicKeyUse::Signature));
        Some(Self(known.filter(signs).take(MAX_KEYS).collect()))
    }

    /// Those that a token may be signed with.
    fn candidates<'a>(&'a self, id: Option<&'a str>) -> impl Iterator<Item = &'a Jwk> {
        self.0.iter().filter(move |key| id.is_none() || key.common.key_id.as_deref() == id)
    }
}

/// What a token says, once its signature, issuer, audience, time and nonce are right.
///
/// # Errors
/// [`TokenError`].
pub(super) fn verify(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    install();
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Wrong("is too long"));
    }
    let header = decode_header(token).map_err(|_error| TokenError::Wrong("is no signed token of a known kind"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::Wrong("is signed in a way that is not taken"));
    }
    if header.crit.is_some() {
        return Err(TokenError::Wrong("has critical headers"));
    }
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    // By our own clock, below.
    validation.validate_exp = false;
    let mut error = TokenError::UnknownKey;
    for key in keys.candidates(header.kid.as_deref()) {
        let of_key = key.common.key_algorithm.map(|algorithm| algorithm.to_string());
        if of_key.is_some_and(|of_key| of_key != format!("{:?}", header.alg)) {
            continue;
        }
        let Ok(decoding) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Claims>(token, &decoding, &validation) {
            Ok(data) => return check(data.claims, expected),
            Err(failed) => error = TokenError::Wrong(said(failed.kind())),
        }
    }
    Err(error)
}

/// What is wrong, in words that are the same whatever the token holds.
fn said(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    let known = [
        (matches!(kind, ErrorKind::InvalidSignature), "has a wrong signature"),
        (matches!(kind, ErrorKind::InvalidIssuer), "comes from another issuer"),
        (matches!(kind, ErrorKind::InvalidAudience), "is for somebody else"),
        (matches!(kind, ErrorKind::MissingRequiredClaim(_)), "lacks iss, sub, aud or exp"),
    ];
    known.into_iter().find(|(is_it, _)| *is_it).map_or("cannot be read", |(_, said)| said)
}

/// What the token itself has to say, besides who signed it.
fn check(claims: Claims, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    let now = expected.now.as_second() as f64;
    let secs = |claim: &str| claims.get(claim).and_then(Value::as_f64);
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    if !secs("exp").is_some_and(|exp| exp + LEEWAY_SECS > now) {
        return Err(TokenError::Wrong("is over"));
    }
    for claim in ["iat", "nbf"] {
        if claims.contains_key(claim) && !secs(claim).is_some_and(|since| since - LEEWAY_SECS <= now) {
            return Err(TokenError::Wrong("is from the future"));
        }
    }
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(TokenError::Wrong("was made for another login"));
    }
    let n_audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    let is_party = match claims.get("azp") {
        Some(party) => party.as_str() == Some(expected.client_id),
        None => n_audiences == 1,
    };
    if !is_party {
        return Err(TokenError::Wrong("was given to another client"));
    }
    if text("sub").unwrap_or_default().is_empty() {
        return Err(TokenError::Wrong("names nobody"));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests;
