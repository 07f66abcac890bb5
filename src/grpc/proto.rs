//! The wire types and service traits, generated from `proto/` into `OUT_DIR` at build time.

/// `bonafide.v1`.
#[expect(
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated code; its documentation stands in proto/"
)]
pub mod v1 {
    tonic::include_proto!("bonafide.v1");
}

/// Encoded `FileDescriptorSet` of the contract and everything it imports, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bonafide_descriptor.bin"));
