//! Integration tests: one module a topic.

mod golden;
mod command_line;
mod grpc;
mod harness;
mod inference;
mod python_client;
