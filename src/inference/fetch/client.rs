//! The registry clients of this machine, run as their user configured them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::FetchError;
use super::{PackageRequest, PackageSource};
use crate::inference::manifest::Registry;

/// Longest time one package may take; the largest is 41 MB.
const PATIENCE: Duration = Duration::from_mins(15);

/// How often a running client is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much of the end of a failed client's output an error quotes.
const QUOTED_BYTES: u64 = 2_048;

/// `npm pack` and `pip download`, found on the search path.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegistryClients;

/// One way to call a client.
struct Call {
    program: &'static str,
    arguments: Vec<OsString>,
}

impl PackageSource for RegistryClients {
    fn obtain(&self, request: &PackageRequest, folder: &Path) -> Result<(), FetchError> {
        let (calls, client, remedy) = match request.registry {
            Registry::Npm => (npm(request, folder), "npm", "`apt-get install npm`"),
            Registry::Pypi => (pip(request, folder), "pip", "`apt-get install python3-pip`"),
        };
        for call in calls {
            match run(&call, folder) {
                Ok((status, _)) if status.success() => return Ok(()),
                Ok((status, output)) => {
                    return Err(FetchError::Client {
                        package: request.title(),
                        client: call.program.to_owned(),
                        status: status.to_string(),
                        output,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(FetchError::Client {
                        package: request.title(),
                        client: call.program.to_owned(),
                        status: "not run to its end".to_owned(),
                        output: error.to_string(),
                    });
                }
            }
        }
        Err(FetchError::NoClient { package: request.title(), client, remedy })
    }
}

fn npm(request: &PackageRequest, folder: &Path) -> Vec<Call> {
    let mut arguments: Vec<OsString> =
        ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination"].map(OsString::from).into();
    arguments.push(folder.into());
    arguments.push(format!("{}@{}", request.name, request.version).into());
    vec![Call { program: "npm", arguments }]
}

fn pip(request: &PackageRequest, folder: &Path) -> Vec<Call> {
    let mut arguments: Vec<OsString> = [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--dest",
    ]
    .map(OsString::from)
    .into();
    arguments.push(folder.into());
    if let Some((platform, python)) = &request.wheel {
        let abi = format!("cp{}", python.replace('.', ""));
        for argument in
            ["--platform", platform, "--python-version", python, "--implementation", "cp", "--abi", abi.as_str()]
        {
            arguments.push(argument.into());
        }
    }
    arguments.push(format!("{}=={}", request.name, request.version).into());
    let as_module = || ["-m", "pip"].map(OsString::from).into_iter().chain(arguments.iter().cloned()).collect();
    vec![
        Call { program: "pip", arguments: arguments.clone() },
        Call { program: "pip3", arguments: arguments.clone() },
        Call { program: "python3", arguments: as_module() },
    ]
}

/// Runs a client to its end and returns the end of its output; kills it when it takes too long.
fn run(call: &Call, folder: &Path) -> io::Result<(ExitStatus, String)> {
    let mut output = tempfile::tempfile()?;
    let mut child = Command::new(call.program)
        .args(&call.arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, end_of(&mut output)?));
        }
        if started.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            let secs = PATIENCE.as_secs();
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("took longer than {secs} s")));
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn end_of(output: &mut File) -> io::Result<String> {
    let length = output.seek(SeekFrom::End(0))?;
    output.seek(SeekFrom::Start(length.saturating_sub(QUOTED_BYTES)))?;
    let mut bytes = Vec::new();
    output.take(QUOTED_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Call, end_of, npm, pip, run};
    use crate::inference::digest::Digest;
    use crate::inference::fetch::PackageRequest;
    use crate::inference::manifest::Registry;

    fn request(registry: Registry, wheel: Option<(String, String)>) -> PackageRequest {
        let (name, version) = ("name".to_owned(), "1.2".to_owned());
        PackageRequest { registry, name, version, wheel, sha256: Digest::of(b""), bytes: 1 }
    }

    #[test]
    fn npm_packs_one_version_without_scripts() {
        let calls = npm(&request(Registry::Npm, None), Path::new("/folder"));
        let [Call { program: "npm", arguments }] = calls.as_slice() else { panic!("one call of npm") };
        assert!(arguments.iter().any(|argument| argument == "--ignore-scripts"));
        assert_eq!(arguments.last().expect("arguments"), "name@1.2");
    }

    #[test]
    fn pip_takes_the_wheel_of_the_platform() {
        let wheel = Some(("manylinux_2_28_x86_64".to_owned(), "3.11".to_owned()));
        let calls = pip(&request(Registry::Pypi, wheel), Path::new("/folder"));
        assert_eq!(calls.iter().map(|call| call.program).collect::<Vec<_>>(), ["pip", "pip3", "python3"]);
        for call in &calls {
            for expected in ["--no-deps", "manylinux_2_28_x86_64", "cp311", "name==1.2"] {
                assert!(call.arguments.iter().any(|argument| argument == expected), "{expected}");
            }
        }
    }

    #[test]
    fn output_of_a_client_is_kept() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let arguments = ["-c", "echo said; echo more >&2; exit 3"].map(Into::into).into();
        let (status, output) = run(&Call { program: "sh", arguments }, folder.path()).expect("run");
        assert_eq!((status.code(), output.as_str()), (Some(3), "said\nmore"));
    }

    #[test]
    fn only_the_end_of_long_output_is_kept() {
        let mut file = tempfile::tempfile().expect("temporary file");
        std::io::Write::write_all(&mut file, "x".repeat(5_000).as_bytes()).expect("write");
        assert_eq!(end_of(&mut file).expect("read").len(), 2_048);
    }
}
