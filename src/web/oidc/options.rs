//! What an operator sets about the identity provider.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::error::InvalidOption;
use crate::service::Role;
use crate::session::TenantId;

use super::address::Address;

/// Longest label of the button in bytes.
const MAX_LABEL_BYTES: usize = 64;
/// Most rules; more is no list that somebody wrote.
const MAX_RULES: usize = 1_024;
/// Longest issuer in bytes; it stands with every account that comes from it.
const MAX_ISSUER_BYTES: usize = 512;

/// What the provider knows this installation by; empty for a public client. Never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct ClientSecret(SecretString);

impl ClientSecret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(SecretString::from(secret))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for ClientSecret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.expose().is_empty() { "none" } else { "<redacted>" })
    }
}

/// An identity provider that people log in with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcOptions {
    /// The provider, exactly as its ID tokens name it in `iss`, such as `https://id.example.org/realms/staff`.
    pub issuer: String,
    /// What the provider calls this installation.
    pub client_id: String,
    /// What the provider knows this installation by; empty for a public client.
    #[serde(default)]
    pub client_secret: ClientSecret,
    /// What is asked of the provider; `openid` belongs to it.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that an account is named by.
    #[serde(default = "default_name_claim")]
    pub name_claim: String,
    /// The claim that holds a person's groups; dots lead into objects, such as `realm_access.roles`.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
    /// What each group is for; whoever is in none of them does not get in.
    pub groups: Vec<GroupRule>,
    /// The provider's name on the button; empty = a general one.
    #[serde(default)]
    pub label: String,
}

/// What the members of one of the provider's groups are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// The group, as the claim has it.
    pub group: String,
    /// What its members are for: `viewer`, `reviewer`, `investigator`, `admin`.
    pub roles: Vec<String>,
    /// Whose sessions they see.
    #[serde(default = "default_tenant")]
    pub tenant: String,
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn default_name_claim() -> String {
    "preferred_username".to_owned()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

fn default_tenant() -> String {
    TenantId::DEFAULT.to_owned()
}

impl OidcOptions {
    /// Checks everything that can be checked without the network.
    ///
    /// # Errors
    /// [`InvalidOption`] for a value that cannot be used.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let refuse = |key, problem: &str| Err(InvalidOption { key, problem: problem.to_owned() });
        if Address::of_issuer(&self.issuer).is_none() || self.issuer.len() > MAX_ISSUER_BYTES {
            let problem = "must be https://HOST with a path where the provider has one, exactly as its ID tokens name it; http:// is \
                           taken for a provider on this machine alone";
            return refuse("oidc.issuer", problem);
        }
        if self.client_id.is_empty() {
            return refuse("oidc.client_id", "is empty: write what the provider calls this installation");
        }
        let is_scope = |scope: &String| !scope.is_empty() && scope.bytes().all(is_scope_byte);
        if !self.scopes.iter().all(is_scope) || !self.scopes.iter().any(|scope| scope == "openid") {
            return refuse("oidc.scopes", "must be words without spaces, \"openid\" among them");
        }
        for (key, claim) in [("oidc.name_claim", &self.name_claim), ("oidc.groups_claim", &self.groups_claim)] {
            if claim.is_empty() {
                return refuse(key, "is empty: name a claim");
            }
        }
        if self.label.len() > MAX_LABEL_BYTES || self.label.chars().any(char::is_control) {
            return refuse("oidc.label", "must be at most 64 bytes without control characters");
        }
        if self.groups.is_empty() || self.groups.len() > MAX_RULES {
            let problem = "must have at least one entry, such as { group = \"interviews\", roles = [\"reviewer\"] }, else nobody gets in";
            return refuse("oidc.groups", problem);
        }
        self.groups.iter().try_for_each(GroupRule::validate)
    }
}

impl GroupRule {
    fn validate(&self) -> Result<(), InvalidOption> {
        let refuse = |problem: String| Err(InvalidOption { key: "oidc.groups", problem });
        let group = &self.group;
        if group.is_empty() {
            return refuse("has an entry whose group is empty: name one".to_owned());
        }
        if self.roles.is_empty() || self.roles.iter().any(|role| Role::from_name(role).is_none()) {
            return refuse(format!("of {group:?}: roles must be some of viewer, reviewer, investigator, admin"));
        }
        match TenantId::new(&self.tenant) {
            Ok(_) => Ok(()),
            Err(error) => refuse(format!("of {group:?}: tenant {}", error.problem)),
        }
    }

    /// What its members are for; names that are none were refused at start.
    pub(super) fn roles(&self) -> BTreeSet<Role> {
        self.roles.iter().filter_map(|role| Role::from_name(role)).collect()
    }
}

/// What RFC 6749 allows in a scope.
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::{GroupRule, OidcOptions};

    fn good() -> OidcOptions {
        let text = r#"{"issuer": "https://id.example.org", "client_id": "bonafide", "client_secret": "s3cret",
            "groups": [{"group": "interviews", "roles": ["reviewer"]}]}"#;
        serde_json::from_str(text).expect("valid")
    }

    #[test]
    fn what_is_not_said_has_a_default_and_the_secret_is_not_shown() {
        let options = good();
        options.validate().expect("valid");
        assert_eq!(options.scopes, ["openid", "profile", "email"]);
        assert_eq!((options.groups[0].tenant.as_str(), options.groups_claim.as_str()), ("default", "groups"));
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn bad_values_are_named() {
        let check = |key: &str, change: fn(&mut OidcOptions)| {
            let mut options = good();
            change(&mut options);
            assert_eq!(options.validate().expect_err(key).key, key);
        };
        check("oidc.issuer", |options| options.issuer = "http://id.example.org".to_owned());
        check("oidc.issuer", |options| options.issuer = "id.example.org".to_owned());
        check("oidc.issuer", |options| options.issuer = "https://id.example.org/?a=b".to_owned());
        check("oidc.client_id", |options| options.client_id.clear());
        check("oidc.scopes", |options| options.scopes = vec!["profile".to_owned()]);
        check("oidc.scopes", |options| options.scopes.push("a b".to_owned()));
        check("oidc.name_claim", |options| options.name_claim.clear());
        check("oidc.groups_claim", |options| options.groups_claim.clear());
        check("oidc.label", |options| options.label = "x".repeat(65));
        check("oidc.groups", |options| options.groups.clear());
        check("oidc.groups", |options| options.groups[0].roles = vec!["root".to_owned()]);
        check("oidc.groups", |options| options.groups[0].roles.clear());
        check("oidc.groups", |options| options.groups[0].tenant = "A B".to_owned());
        check("oidc.groups", |options| {
            let nameless = GroupRule { group: String::new(), ..options.groups[0].clone() };
            options.groups.push(nameless);
        });
    }
}
