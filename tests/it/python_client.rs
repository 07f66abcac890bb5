//! The independent Python client against the real server.
//!
//! The interpreter is that of `BONAFIDE_PYTHON` (with `tests/clients/python/requirements.txt`), the pictures are those of
//! `BONAFIDE_TEST_MEDIA`, else drawn ones without a face, which the contract must hold for as well.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use tokio::process::Command;

use crate::harness::{PATIENCE, Server};

const N_DRAWN: u32 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_finds_the_contract_kept() {
    let Some(python) = std::env::var_os("BONAFIDE_PYTHON") else {
        eprintln!("SKIPPED: BONAFIDE_PYTHON does not name an interpreter; run scripts/setup --dev");
        return;
    };
    let Some(server) = Server::start(Some("a key for this test")).await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let media = clip().unwrap_or_else(|| draw(folder.path()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python/client.py");
    let child = Command::new(python)
        .args(["-B".as_ref(), script.as_os_str()])
        .args(["--address", &server.address.to_string(), "--api-key", "a key for this test", "--media"])
        .arg(media)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the interpreter starts");
    let output = tokio::time::timeout(4 * PATIENCE, child.wait_with_output()).await.expect("in time").expect("output");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the client failed:\n{said}");
    println!("{said}");
    server.stop().await;
}

/// A clip of the sample media, when there are some and a decoder for the client.
fn clip() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("BONAFIDE_TEST_MEDIA")?);
    let clip = ["clips/bona_fide", "bona_fide", ""]
        .iter()
        .filter_map(|part| std::fs::read_dir(folder.join(part)).ok())
        .flat_map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "mp4"))
        .min()?;
    let has_decoder = std::process::Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status().is_ok();
    has_decoder.then_some(clip)
}

/// Moving stripes, as JPEGs.
fn draw(folder: &Path) -> PathBuf {
    for number in 0..N_DRAWN {
        let picture = RgbImage::from_fn(320, 240, |x, y| {
            let level = u8::try_from((x * 3 + y + number * 5) % 256).unwrap_or(0);
            Rgb([level, 255 - level, 128])
        });
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&picture).expect("a JPEG");
        std::fs::write(folder.join(format!("{number:05}.jpg")), bytes).expect("room on disk");
    }
    folder.to_owned()
}
