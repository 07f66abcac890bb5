//! The pages that people review interviews on: rendered here, readable without JavaScript.
//!
//! In: requests of browsers. Out: HTML, a few assets that are built in, and events of live sessions. It calls the same use
//! cases as the wire, with the same permissions. One file a page; what all pages share lies beside them.
//! Deliberately not here: SQL, what a permission allows, sentences (see `text`).

mod assets;
mod connections;
mod csrf;
mod error;
mod form;
mod frame;
mod headers;
mod hex;
mod layout;
mod login_cookie;
mod oidc;
mod options;
mod pages;
mod parts;
mod problem;
mod routes;
mod server;
mod state;
mod tls;
mod visit;

pub use self::oidc::{ClientSecret, GroupRule, OidcOptions};
pub use self::options::{WebError, WebOptions};
pub use self::server::{WebServer, serve};
pub use self::state::WebServices;
pub use self::tls::TlsOptions;
