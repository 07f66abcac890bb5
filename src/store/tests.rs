//! The contract on SQLite, and what only a file can suffer.

mod child;
mod faults;
mod file;
mod migrations;

use std::sync::Arc;

use tempfile::TempDir;

use super::{SqliteStore, StoreOptions};
use crate::store::contract::store_contract;

fn options(folder: &TempDir) -> StoreOptions {
    StoreOptions { database: folder.path().join("bonafide.sqlite"), ..StoreOptions::default() }
}

async fn open() -> (Arc<SqliteStore>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&options(&folder)).await.expect("opens");
    (store, folder)
}

store_contract!(open);
