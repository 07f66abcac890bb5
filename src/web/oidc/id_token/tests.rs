use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::{Claims, Expected, Keys, TokenError, verify};

const NOW: i64 = 1_790_000_000;

/// A provider's keys.
struct Signer {
    random: SystemRandom,
    elliptic: EcdsaKeyPair,
    edwards: Ed25519KeyPair,
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let elliptic = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let elliptic = EcdsaKeyPair::from_pkcs8(algorithm, elliptic.as_ref(), &random).expect("its own");
        let edwards = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        Self { elliptic, edwards: Ed25519KeyPair::from_pkcs8(edwards.as_ref()).expect("its own"), random }
    }

    fn elliptic_key(&self) -> Value {
        let point = self.elliptic.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256", "x": part(&point[1..33]), "y": part(&point[33..])})
    }

    fn keys(&self) -> Keys {
        let edwards = self.edwards.public_key().as_ref();
        read(&[
            json!({"kty": "strange", "kid": "none"}),
            json!({"kty": "oct", "kid": "secret", "k": part(b"client secret client secret 1234")}),
            self.elliptic_key(),
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "two", "x": part(edwards)}),
        ])
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header.to_string().as_bytes()), part(claims.to_string().as_bytes()));
        let signature = match header["alg"].as_str() {
            Some("EdDSA") => self.edwards.sign(message.as_bytes()).as_ref().to_vec(),
            _ => self.elliptic.sign(&self.random, message.as_bytes()).expect("signs").as_ref().to_vec(),
        };
        format!("{message}.{}", part(&signature))
    }

    fn token(&self, change: &[(&str, Value)]) -> String {
        self.sign(&json!({"alg": "ES256", "kid": "one"}), &claims(change))
    }
}

fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read(keys: &[Value]) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).expect("a list of keys")
}

fn claims(change: &[(&str, Value)]) -> Value {
    let mut claims = json!({
        "iss": "https://id.example.org",
        "sub": "4711",
        "aud": "bonafide",
        "exp": NOW + 600,
        "iat": NOW - 1,
        "nonce": "the nonce",
    });
    for (name, value) in change {
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    claims
}

fn check(token: &str, keys: &Keys) -> Result<Claims, TokenError> {
    let now = Timestamp::new(NOW, 0).expect("in range");
    verify(token, keys, &Expected { issuer: "https://id.example.org", client_id: "bonafide", nonce: "the nonce", now })
}

#[test]
fn what_the_provider_signed_for_this_login_is_believed() {
    let signer = Signer::new();
    let keys = signer.keys();
    assert_eq!(check(&signer.token(&[]), &keys).expect("is good")["sub"], "4711");
    for header in
        [json!({"alg": "EdDSA", "kid": "two"}), json!({"alg": "ES256"}), json!({"alg": "EdDSA", "typ": "JWT"})]
    {
        check(&signer.sign(&header, &claims(&[])), &keys).expect("is good");
    }
    for change in [
        &[("aud", json!(["bonafide"]))][..],
        &[("aud", json!(["other", "bonafide"])), ("azp", json!("bonafide"))],
        &[("exp", json!(NOW - 59))],
        &[("iat", json!(NOW + 59))],
        &[("nbf", json!(NOW + 59)), ("iat", json!(null))],
    ] {
        check(&signer.token(change), &keys).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }
}

#[test]
fn claims_that_do_not_fit_are_not_believed() {
    let signer = Signer::new();
    let keys = signer.keys();
    for (change, part) in [
        (&[("iss", json!("https://id.example.org/"))][..], "another issuer"),
        (&[("iss", json!(null))], "lacks"),
        (&[("aud", json!("other"))], "somebody else"),
        (&[("aud", json!(null))], "lacks"),
        (&[("aud", json!(["other", "bonafide"]))], "another client"),
        (&[("azp", json!("other"))], "another client"),
        (&[("exp", json!(NOW - 60))], "is over"),
        (&[("exp", json!("never"))], "lacks"),
        (&[("exp", json!(null))], "lacks"),
        (&[("iat", json!(NOW + 61))], "future"),
        (&[("nbf", json!(NOW + 61))], "future"),
        (&[("nonce", json!("another nonce"))], "another login"),
        (&[("nonce", json!(null))], "another login"),
        (&[("sub", json!(""))], "names nobody"),
        (&[("sub", json!(null))], "lacks"),
    ] {
        let said = check(&signer.token(change), &keys).expect_err("is wrong").to_string();
        assert!(said.contains(part), "{change:?}: {said}");
    }
}

#[test]
fn only_the_providers_own_signature_counts() {
    let signer = Signer::new();
    let keys = signer.keys();
    let good = signer.token(&[]);
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (head, body) = message.split_once('.').expect("three parts");
    let forged = part(claims(&[("sub", json!("4712"))]).to_string().as_bytes());
    let none = part(br#"{"alg":"none"}"#);
    for broken in [
        format!("{head}.{forged}.{signature}"),
        format!("{none}.{forged}."),
        format!("{none}.{body}.{signature}"),
        format!("{message}."),
        message.to_owned(),
        format!("{good}.{signature}"),
        format!("{good}="),
        String::new(),
        "x".repeat(100_000),
    ] {
        assert!(matches!(check(&broken, &keys), Err(TokenError::Wrong(_))), "{broken:.80}");
    }
    // A secret is no public key, whatever the token says of itself.
    let symmetric = signer.sign(&json!({"alg": "HS256", "kid": "secret"}), &claims(&[]));
    assert!(check(&symmetric, &keys).expect_err("is refused").to_string().contains("not taken"));
    let critical = signer.sign(&json!({"alg": "ES256", "kid": "one", "crit": ["b64"]}), &claims(&[]));
    assert!(check(&critical, &keys).expect_err("is refused").to_string().contains("critical"));
    let strangers = Signer::new();
    let said = check(&strangers.token(&[]), &keys).expect_err("is another's").to_string();
    assert!(said.contains("wrong signature"), "{said}");
    let renamed = signer.sign(&json!({"alg": "ES256", "kid": "three"}), &claims(&[]));
    assert_eq!(check(&renamed, &keys), Err(TokenError::UnknownKey));
    let mixed_up = signer.sign(&json!({"alg": "EdDSA", "kid": "one"}), &claims(&[]));
    assert_eq!(check(&mixed_up, &keys), Err(TokenError::UnknownKey), "the key is for another algorithm");
}

#[test]
fn keys_for_other_purposes_are_left_out() {
    let signer = Signer::new();
    let mut key = signer.elliptic_key();
    key["use"] = json!("enc");
    assert_eq!(check(&signer.token(&[]), &read(&[key])), Err(TokenError::UnknownKey));
    for document in ["", "[]", "{}", r#"{"keys": {}}"#] {
        assert!(Keys::read(document.as_bytes()).is_none(), "{document}");
    }
    assert_eq!(check(&signer.token(&[]), &read(&[])), Err(TokenError::UnknownKey));
}
