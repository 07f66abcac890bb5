use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{EvidenceError, EvidenceFolder, EvidenceStore, FileDigest, MARKER};
use crate::error::{ErrorKind, Kinded as _};

const ID: &str = "00112233445566778899aabbccddeeff";

async fn claimed() -> (EvidenceFolder, TempDir) {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = EvidenceFolder::new(&outer.path().join("made/stills"));
    folder.claim(ID).await.expect("claims");
    (folder, outer)
}

fn path(outer: &TempDir, file: FileDigest) -> std::path::PathBuf {
    let name = file.to_string();
    outer.path().join("made/stills").join(&name[..2]).join(name)
}

async fn all(folder: &EvidenceFolder, age: Duration) -> Vec<FileDigest> {
    let mut found = Vec::new();
    for shelf in 0..=u8::MAX {
        found.extend(folder.older_than(age, shelf).await.expect("lists"));
    }
    found.sort();
    found
}

#[tokio::test]
async fn files_are_kept_by_their_digest_for_their_owner_alone() {
    let (folder, outer) = claimed().await;
    let mut kept = Vec::new();
    for number in 0..20_u8 {
        kept.push(folder.keep(vec![number; 100]).await.expect("keeps"));
    }
    assert_eq!(kept[3], FileDigest::of(&[3; 100]));
    assert_eq!(folder.read(kept[3]).await.expect("reads"), [3; 100]);
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    let file = path(&outer, kept[3]);
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().expect("a shelf")), 0o700);
    assert_eq!(mode(&outer.path().join("made/stills")), 0o700);
    kept.sort();
    assert_eq!(all(&folder, Duration::ZERO).await, kept);
    assert_eq!(all(&folder, Duration::from_mins(1)).await, [], "they are too young");
    folder.remove(kept.clone()).await.expect("removes");
    folder.remove(kept.clone()).await.expect("again");
    assert!(matches!(folder.read(kept[0]).await, Err(EvidenceError::Missing { .. })));
    assert_eq!(all(&folder, Duration::ZERO).await, []);
}

#[tokio::test]
async fn changed_swapped_and_cut_files_are_named() {
    let (folder, outer) = claimed().await;
    let (first, second) =
        (folder.keep(vec![1; 100]).await.expect("keeps"), folder.keep(vec![2; 100]).await.expect("keeps"));
    let changes: [&dyn Fn(); 3] = [
        &|| std::fs::write(path(&outer, first), [1; 99]).expect("cuts"),
        &|| assert_eq!(std::fs::copy(path(&outer, second), path(&outer, first)).expect("swaps"), 100),
        &|| std::fs::write(path(&outer, first), []).expect("empties"),
    ];
    for change in changes {
        change();
        let error = folder.read(first).await.expect_err("is changed");
        assert!(matches!(&error, EvidenceError::Changed { file } if *file == first), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::DataLoss);
    }
}

#[tokio::test]
async fn a_folder_belongs_to_one_database() {
    let (folder, outer) = claimed().await;
    folder.claim(ID).await.expect("again, after a restart");
    let error = folder.claim("ffeeddccbbaa99887766554433221100").await.expect_err("is another's");
    assert!(error.to_string().contains("belongs to another database") && error.to_string().contains(MARKER), "{error}");
    let no_folder = EvidenceFolder::new(&outer.path().join("made/stills").join(MARKER));
    assert!(matches!(no_folder.claim(ID).await, Err(EvidenceError::Failed { .. })), "a file is no folder");
}

#[tokio::test]
async fn where_the_folder_is_gone_nothing_is_written_or_taken_for_removed() {
    let (folder, outer) = claimed().await;
    let kept = folder.keep(vec![1; 100]).await.expect("keeps");
    std::fs::rename(outer.path().join("made/stills"), outer.path().join("elsewhere")).expect("moves");
    let error = folder.keep(vec![2; 100]).await.expect_err("there is no folder");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!outer.path().join("made/stills").exists(), "it is not made anew");
    assert!(folder.remove(vec![kept]).await.is_err(), "a file that may come back is not removed");
    assert!(folder.read(kept).await.is_err());
    std::fs::rename(outer.path().join("elsewhere"), outer.path().join("made/stills")).expect("moves back");
    folder.read(kept).await.expect("is there again");
    folder.keep(vec![2; 100]).await.expect("goes on");
}

#[tokio::test]
async fn unfinished_files_are_no_files_and_go_with_time() {
    let (folder, outer) = claimed().await;
    let kept = folder.keep(vec![1; 100]).await.expect("keeps");
    let left = path(&outer, kept).with_file_name("0011223344556677.part");
    std::fs::write(&left, [9; 50]).expect("writes");
    assert_eq!(all(&folder, Duration::ZERO).await, [kept]);
    assert!(!left.exists());
}

#[tokio::test]
async fn a_shelf_that_cannot_be_written_fails_its_own_files_alone() {
    let (folder, outer) = claimed().await;
    let of_shelf = |shelf: u8| {
        let numbers = (0..10_000_u32).map(|number| number.to_be_bytes().to_vec());
        numbers.into_iter().find(|bytes| FileDigest::of(bytes).0[0] == shelf).expect("some file is of each shelf")
    };
    let in_the_way = outer.path().join("made/stills/ab");
    std::fs::write(&in_the_way, "no folder").expect("writes");
    assert!(matches!(folder.keep(of_shelf(0xab)).await, Err(EvidenceError::Failed { .. })));
    assert!(in_the_way.is_file(), "it is left as it was");
    folder.keep(of_shelf(0xcd)).await.expect("keeps");
}

/// Stands in the working folder of a process that may write no large file.
const LIMITED: &str = "limited";
const LARGE_BYTES: usize = 2 * 1024 * 1024;

/// The child: keeps a large file and then a small one, and says how that went. Run as an ordinary test, both are kept.
#[tokio::test]
async fn keeps_a_large_file_and_then_a_small_one() {
    let is_limited = Path::new(LIMITED).exists();
    let own = tempfile::tempdir().expect("a folder");
    let root = if is_limited { Path::new("stills").to_owned() } else { own.path().join("stills") };
    let folder = EvidenceFolder::new(&root);
    folder.claim(ID).await.expect("claims");
    let large = folder.keep(vec![7; LARGE_BYTES]).await;
    let small = folder.keep(vec![7; 1_000]).await;
    println!("\n@large {} small {}", large.is_ok(), small.is_ok());
    assert_eq!(all(&folder, Duration::ZERO).await.len(), usize::from(large.is_ok()) + usize::from(small.is_ok()));
    assert!(is_limited || large.is_ok());
}

#[test]
fn without_space_a_file_is_given_up_and_leaves_nothing() {
    let outer = tempfile::tempdir().expect("a folder");
    std::fs::write(outer.path().join(LIMITED), "").expect("writes");
    let test = "store::evidence_folder::tests::keeps_a_large_file_and_then_a_small_one";
    let said = Command::new("sh")
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -S -f 1024; exec \"$0\" --exact --nocapture {test}"))
        .arg(std::env::current_exe().expect("this test"))
        .current_dir(outer.path())
        .output()
        .expect("starts");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && text.contains("@large false small true"), "{text}");
    let left =
        std::fs::read_dir(outer.path().join("stills")).expect("is there").map(|entry| entry.expect("is there").path());
    let files: Vec<_> =
        left.filter(|path| path.is_dir()).flat_map(|shelf| std::fs::read_dir(shelf).expect("is there")).collect();
    assert_eq!(files.len(), 1, "no part of the large one: {files:?}");
}
