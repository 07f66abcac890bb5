//! The gRPC adapter: wire contract, services, access, client.

mod convert;
mod field;
mod filter;
mod name;
pub mod proto;
mod status;
