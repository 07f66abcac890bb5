//! The review pages end to end: a real server on a real store, asked as a browser asks.

mod access;
mod bench;
mod browser;
mod figures;
mod identity;
mod journey;
mod look;
mod oidc;
mod reading;
mod stills;
mod tls;
