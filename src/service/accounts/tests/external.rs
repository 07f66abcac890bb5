use std::collections::BTreeSet;

use crate::audit::{Action, Outcome};
use crate::error::ErrorKind;
use crate::service::accounts::{ExternalLogin, ExternalPerson, ExternalRefusal, LoginOutcome};
use crate::service::ports::{AccountPatch, ExternalIdentity};
use crate::service::{Permission, Role};
use crate::session::TenantId;
use crate::store::AuditReader;

use super::{Bench, PASSWORD, kind, operator};

fn person(subject: &str, name: &str, roles: &[Role]) -> ExternalPerson {
    ExternalPerson {
        identity: ExternalIdentity { issuer: "https://id.example.org".to_owned(), subject: subject.to_owned() },
        name: name.to_owned(),
        display_name: "Bert \u{1f600}".to_owned(),
        tenant: TenantId::default(),
        roles: roles.iter().copied().collect(),
    }
}

async fn token(bench: &Bench, person: ExternalPerson) -> String {
    match bench.accounts.login_external(person, "192.0.2.1").await.expect("is tried") {
        ExternalLogin::Done(login) => login.token,
        outcome @ ExternalLogin::Refused(_) => panic!("{outcome:?}"),
    }
}

async fn refused(bench: &Bench, person: ExternalPerson, expected: ExternalRefusal) {
    let outcome = bench.accounts.login_external(person, "192.0.2.1").await.expect("is tried");
    assert!(matches!(outcome, ExternalLogin::Refused(refusal) if refusal == expected), "{outcome:?}");
}

#[tokio::test]
async fn the_provider_says_who_they_are_and_what_for() {
    let bench = Bench::start().await;
    let first = token(&bench, person("1", "bert", &[Role::Viewer])).await;
    let login = bench.accounts.authenticate(&first).await.expect("reads").expect("is logged in");
    assert_eq!((login.account.name.as_str(), login.account.display_name.as_str()), ("bert", "Bert \u{1f600}"));
    assert!(!login.caller.may(Permission::Review));
    let odd = ExternalPerson { display_name: "\u{1b}[2J".to_owned(), ..person("1", "albert", &[Role::Reviewer]) };
    token(&bench, odd).await;
    let login = bench.accounts.authenticate(&first).await.expect("reads").expect("is logged in");
    assert_eq!((login.account.name.as_str(), login.account.display_name.as_str()), ("bert", "bert"), "the name stays");
    assert!(login.caller.may(Permission::Review), "roles are those of the last login");
    let namesake = ExternalIdentity { issuer: "https://id.example.net".to_owned(), subject: "1".to_owned() };
    let namesake = ExternalPerson { identity: namesake, ..person("1", "bert", &[Role::Admin]) };
    refused(&bench, namesake, ExternalRefusal::NameTaken).await;
    refused(&bench, person("2", "anna", &[Role::Admin]), ExternalRefusal::NameTaken).await;
    for name in ["", "a b", &"x".repeat(65)] {
        refused(&bench, person("2", name, &[Role::Admin]), ExternalRefusal::BadName).await;
    }
    refused(&bench, person("2", "carl", &[]), ExternalRefusal::NoRole).await;
    let elsewhere = TenantId::new("other").expect("a good id");
    let moved = ExternalPerson { tenant: elsewhere, ..person("1", "bert", &[Role::Viewer]) };
    refused(&bench, moved, ExternalRefusal::OtherTenant).await;
    refused(&bench, person("1", "bert", &[]), ExternalRefusal::NoRole).await;
    let login = bench.accounts.authenticate(&first).await.expect("reads").expect("is logged in");
    assert_eq!(login.account.roles, BTreeSet::new(), "whoever has no role any more has none");
}

#[tokio::test]
async fn what_comes_from_the_provider_is_not_changed_here() {
    let bench = Bench::start().await;
    let first = token(&bench, person("1", "bert", &[Role::Viewer])).await;
    let login = bench.accounts.authenticate(&first).await.expect("reads").expect("is logged in");
    let operator = operator("default");
    let outcome = bench.accounts.set_password(&operator, "bert", PASSWORD).await;
    assert_eq!(kind(outcome), ErrorKind::FailedPrecondition);
    assert_eq!(kind(bench.accounts.change_password(&login, "", PASSWORD).await), ErrorKind::FailedPrecondition);
    let roles = AccountPatch { roles: Some(BTreeSet::from([Role::Admin])), ..AccountPatch::default() };
    assert_eq!(kind(bench.accounts.update(&operator, "bert", roles).await), ErrorKind::FailedPrecondition);
    for password in ["", PASSWORD] {
        let outcome = bench.accounts.login("bert", password, "192.0.2.2").await.expect("is tried");
        assert!(matches!(outcome, LoginOutcome::Wrong), "{outcome:?}");
    }
    let off = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
    bench.accounts.update(&operator, "bert", off).await.expect("is taken out of use");
    assert!(bench.accounts.authenticate(&first).await.expect("reads").is_none());
    refused(&bench, person("1", "bert", &[Role::Viewer]), ExternalRefusal::Inactive).await;
}

#[tokio::test]
async fn every_try_counts_and_is_written_down() {
    let bench = Bench::start().await;
    for _ in 0..19 {
        bench.accounts.admit("192.0.2.1").expect("is let in");
    }
    bench.accounts.external_login_failed("stale").await.expect("writes");
    token(&bench, person("1", "bert", &[Role::Viewer])).await;
    bench.accounts.admit("192.0.2.1").expect("a login that went well forgives");
    for _ in 0..19 {
        bench.accounts.admit("192.0.2.1").expect("is let in");
    }
    bench.accounts.admit("192.0.2.1").expect_err("is one too many");
    refused(&bench, person("2", "carl", &[]), ExternalRefusal::NoRole).await;
    refused(&bench, person("1", "bert", &[]), ExternalRefusal::NoRole).await;
    let reader = AuditReader::open(&bench.options).expect("opens");
    let told: Vec<_> = reader.page(0, 100).await.expect("reads").into_iter().map(|(_, event)| event).collect();
    let logins = told.iter().filter(|event| event.action == Action::AccountLogin);
    let logins: Vec<_> = logins
        .map(|event| {
            (
                event.actor.to_string(),
                event.object.clone(),
                event.outcome,
                event.details.get("reason").map(String::as_str),
            )
        })
        .collect();
    let expected = [
        ("system:oidc", "accounts", Outcome::Failed, Some("stale")),
        ("user:bert", "accounts/bert", Outcome::Done, None),
        ("system:oidc", "accounts/carl", Outcome::Denied, Some("no role")),
        ("user:bert", "accounts/bert", Outcome::Denied, Some("no role")),
    ];
    let expected = expected.map(|(who, what, outcome, reason)| (who.to_owned(), what.to_owned(), outcome, reason));
    assert_eq!(logins, expected);
}
