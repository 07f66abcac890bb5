//! Stills on the pages: shown as they were kept, and in words where what was kept was changed.

use std::path::{Path, PathBuf};

use crate::identity::{interview, people};

use super::bench::Pages;
use super::browser::Browser;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("is readable").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_still_that_was_changed_on_the_disk_shows_words_in_its_place() {
    let Some(people) = people() else { return };
    let Some(pages) = Pages::start().await else { return };
    interview(&pages.interviews, "shown-1", "person-1", &people[0][0]).await;
    let mut rita = Browser::of(pages.address, "rita").await;
    let page = rita.get("/sessions/shown-1").await;
    let after = page.body.split_once("/sessions/shown-1/stills/").expect("a still is shown").1;
    let ordinal: String = after.chars().take_while(char::is_ascii_digit).collect();
    let picture = format!("/sessions/shown-1/stills/{ordinal}/frame.jpg");
    let whole = rita.get(&picture).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "image/jpeg"));
    // One byte of each file; what marks the folder as this database's is none of them.
    let kept: Vec<PathBuf> = files(&pages.folder.path().join("evidence"))
        .into_iter()
        .filter(|file| file.metadata().is_ok_and(|of| of.len() > 1_000))
        .collect();
    assert!(!kept.is_empty());
    for file in &kept {
        let mut bytes = std::fs::read(file).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).expect("writes");
    }
    let mut german = Browser::of(pages.address, "rita").await;
    german.headers.push(("accept-language", "de".to_owned()));
    for (browser, words) in [(&mut rita, "Changed or lost"), (&mut german, "Verändert oder verloren")] {
        let broken = browser.get(&picture).await;
        assert_eq!((broken.status, broken.header("content-type")), (500, "image/svg+xml"));
        assert!(broken.body.contains(words), "{}", broken.body);
    }
    assert_eq!(rita.get("/sessions/shown-1").await.status, 200, "the page goes on");
    pages.stop().await;
}
