//! One person takes over from another in the middle of a recording: told within seconds, and never told of one person.
//!
//! The recordings are those of `BONAFIDE_TEST_DATA`, else of `../shared/data` beside the package; `scripts/evaluate` does the same
//! with all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bonafide::eval::{Bench, EvalTask, Framing, evaluate_splice};
use bonafide::scoring::Policy;

use super::harness::pipeline;

/// Recordings of three people; every ordered pair of them is spliced.
const CLIPS: [&str; 3] =
    ["clips/bona_fide/talking_s18.mp4", "clips/bona_fide/talking_d13.mp4", "clips/bona_fide/webcam_apfol.webm"];

fn data_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("BONAFIDE_TEST_DATA").map_or_else(beside, PathBuf::from);
    if let Some(clip) = CLIPS.iter().map(|clip| folder.join(clip)).find(|clip| !clip.exists()) {
        eprintln!("SKIPPED: no recordings of people: {} is missing; set BONAFIDE_TEST_DATA", clip.display());
        return None;
    }
    Some(folder)
}

#[test]
fn another_person_is_told_within_three_seconds_and_one_person_never() {
    let (Some(root), Some(pipeline)) = (data_dir(), pipeline()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = folder.path().join("clips.csv");
    let rows = CLIPS.map(|clip| format!("{clip},bona_fide\n")).concat();
    std::fs::write(&manifest, format!("path,label\n{rows}")).expect("writes");

    let policy = Arc::new(Policy::shipped());
    let bench = Bench { pipeline: &pipeline, policy: &policy, progress: &|_, _| {}, unfinished: None };
    let task = EvalTask { manifest: Some(manifest), root, framing: Framing::Scene };
    let report = evaluate_splice(&bench, &task).expect("evaluates");

    println!("{}", report.markdown);
    let number = |key: &str| report.json[key].as_u64().expect("a count");
    assert_eq!(number("n_pairs"), 6);
    assert_eq!(number("n_told_in_time"), 6, "told within {} s", report.json["target_secs"]);
    assert_eq!(number("n_flagged"), 6, "and the session is at least SUSPICIOUS");
    assert_eq!(number("n_changes_before_cut"), 0);
    assert_eq!((number("n_whole"), number("n_whole_with_change")), (3, 0));
}
