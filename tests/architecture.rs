//! Checks that the code keeps to the layers and fences of ARCHITECTURE.md.
//!
//! It reads text, not types: a macro that writes paths could get past it, a person in review is there for that.

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use rules::{LAYERS, check};
use source::Source;

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file under `path` or at it.
fn rust_files(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            rust_files(&entry?.path(), found)?;
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        found.push(path.to_owned());
    }
    Ok(())
}

/// The test modules that `file` declares, as the paths of their files and folders without `.rs`.
fn test_modules(file: &Path, text: &str) -> Vec<PathBuf> {
    let folder = if file.ends_with("mod.rs") { file.with_file_name("") } else { file.with_extension("") };
    Source::new(text).test_modules.iter().map(|name| folder.join(name)).collect()
}

#[test]
fn every_file_keeps_to_its_layer_and_fences() -> io::Result<()> {
    let mut files = Vec::new();
    rust_files(&src(), &mut files)?;
    assert!(files.len() > LAYERS.len(), "found only {} files under src", files.len());
    let mut only_tests = Vec::new();
    for file in &files {
        only_tests.extend(test_modules(file, &fs::read_to_string(file)?));
    }
    files.retain(|file| !only_tests.iter().any(|module| file.with_extension("").starts_with(module)));
    let mut broken = Vec::new();
    for file in files {
        let inside: Vec<_> =
            file.strip_prefix(src()).unwrap_or(&file).iter().filter_map(|part| part.to_str()).collect();
        let Some(module) = inside.first().map(|name| name.trim_end_matches(".rs")) else { continue };
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let depth = inside.len() - usize::from(inside.last() == Some(&"mod.rs"));
        for complaint in check(module, depth, &fs::read_to_string(&file)?) {
            broken.push(format!("src/{}:{complaint}", inside.join("/")));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    Ok(())
}

#[test]
fn every_module_has_a_layer_and_a_place_in_the_document() -> io::Result<()> {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))?;
    for entry in fs::read_dir(src())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_code = path.is_dir() || path.extension().is_some_and(|end| end == "rs");
        if !is_code || ["lib", "main", "error"].contains(&name.as_str()) {
            continue;
        }
        assert!(LAYERS.iter().any(|(module, _)| *module == name), "src/{name} is missing from LAYERS");
        assert!(document.contains(&format!("`{name}`")), "ARCHITECTURE.md does not mention `{name}`");
    }
    Ok(())
}

/// The complaints about `text` as a file of `module` at depth 2, without their line numbers.
fn complaints(module: &str, text: &str) -> BTreeSet<String> {
    check(module, 2, text).iter().filter_map(|line| line.split_once(": ")).map(|(_, what)| what.to_owned()).collect()
}

#[track_caller]
fn caught(module: &str, text: &str, part: &str) {
    let found = complaints(module, text);
    assert!(found.iter().any(|complaint| complaint.contains(part)), "{text:?} in {module}: {found:?} lacks {part:?}");
}

#[track_caller]
fn passes(module: &str, text: &str) {
    let found = complaints(module, text);
    assert!(found.is_empty(), "{text:?} in {module}: {found:?}");
}

#[test]
fn imports_against_the_arrow_are_caught() {
    caught("media", "use crate::vision::Face;", "crate::vision");
    caught("media", "fn f() { crate::service::run(); }", "crate::service");
    caught("signals", "use crate::inference::{Tensor, Model};", "crate::inference");
    caught("scoring", "use {std::fmt, crate::media::MediaTime};", "crate::media");
    caught("scoring", "pub(crate) use crate :: media :: MediaTime;", "crate::media");
    caught("session", "macro_rules! m { () => { $crate::service::run() } }", "crate::service");
    caught("grpc", "use crate::store::Store;", "crate::store");
    caught("store", "use crate::config::Config;", "crate::config");
    caught("media", "use crate::r#vision::Face;", "crate::vision");
    passes("vision", "use crate::media::{MediaTime, Picture};");
    passes("session", "use crate::signals::Measurement; fn f(x: crate::scoring::Level) {}");
}

#[test]
fn a_top_level_file_cannot_reach_siblings_through_super() {
    assert!(!check("media", 1, "use super::vision::Face;").is_empty());
    assert!(check("media", 2, "use super::time::MediaTime;").is_empty());
    caught("media", "use super::super::vision::Face;", "super::super");
}

#[test]
fn grouped_crate_imports_and_passing_on_are_caught() {
    caught("vision", "use crate::{media::Picture, error::Kind};", "one `use crate::module::`");
    caught("vision", "pub use crate::media::Picture;", "pub use");
    passes("vision", "pub use self::face::Face; pub(crate) use crate::media::Picture;");
}

#[test]
fn fenced_crates_are_caught_however_they_are_named() {
    for text in [
        "use ort;",
        "use ort as runtime;",
        "use ort::Session;",
        "use ::ort::Session;",
        "use {std::fmt, ort};",
        "use {std::fmt, ort::{self, Session}};",
        "extern crate ort;",
        "fn f() { ort::init(); }",
        "fn f() { let x = ::ort::init(); }",
        "#[derive(ort::Thing)] struct S;",
    ] {
        caught("vision", text, "must not use ort");
        passes("inference", text);
    }
    caught("signals", "async fn f() { tokio::select! {} }", "tokio");
    caught("session", "#[tokio::test]\nasync fn f() {}", "tokio");
    caught("service", "use sqlx::query;", "sqlx");
    caught("inference", "use opencv::core::Mat;", "opencv");
    caught("vision", "use ffmpeg_the_third as ffmpeg;", "ffmpeg");
    caught("service", "use tonic::Status;", "tonic");
    caught("store", "use anyhow::Result;", "anyhow");
    caught("service", "use clap::Parser;", "clap");
    caught("session", "#[derive(Debug, serde::Serialize)] struct S;", "serde::Serialize");
    caught("session", "use serde::{Deserialize, Serialize};", "serde::Serialize");
    passes("session", "use serde::Deserialize;");
    passes("inference", "use prost::Message;");
    passes("media", "fn f(ort: u8, report: u8) -> u8 { self.ort + ort + report::len() }");
}

#[test]
fn fenced_calls_are_caught() {
    caught("session", "fn f() { let t = Instant::now(); }", "Instant::now");
    caught("media", "fn f() { std::time::Instant::now() }", "Instant::now");
    caught("media", "use std::time::Instant as Watch; fn f() { Watch::now(); }", "Instant::now");
    caught("grpc", "fn f() { SystemTime::now(); }", "SystemTime::now");
    caught("session", "fn f() { jiff::Timestamp::now(); }", "Timestamp::now");
    caught("service", "fn f() { std::env::var(\"X\"); }", "env::var");
    caught("service", "use std::env::var_os;", "env::var_os");
    caught("service", "use std::env::{args, vars};", "env::vars");
    caught("cli", "fn f() { std::thread::sleep(d); }", "thread::sleep");
    caught("grpc", "use std::thread::{sleep, spawn};", "thread::sleep");
    caught("session", "use std::{fs, io};", "std::fs");
    caught("signals", "fn f() { rand::rng(); }", "rand::rng");
    passes("service", "fn f() { Instant::now(); SystemTime::now(); }");
    passes("config", "fn f() { std::env::var(\"X\"); }");
}

#[test]
fn unfinished_and_long_files_are_caught() {
    caught("media", "fn f() { todo!() }", "todo!");
    caught("media", "fn f() { unimplemented!(\"later\") }", "unimplemented!");
    caught("media", "fn f() { dbg!(1); }", "dbg!");
    caught("media", &"fn f() {}\n".repeat(601), "601 lines");
    passes("media", &"fn f() {}\n".repeat(600));
    let tests = "}\n".repeat(100);
    passes(
        "media",
        &format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(590), tests.replace('}', "")),
    );
}

#[test]
fn test_modules_with_files_of_their_own_are_found() {
    let text =
        "#[cfg(test)]\nmod tests;\nmod shipped;\n#[cfg(test)]\npub(crate) mod testing;\n#[cfg(test)]\nmod inline { }";
    let expected = ["src/media/tests", "src/media/testing"].map(PathBuf::from);
    assert_eq!(test_modules(Path::new("src/media.rs"), text), expected);
}

#[test]
fn comments_literals_and_test_modules_are_not_code() {
    passes("media", "// use ort;\n/// crate::vision::Face\n//! ort::x\nfn f() {}");
    passes("media", "/* use ort; /* nested */ crate::vision::Face */ fn f() {}");
    passes("media", "fn f() { g(\"use ort; \\\" crate::vision::X todo!()\") }");
    passes("media", "fn f() { g(r#\"\" ort::init() \"#, b\"ort::x\", '\"', '\\'', \"ort::x\") }");
    passes("media", "fn f<'a>(x: &'a str) {}\n#[cfg(test)]\nmod tests { use tokio::time; fn f() { Instant::now(); } }");
    passes("media", "#[cfg(test)]\nmod tests;\nfn f() {}");
    caught("media", "#[cfg(test)]\nmod tests { fn f() { if a { b } } }\nuse ort;", "ort");
    caught("media", "fn f<'a>(x: &'a str) { let c = 'x'; ort::init(); }", "ort");
    caught("media", "const A: &str = \"\";\n/* note */ use ort;", "ort");
    caught("media", "fn f() { let s = r\"a\\\"; ort::init(); }", "ort");
}
