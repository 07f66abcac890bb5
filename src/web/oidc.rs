//! Logging in with an identity provider: OpenID Connect, authorization code flow with PKCE.
//!
//! In: what an operator set, and what a browser brings back from the provider. Out: an address to send a browser to, or a
//! person that the provider vouches for. What is fetched is bounded in time and size, and comes over TLS unless the provider
//! is on this machine. Deliberately not here: accounts (see `service::Accounts`), pages.

mod address;
mod attempt;
mod client;
mod id_token;
mod login;
mod options;
mod person;
mod provider;
mod signature;

pub(super) use self::attempt::{Attempt, MAX_AGE};
pub(super) use self::login::{CALLBACK, Oidc, Returned};
pub use self::options::{ClientSecret, GroupRule, OidcOptions};
pub(super) use self::provider::OidcError;
