//! Any bytes as a message of the wire contract: a domain value, or an error that names a field.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bonafide::grpc::fuzzing::convert(data));
