//! The gRPC adapter: the wire contract under `proto/`, its services, access, server and a client.
//!
//! In: messages of clients, not trusted. Out: calls of `service`, and its views as messages. One table maps errors to codes
//! (`status`), one module a subject maps messages to domain values (`convert`). Deliberately not here: decisions, storage.

mod access;
mod call;
mod client;
mod convert;
mod evidence;
mod field;
mod filter;
#[cfg(fuzzing)]
pub mod fuzzing;
mod identity;
mod incoming;
mod live;
mod name;
mod options;
pub mod proto;
mod report;
mod review;
mod server;
mod sessions;
mod status;

pub use self::client::{ClientCommand, ClientError, ClientEvent, ClientOptions, ClientStream, LiveClient};
pub use self::field::FieldError;
pub use self::options::{ApiKey, GrpcError, GrpcOptions, MAX_MESSAGE_BYTES, Scope, TlsOptions};
pub use self::server::{GrpcServer, ServerVersions, UseCases, serve};
