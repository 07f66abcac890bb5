//! One file a page.

pub(super) mod account;
pub(super) mod batches;
pub(super) mod health;
pub(super) mod identity;
pub(super) mod inbox;
pub(super) mod live;
pub(super) mod login;
pub(super) mod oidc;
pub(super) mod people;
pub(super) mod report;
pub(super) mod review;
pub(super) mod session;
pub(super) mod settings;
pub(super) mod stills;
pub(super) mod technical;
pub(super) mod trail;

mod admin;
mod inbox_query;
mod participant;
mod segment;
mod timeline;
