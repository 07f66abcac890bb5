//! Compiles the wire contract under `proto/` into `OUT_DIR`, without `protoc`.
//!
//! Also writes the file descriptor set that the reflection service answers from.

use std::path::PathBuf;

use prost::Message as _;

const PROTOS: [&str; 7] = [
    "bonafide/v1/types.proto",
    "bonafide/v1/identity_service.proto",
    "bonafide/v1/session_service.proto",
    "bonafide/v1/live_service.proto",
    "bonafide/v1/review_service.proto",
    "bonafide/v1/report_service.proto",
    "bonafide/v1/evidence_service.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run through cargo")?);
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    std::fs::write(out_dir.join("bonafide_descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Frames stay in the buffer they were received in.
        .bytes(".")
        .btree_map(".")
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
