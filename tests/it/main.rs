//! Integration tests: one module a topic.

mod command_line;
mod golden;
mod grpc;
mod harness;
mod inference;
mod python_client;
