mod external;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Accounts, LoginOutcome, NewAccount, command_line, lock_after};
use crate::error::{ErrorKind, Kinded};
use crate::keys::SigningKey;
use crate::service::ports::{AccountPatch, Clock};
use crate::service::{Permission, Role};
use crate::session::TenantId;
use crate::store::{AuditReader, SqlStore, StoreOptions};

const PASSWORD: &str = "correct horse battery";

/// A clock that tests move.
#[derive(Default)]
struct TestClock(AtomicI64);

impl TestClock {
    fn advance(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_790_000_000 + self.0.load(Ordering::SeqCst), 0).expect("in range")
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

struct Bench {
    accounts: Accounts,
    clock: Arc<TestClock>,
    options: StoreOptions,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = StoreOptions { database: folder.path().join("test.sqlite"), ..StoreOptions::default() };
        let store = SqlStore::open(&options, Arc::new(SigningKey::from_seed([1; 32])), &[]).await.expect("opens");
        let clock = Arc::new(TestClock::default());
        let accounts = Accounts::new(store, Arc::clone(&clock) as Arc<dyn Clock>);
        let bench = Self { accounts, clock, options, _folder: folder };
        bench.create("anna", &[Role::Reviewer]).await;
        bench
    }

    async fn create(&self, name: &str, roles: &[Role]) {
        let new = NewAccount {
            name: name.to_owned(),
            display_name: String::new(),
            roles: roles.iter().copied().collect(),
            password: PASSWORD.to_owned(),
        };
        self.accounts.create(&operator("default"), new).await.expect("makes");
    }

    async fn token(&self, name: &str) -> String {
        match self.accounts.login(name, PASSWORD, "192.0.2.1").await.expect("is tried") {
            LoginOutcome::Done(login) => login.token,
            outcome => panic!("{outcome:?}"),
        }
    }
}

fn operator(tenant: &str) -> crate::service::Caller {
    command_line(TenantId::new(tenant).expect("a good id"))
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, crate::service::ServiceError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

#[tokio::test]
async fn a_login_lasts_while_it_is_used_and_ends_in_the_evening() {
    let bench = Bench::start().await;
    let token = bench.token("anna").await;
    let login = bench.accounts.authenticate(&token).await.expect("reads").expect("is logged in");
    assert_eq!(login.caller.actor.to_string(), "user:anna");
    assert!(login.caller.may(Permission::Review) && !login.caller.may(Permission::Identity));
    for _ in 0..12 {
        bench.clock.advance(50 * 60);
        assert!(bench.accounts.authenticate(&token).await.expect("reads").is_some());
    }
    bench.clock.advance(50 * 60);
    bench.clock.advance(60 * 60);
    assert!(bench.accounts.authenticate(&token).await.expect("reads").is_none(), "is idle or twelve hours old");
    let left_alone = bench.token("anna").await;
    bench.clock.advance(61 * 60);
    assert!(bench.accounts.authenticate(&left_alone).await.expect("reads").is_none());
    assert_eq!(bench.accounts.sweep().await.expect("sweeps"), 2);
    assert!(bench.accounts.authenticate("").await.expect("reads").is_none());
}

#[tokio::test]
async fn logging_out_and_losing_the_account_end_a_login() {
    let bench = Bench::start().await;
    let (first, second) = (bench.token("anna").await, bench.token("anna").await);
    let login = bench.accounts.authenticate(&first).await.expect("reads").expect("is logged in");
    bench.accounts.logout(&login).await.expect("logs out");
    assert!(bench.accounts.authenticate(&first).await.expect("reads").is_none());
    assert!(bench.accounts.authenticate(&second).await.expect("reads").is_some());
    let off = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    bench.accounts.update(&operator("default"), "anna", off).await.expect("changes");
    assert!(bench.accounts.authenticate(&second).await.expect("reads").is_none());
    let outcome = bench.accounts.login("anna", PASSWORD, "192.0.2.1").await.expect("is tried");
    assert!(matches!(outcome, LoginOutcome::Wrong), "{outcome:?}");
}

#[tokio::test]
async fn guessing_locks_the_account_for_longer_each_time() {
    let bench = Bench::start().await;
    for address in ["a", "b", "c", "d"] {
        let outcome = bench.accounts.login("anna", "a wrong password!", address).await.expect("is tried");
        assert!(matches!(outcome, LoginOutcome::Wrong), "{outcome:?}");
    }
    let outcome = bench.accounts.login("anna", PASSWORD, "e").await.expect("is tried");
    assert!(matches!(outcome, LoginOutcome::TooMany { .. }), "the right one has to wait too: {outcome:?}");
    bench.clock.advance(3);
    bench.token("anna").await;
    let outcome = bench.accounts.login("nobody", PASSWORD, "f").await.expect("is tried");
    assert!(matches!(outcome, LoginOutcome::Wrong), "{outcome:?}");
    let reader = AuditReader::open(&bench.options).expect("opens");
    let logins = reader.page(0, 100).await.expect("reads");
    let outcomes: Vec<_> = logins
        .iter()
        .filter(|(_, event)| event.action == crate::audit::Action::AccountLogin)
        .map(|(_, event)| event.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["failed", "failed", "failed", "failed", "done"]);
}

#[test]
fn locks_double_up_to_a_quarter_of_an_hour() {
    let now = Timestamp::UNIX_EPOCH;
    let secs = |n_failures| lock_after(n_failures, now).map(|until| until.duration_since(now));
    assert_eq!(secs(3), None);
    for (n_failures, expected) in
        [(4, 2), (5, 4), (11, 256), (12, 512), (13, 900), (60, 900), (70, 900), (u32::MAX, 900)]
    {
        assert_eq!(secs(n_failures), Some(SignedDuration::from_secs(expected)), "{n_failures}");
    }
}

#[tokio::test]
async fn another_tenants_accounts_do_not_exist() {
    let bench = Bench::start().await;
    let other = operator("other");
    assert_eq!(kind(bench.accounts.update(&other, "anna", AccountPatch::default()).await), ErrorKind::NotFound);
    assert_eq!(kind(bench.accounts.set_password(&other, "anna", PASSWORD).await), ErrorKind::NotFound);
    assert!(bench.accounts.list(&other).await.expect("lists").is_empty());
    assert_eq!(bench.accounts.reviewers(&operator("default")).await.expect("lists"), ["anna"]);
}

#[tokio::test]
async fn who_may_not_make_accounts_is_refused_and_written_down() {
    let bench = Bench::start().await;
    let token = bench.token("anna").await;
    let login = bench.accounts.authenticate(&token).await.expect("reads").expect("is logged in");
    assert_eq!(kind(bench.accounts.list(&login.caller).await), ErrorKind::PermissionDenied);
    assert_eq!(kind(bench.accounts.set_password(&login.caller, "anna", PASSWORD).await), ErrorKind::PermissionDenied);
    let reader = AuditReader::open(&bench.options).expect("opens");
    let entries = reader.page(0, 100).await.expect("reads");
    let n_denied = entries.iter().filter(|(_, event)| event.outcome == crate::audit::Outcome::Denied).count();
    assert_eq!(n_denied, 2);
}

#[tokio::test]
async fn admins_cannot_lock_themselves_out_and_bad_fields_are_named() {
    let bench = Bench::start().await;
    bench.create("root", &[Role::Admin]).await;
    let token = bench.token("root").await;
    let root = bench.accounts.authenticate(&token).await.expect("reads").expect("is logged in");
    let off = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    assert_eq!(kind(bench.accounts.update(&root.caller, "root", off.clone()).await), ErrorKind::InvalidInput);
    bench.accounts.update(&root.caller, "anna", off).await.expect("another's account");
    let new = |name: &str, password: &str, roles: &[Role]| NewAccount {
        name: name.to_owned(),
        display_name: String::new(),
        roles: roles.iter().copied().collect(),
        password: password.to_owned(),
    };
    for (bad, field) in [
        (new("", PASSWORD, &[Role::Viewer]), "name"),
        (new("a b", PASSWORD, &[Role::Viewer]), "name"),
        (new("bert", "too short", &[Role::Viewer]), "password"),
        (new("bert", &"x".repeat(2_000), &[Role::Viewer]), "password"),
        (new("bert", PASSWORD, &[]), "roles"),
    ] {
        let error = bench.accounts.create(&root.caller, bad).await.expect_err(field).to_string();
        assert!(error.starts_with(field), "{error}");
    }
    assert_eq!(
        kind(bench.accounts.create(&root.caller, new("anna", PASSWORD, &[Role::Viewer])).await),
        ErrorKind::AlreadyExists
    );
    let outcome = bench.accounts.change_password(&root, "wrong", "a new long password").await;
    assert_eq!(kind(outcome), ErrorKind::InvalidInput);
    bench.accounts.change_password(&root, PASSWORD, "a new long password").await.expect("changes");
    assert!(bench.accounts.authenticate(&token).await.expect("reads").is_none(), "every login ends");
}
