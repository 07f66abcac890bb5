//! Integration tests: one module a topic.

#![allow(
    clippy::float_cmp,
    clippy::wildcard_enum_match_arm,
    reason = "tests compare exact numbers, and pick the one event they wait for"
)]

mod browser;
mod command_line;
mod evidence;
mod golden;
mod grpc;
mod harness;
mod hostile;
mod identity;
mod inference;
mod loadtest;
mod metrics;
mod parity;
mod places;
mod process;
mod python_client;
mod report;
mod restart;
mod shutdown;
mod splice;
mod web;
mod wire;
