//! Any bytes as a stored journal or score: entries, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bonafide::store::fuzzing::read(data));
