//! Bonafide tells whether the person in a remote video interview is genuine.
//!
//! The modules in reading order follow the data: [`media`] makes frames of bytes, [`vision`] faces of frames, [`inference`]
//! runs the models in between, [`signals`] makes measurements of faces over time, [`scoring`] verdicts of measurements,
//! [`session`] keeps one interview's state, [`identity`] compares people across them, [`service`] holds the use cases and their ports. The rest are adapters.
//! `ARCHITECTURE.md` says what each may import.

#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        clippy::wildcard_enum_match_arm,
        reason = "tests make small numbers up, compare exact ones, and pick the one event they wait for"
    )
)]

pub mod audit;
pub mod cli;
pub mod config;
pub mod error;
pub mod eval;
pub mod grpc;
pub mod identity;
pub mod inference;
pub mod keys;
pub mod loadtest;
pub mod media;
mod plot;
pub mod report;
pub mod scoring;
pub mod service;
pub mod session;
pub mod signals;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod vision;
pub mod web;
