//! The contract on both databases, and what only one of them can suffer.

mod audit;
mod child;
mod faults;
mod file;
mod identity;
mod migrations;
mod postgres;
mod report;

use std::sync::Arc;

use tempfile::TempDir;

use super::{SqlStore, StoreOptions};
use crate::keys::SigningKey;
use crate::service::ports::StoreError;

/// The contract on a new SQLite file for each test.
mod on_sqlite {
    use crate::store::contract::store_contract;
    use crate::store::contract_identity::identity_contract;
    use crate::store::contract_pages::pages_contract;
    use crate::store::contract_people::people_contract;
    use crate::store::contract_report::report_contract;
    use crate::store::contract_stills::stills_contract;

    async fn open() -> Option<(std::sync::Arc<super::SqlStore>, tempfile::TempDir)> {
        Some(super::open().await)
    }

    store_contract!(open);
    people_contract!(open);
    report_contract!(open);
    stills_contract!(open);
    identity_contract!(open);
    pages_contract!(open);
}

/// The contract on a new PostgreSQL database for each test.
mod on_postgres {
    use crate::store::contract::store_contract;
    use crate::store::contract_identity::identity_contract;
    use crate::store::contract_pages::pages_contract;
    use crate::store::contract_people::people_contract;
    use crate::store::contract_report::report_contract;
    use crate::store::contract_stills::stills_contract;
    use crate::store::tests::postgres::open;

    store_contract!(open);
    people_contract!(open);
    report_contract!(open);
    stills_contract!(open);
    identity_contract!(open);
    pages_contract!(open);
}

fn signing_key() -> Arc<SigningKey> {
    Arc::new(SigningKey::from_seed([1; 32]))
}

fn options(folder: &TempDir) -> StoreOptions {
    StoreOptions { database: folder.path().join("bonafide.sqlite"), ..StoreOptions::default() }
}

async fn open_with(options: &StoreOptions) -> Result<Arc<SqlStore>, StoreError> {
    SqlStore::open(options, signing_key(), &[]).await
}

async fn open() -> (Arc<SqlStore>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open_with(&options(&folder)).await.expect("opens");
    (store, folder)
}
