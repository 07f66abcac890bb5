//! The one binary; everything is in the library.

fn main() -> std::process::ExitCode {
    // ONNX Runtime from 1.30 on reports its use to its maker and keeps a device id. `EnvironmentBuilder::with_telemetry(false)`
    // comes too late for the first report, this variable does not.
    #[expect(unsafe_code, clippy::disallowed_methods, reason = "before any thread is started")]
    // SAFETY: no other thread reads or writes the environment, because there is none yet.
    unsafe {
        std::env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
    bonafide::cli::main()
}
