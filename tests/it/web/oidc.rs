//! Logging in with an identity provider: a real one (`tests/browser/provider.mjs`), which does as it is told.
//!
//! `BONAFIDE_BROWSER_MODULES` names the folder that `scripts/setup --dev` puts it into.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use bonafide::audit::{Action, Outcome};
use bonafide::service::Role;
use bonafide::service::ports::AccountStore as _;
use bonafide::web::{ClientSecret, GroupRule, OidcOptions, WebOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::harness::PATIENCE;

use super::access::entries;
use super::bench::{PASSWORD, Pages};
use super::browser::{Answer, Browser};

/// A running provider.
struct Provider {
    issuer: String,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Provider {
    /// A provider that puts what it knows of people into ID tokens, or, with `user-info`, where those have to be fetched.
    /// `None`, said aloud, when there is none.
    async fn start(kind: &str) -> Option<Self> {
        let Some(modules) = std::env::var_os("BONAFIDE_BROWSER_MODULES") else {
            eprintln!("SKIPPED: BONAFIDE_BROWSER_MODULES is not set; run scripts/setup --dev");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/provider.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(kind).env("BONAFIDE_BROWSER_MODULES", modules);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("node starts");
        let stdin = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut provider = Self { issuer: String::new(), stdin, lines, _child: child };
        let said = provider.line().await;
        said["issuer"].as_str().expect("an address").clone_into(&mut provider.issuer);
        Some(provider)
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("in time").expect("reads");
        serde_json::from_str(&line.expect("it runs")).expect("JSON")
    }

    async fn tell(&mut self, command: Value) {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.expect("is read");
        self.line().await;
    }

    /// One person, whom the provider calls so and puts into these groups.
    async fn knows(&mut self, subject: &str, name: &str, groups: &[&str]) {
        let person = json!({"preferred_username": name, "name": format!("{name} of old"), "groups": groups});
        self.tell(json!({"people": {subject: person}})).await;
    }

    fn address(&self) -> SocketAddr {
        self.issuer.strip_prefix("http://").expect("on this machine").parse().expect("an address")
    }

    /// Does what a browser does at the provider: logs in as `subject`; where it leads back to.
    async fn at(&self, address: &str, subject: &str) -> String {
        let mut browser = Browser::elsewhere(self.address());
        let mut address = format!("{address}&login_hint={subject}");
        for _ in 0..8 {
            let path = address.strip_prefix(self.issuer.as_str()).unwrap_or(&address);
            if !path.starts_with('/') {
                return address;
            }
            let answer = browser.get(path).await;
            assert_eq!(answer.status, 303, "{path}: {}", answer.body);
            answer.header("location").clone_into(&mut address);
        }
        panic!("goes round in circles: {address}")
    }
}

fn options(issuer: &str) -> WebOptions {
    let rule = |group: &str, roles: &[&str], tenant: &str| GroupRule {
        group: group.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        tenant: tenant.to_owned(),
    };
    let oidc = OidcOptions {
        issuer: issuer.to_owned(),
        client_id: "bonafide".to_owned(),
        client_secret: ClientSecret::new("a secret: with signs & more".to_owned()),
        scopes: ["openid", "profile"].map(str::to_owned).into(),
        name_claim: "preferred_username".to_owned(),
        groups_claim: "groups".to_owned(),
        groups: vec![
            rule("interviews", &["reviewer"], "default"),
            rule("fraud", &["investigator"], "default"),
            rule("elsewhere", &["viewer"], "other"),
        ],
        label: "Example ID".to_owned(),
    };
    WebOptions { oidc: Some(oidc), ..WebOptions::default() }
}

/// Pages with a provider; `None`, said aloud, when there is none, or no models.
async fn start(kind: &str) -> Option<(Pages, Provider)> {
    let provider = Provider::start(kind).await?;
    Some((Pages::start_with(options(&provider.issuer)).await?, provider))
}

/// The path of an address of ours.
fn path(pages: &Pages, address: &str) -> String {
    let origin = format!("http://{}", pages.address);
    address.strip_prefix(&origin).unwrap_or_else(|| panic!("{address} is not ours")).to_owned()
}

/// Goes to the provider and back; what the pages say then.
async fn log_in(pages: &Pages, provider: &Provider, browser: &mut Browser, subject: &str) -> Answer {
    let left = browser.get("/login/oidc?next=/account").await;
    assert_eq!(left.status, 303, "{}", left.body);
    let back = provider.at(left.header("location"), subject).await;
    browser.get(&path(pages, &back)).await
}

/// Logs in in vain: nobody is logged in, and the form says why.
async fn refused(pages: &Pages, provider: &Provider, subject: &str, problem: &str, said: &str) {
    let mut browser = Browser::new(pages.address);
    let answer = log_in(pages, provider, &mut browser, subject).await;
    assert_eq!(answer.header("location"), format!("/login?problem={problem}&next=/account"), "{}", answer.status);
    assert!(browser.cookies.keys().all(|name| name == "bonafide-form"), "{:?}", browser.cookies);
    let form = browser.get(answer.header("location")).await;
    assert!(form.status == 200 && form.body.contains(said), "{}", form.body);
    assert!(form.body.contains("id=\"password\""), "passwords go on");
}

/// The tries in the audit log, newest first: who, how it went, why not.
async fn tries(pages: &Pages) -> Vec<(String, Outcome, String)> {
    let entries = entries(pages).await.into_iter();
    let tries = entries.filter(|event| event.action == Action::AccountLogin);
    tries
        .map(|event| {
            let reason = event.details.get("reason").cloned().unwrap_or_default();
            (event.actor.to_string(), event.outcome, reason)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_the_provider_vouches_for_gets_in_with_the_roles_that_it_says() {
    for kind in ["id-token", "user-info"] {
        let Some((pages, mut provider)) = start(kind).await else { return };
        provider.knows("4711", "anna@example.org", &["interviews", "cooks"]).await;
        let mut browser = Browser::new(pages.address);
        let form = browser.get("/login?next=/account").await.body;
        assert!(form.contains("/login/oidc?next=/account") && form.contains("Log in with Example ID"), "{form}");
        let answer = log_in(&pages, &provider, &mut browser, "4711").await;
        assert_eq!((answer.status, answer.header("location")), (303, "/account"), "{kind}");
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["bonafide-login"], "the try is forgotten");
        let account = browser.get("/account").await.body;
        assert!(account.contains("anna@example.org") && account.contains(&provider.issuer), "{account}");
        assert!(!account.contains("old_password"), "there is no password to change");
        assert_eq!(browser.get("/identity").await.status, 403);
        let kept = pages.store.account("anna@example.org").await.expect("is made");
        assert_eq!((kept.display_name.as_str(), kept.password_hash.as_str()), ("anna@example.org of old", ""));
        let identity = kept.identity.expect("comes from the provider");
        assert_eq!((identity.subject.as_str(), identity.issuer.as_str()), ("4711", provider.issuer.as_str()));

        provider.knows("4711", "renamed", &["fraud"]).await;
        let first = browser.cookies["bonafide-login"].clone();
        let mut again = Browser::new(pages.address);
        log_in(&pages, &provider, &mut again, "4711").await;
        assert_ne!(again.cookies["bonafide-login"], first, "each login has a token of its own");
        assert_eq!(again.get("/identity").await.status, 200, "roles are those of the last login");
        let kept = pages.store.account("anna@example.org").await.expect("keeps its name");
        assert_eq!(kept.roles.into_iter().collect::<Vec<_>>(), [Role::Investigator]);

        let mut admin = Browser::of(pages.address, "adam").await;
        let one = admin.get("/admin/users/anna%40example.org").await.body;
        assert!(one.contains("This account comes from") && !one.contains("new_password"), "{one}");
        assert!(admin.get("/admin/users").await.body.contains("identity provider"));
        let path = "/admin/users/anna%40example.org/password";
        let fields = [("new_password", PASSWORD), ("new_password_again", PASSWORD)];
        let answer = admin.submit("/admin/users", path, &fields).await;
        assert!(answer.status == 422 && answer.body.contains("signs in with the identity provider"), "{}", answer.body);
        assert_eq!(Browser::new(pages.address).log_in("anna@example.org", PASSWORD).await.status, 422);
        let answer = admin.submit("/admin/users", "/admin/users/anna%40example.org", &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        refused(&pages, &provider, "4711", "inactive", "disabled").await;
        assert_eq!(browser.get("/account").await.status, 303, "every login has ended");

        let told = tries(&pages).await.into_iter().filter(|(who, ..)| who == "user:anna@example.org");
        let told: Vec<_> = told.map(|(_, outcome, reason)| (outcome, reason)).collect();
        let expected = [(Outcome::Denied, "inactive"), (Outcome::Failed, ""), (Outcome::Done, ""), (Outcome::Done, "")];
        assert_eq!(told, expected.map(|(outcome, reason)| (outcome, reason.to_owned())));
        let changes: Vec<_> =
            entries(&pages).await.into_iter().filter(|event| event.actor.to_string() == "system:oidc").collect();
        let actions: Vec<_> = changes.iter().map(|event| (event.action, event.details["roles"].as_str())).collect();
        assert_eq!(actions, [(Action::AccountUpdate, "investigator"), (Action::AccountCreate, "reviewer")]);
        pages.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_role_or_anothers_name_does_not_get_in() {
    let Some((pages, mut provider)) = start("id-token").await else { return };
    for groups in [&[][..], &["cooks"]] {
        provider.knows("4711", "anna", groups).await;
        refused(&pages, &provider, "4711", "no-role", "none of your groups has a role").await;
    }
    provider.knows("4711", "rita", &["interviews"]).await;
    refused(&pages, &provider, "4711", "name-taken", "has your user name").await;
    assert!(pages.store.account("rita").await.expect("reads").identity.is_none(), "it is not taken over");
    Browser::of(pages.address, "rita").await;
    provider.knows("4711", "anna of old", &["interviews"]).await;
    refused(&pages, &provider, "4711", "bad-name", "cannot be that of an account").await;
    provider.knows("4711", "anna", &["interviews", "elsewhere"]).await;
    refused(&pages, &provider, "4711", "tenants", "more than one tenant").await;
    provider.knows("4711", "anna", &["interviews"]).await;
    let mut browser = Browser::new(pages.address);
    assert_eq!(log_in(&pages, &provider, &mut browser, "4711").await.header("location"), "/account");
    provider.knows("4711", "anna", &["elsewhere"]).await;
    refused(&pages, &provider, "4711", "other-tenant", "another tenant").await;
    assert_eq!(browser.get("/").await.status, 200);
    provider.knows("4711", "anna", &[]).await;
    refused(&pages, &provider, "4711", "no-role", "none of your groups has a role").await;
    assert_eq!(browser.get("/").await.status, 403, "whoever has no role any more may do nothing any more");
    refused(&pages, &provider, "stranger", "denied", "did not log you in").await;
    let reasons: Vec<_> = tries(&pages).await.into_iter().filter(|(who, ..)| who != "user:rita").collect();
    let (by_provider, anna) = ("system:oidc", "user:anna");
    let expected = [
        (by_provider, Outcome::Failed, "denied"),
        (anna, Outcome::Denied, "no role"),
        (anna, Outcome::Denied, "other tenant"),
        (anna, Outcome::Done, ""),
        (by_provider, Outcome::Failed, "tenants"),
        (by_provider, Outcome::Denied, "bad name"),
        (by_provider, Outcome::Denied, "name taken"),
        (by_provider, Outcome::Denied, "no role"),
        (by_provider, Outcome::Denied, "no role"),
    ];
    assert_eq!(reasons, expected.map(|(who, outcome, reason)| (who.to_owned(), outcome, reason.to_owned())));
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_were_tampered_with_are_not_believed() {
    let Some((pages, mut provider)) = start("id-token").await else { return };
    provider.knows("4711", "anna", &["interviews"]).await;
    for tamper in ["none", "body", "expired", "nonce", "audience", "issuer", "key", "secret"] {
        provider.tell(json!({ "tamper": tamper })).await;
        refused(&pages, &provider, "4711", "token", "could not be believed").await;
    }
    assert_eq!(tries(&pages).await.len(), 8);
    provider.tell(json!({ "tamper": null })).await;
    let mut browser = Browser::new(pages.address);
    assert_eq!(log_in(&pages, &provider, &mut browser, "4711").await.header("location"), "/account");
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_back_must_belong_to_a_try_of_this_browser() {
    let Some((pages, mut provider)) = start("id-token").await else { return };
    provider.knows("4711", "anna", &["interviews"]).await;
    let stale = |answer: &Answer| {
        assert!(answer.header("location").starts_with("/login?problem=stale"), "{}", answer.header("location"));
    };
    let (mut anna, mut victim) = (Browser::new(pages.address), Browser::new(pages.address));
    let left = anna.get("/login/oidc").await;
    let attempt = anna.cookies["bonafide-attempt"].clone();
    let address = left.header("location");
    for part in [
        "response_type=code",
        "code_challenge_method=S256",
        "code_challenge=",
        "state=",
        "nonce=",
        "scope=openid%20profile",
    ] {
        assert!(address.contains(part), "{part} in {address}");
    }
    assert!(!address.contains(attempt.split('-').next().expect("a secret")), "what the browser keeps stays there");
    let back = path(&pages, &provider.at(address, "4711").await);
    stale(&victim.get(&back).await);
    victim.get("/login/oidc").await;
    stale(&victim.get(&back).await);
    let (before, state) = back.split_once("state=").expect("a state");
    let rest = state.split_once('&').map_or("", |(_, rest)| rest);
    stale(&anna.get(&format!("{before}state=x&{rest}")).await);
    assert!(!anna.cookies.contains_key("bonafide-attempt"), "one try comes back once");
    stale(&anna.get(&back).await);
    anna.cookies.insert("bonafide-attempt".to_owned(), attempt.clone());
    assert_eq!(anna.get(&back).await.header("location"), "/", "the right one is taken");
    anna.cookies.insert("bonafide-attempt".to_owned(), attempt);
    let replayed = anna.get(&back).await;
    assert!(replayed.header("location").starts_with("/login?problem=denied"), "a code is good once");
    let other = format!("{back}&iss=https://id.example.org").replace("&iss=http%3A", "&x=");
    victim.get("/login/oidc").await;
    assert!(victim.get(&other).await.header("location").starts_with("/login?problem="), "another provider's");
    let mut refused = Browser::new(pages.address);
    for _ in 0..16 {
        stale(&refused.get("/login/oidc/callback?code=x&state=y").await);
    }
    let answer = loop {
        let answer = refused.get("/login/oidc/callback?code=x&state=y").await;
        if !answer.header("location").contains("stale") {
            break answer;
        }
    };
    assert_eq!(answer.header("location"), "/login?problem=too-many&next=/");
    assert_eq!(refused.log_in("rita", PASSWORD).await.status, 429, "tries count together");
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_is_away_passwords_go_on() {
    let Some((pages, mut provider)) = start("id-token").await else { return };
    provider.knows("4711", "anna", &["interviews"]).await;
    let mut browser = Browser::new(pages.address);
    let left = browser.get("/login/oidc").await;
    let back = provider.at(left.header("location"), "4711").await;
    provider.tell(json!({"down": true})).await;
    let answer = browser.get(&path(&pages, &back)).await;
    assert!(answer.header("location").starts_with("/login?problem=unreachable"), "{}", answer.header("location"));
    Browser::of(pages.address, "rita").await;
    pages.stop().await;

    let Some(pages) = Pages::start_with(options(&provider.issuer)).await else { return };
    let mut browser = Browser::new(pages.address);
    for _ in 0..2 {
        let answer = browser.get("/login/oidc?next=/account").await;
        assert_eq!(answer.header("location"), "/login?problem=unreachable&next=/account");
    }
    let form = browser.get("/login?problem=unreachable&next=/account").await.body;
    assert!(form.contains("does not answer at the moment"), "{form}");
    assert_eq!(browser.log_in("rita", PASSWORD).await.status, 303);
    pages.stop().await;

    let Some(pages) = Pages::start().await else { return };
    let mut browser = Browser::new(pages.address);
    assert_eq!(browser.get("/login/oidc").await.status, 404, "there is none unless the operator names it");
    assert!(!browser.get("/login").await.body.contains("oidc"));
    pages.stop().await;
}
