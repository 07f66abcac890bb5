//! A reviewer's work from the inbox to the decision, and an administrator's.

use bonafide::audit::{Action, Outcome};
use bonafide::scoring::Level;
use bonafide::service::ports::{AuditRecords as _, DecisionKind, MarkVerdict, ReviewState, ReviewStore as _};
use bonafide::session::{SessionId, SessionName, TenantId};

use super::bench::{MadeUp, PASSWORD, Pages};
use super::browser::Browser;

const SESSION: &str = "/sessions/interview-1";

fn name() -> SessionName {
    SessionName { tenant: TenantId::default(), id: SessionId::new("interview-1").expect("valid") }
}

#[tokio::test]
async fn a_session_is_taken_marked_and_decided_by_two() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Alert)).await;
    pages.keep(MadeUp::new("interview-2", Level::Suspicious)).await;
    let mut rita = Browser::of(pages.address, "rita").await;
    let inbox = rita.get("/").await.body;
    assert!(inbox.find("interview-1") < inbox.find("interview-2"), "the worse is on top");
    let answer = rita.submit("/", "/assign", &[("take", "interview-1"), ("back", "/?level=ALERT")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/?level=ALERT&said=assigned"));
    let answer = rita.submit("/", "/assign", &[("session", "interview-2"), ("assignee", "rolf"), ("bulk", "1")]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(rita.submit("/", "/assign", &[("assignee", "rolf")]).await.status, 400, "nothing was chosen");

    let page = rita.get(&format!("{SESSION}?said=assigned")).await.body;
    for shown in
        ["Alert", "Strong evidence speaks against", "0.04 (0.00 to 0.09)", "It is no proof of fraud", "Assigned."]
    {
        assert!(page.contains(shown), "{shown} is missing");
    }
    let marked = [("verdict", "confirmed"), ("note", "another face\r\nfrom here on")];
    let answer = rita.submit(SESSION, &format!("{SESSION}/segments/1"), &marked).await;
    assert_eq!(answer.header("location"), "/sessions/interview-1?said=marked#segment-1");
    assert_eq!(rita.submit(SESSION, &format!("{SESSION}/segments/9"), &marked).await.status, 404);
    assert_eq!(rita.submit(SESSION, &format!("{SESSION}/segments/one"), &marked).await.status, 400);
    assert_eq!(rita.submit(SESSION, &format!("{SESSION}/segments/1"), &[("verdict", "odd")]).await.status, 400);

    let without_note = [("kind", "decline"), ("note", "  ")];
    assert_eq!(rita.submit(SESSION, &format!("{SESSION}/decide"), &without_note).await.status, 400);
    let decline = [("kind", "decline"), ("note", "not the person of the first round")];
    assert_eq!(rita.submit(SESSION, &format!("{SESSION}/decide"), &decline).await.status, 303);
    let page = rita.get(SESSION).await.body;
    assert!(page.contains("It waits for a second person") && page.contains("another face\nfrom here on"));
    let review = pages.store.review(&name()).await.expect("reads");
    assert_eq!(review.summary.state, ReviewState::InReview);
    let mut rolf = Browser::of(pages.address, "rolf").await;
    assert_eq!(rolf.submit(SESSION, &format!("{SESSION}/decide"), &decline).await.status, 303);
    let review = pages.store.review(&name()).await.expect("reads");
    assert_eq!(review.summary.state, ReviewState::Decided);
    assert_eq!(review.summary.assignee, "rita");
    assert_eq!(review.marks[0].verdict, MarkVerdict::Confirmed);
    assert_eq!(review.decisions.iter().map(|decision| decision.kind).collect::<Vec<_>>(), [DecisionKind::Decline; 2]);
    let decided = rolf.get("/?show=decided").await.body;
    assert!(decided.contains("interview-1") && !decided.contains("interview-2"));
    pages.stop().await;
}

#[tokio::test]
async fn an_administrator_holds_deletes_and_checks() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Clear)).await;
    let mut adam = Browser::of(pages.address, "adam").await;
    assert_eq!(adam.submit(SESSION, &format!("{SESSION}/hold"), &[("held", "yes")]).await.status, 303);
    let confirmed = [("confirm", "interview-1")];
    assert_eq!(adam.submit(SESSION, &format!("{SESSION}/delete"), &confirmed).await.status, 409, "it is held");
    assert_eq!(adam.submit(SESSION, &format!("{SESSION}/hold"), &[("held", "no")]).await.status, 303);
    assert!(adam.get(&format!("{SESSION}/delete")).await.body.contains("Delete this session?"));
    assert_eq!(adam.submit(SESSION, &format!("{SESSION}/delete"), &[("confirm", "interview-2")]).await.status, 400);
    assert_eq!(adam.get(SESSION).await.status, 200, "still there");
    let answer = adam.submit(SESSION, &format!("{SESSION}/delete"), &confirmed).await;
    assert_eq!(answer.header("location"), "/?said=deleted");
    assert_eq!(adam.get(SESSION).await.status, 404);

    let log = adam.get("/admin/audit?object=sessions%2Finterview-1").await.body;
    for action in ["session.delete", "session.hold", "session.view", "journal_sha256"] {
        assert!(log.contains(action), "{action} is missing");
    }
    let denied = adam.get("/admin/audit?outcome=denied").await.body;
    assert!(denied.contains("No entry."));
    let checked = adam.submit("/admin/audit", "/admin/audit/check", &[]).await.body;
    assert!(checked.contains("The log is in order."), "{checked}");
    let settings = adam.get("/admin/settings").await.body;
    assert!(settings.contains("plugin") && !settings.contains("foreign"), "keys of the own tenant alone");
    let health = adam.get("/admin/health").await.body;
    assert!(health.contains("ready") && health.contains("SQLite"));
    pages.stop().await;
}

#[tokio::test]
async fn accounts_are_made_changed_and_taken_out_of_use() {
    let Some(pages) = Pages::start().await else { return };
    let mut adam = Browser::of(pages.address, "adam").await;
    let users = "/admin/users";
    let new = |password: &'static str, again: &'static str| {
        vec![
            ("name", "nina"),
            ("role", "reviewer"),
            ("role", "viewer"),
            ("new_password", password),
            ("new_password_again", again),
        ]
    };
    assert_eq!(adam.submit(users, users, &new(PASSWORD, "something else")).await.status, 422);
    let short = adam.submit(users, users, &new("short", "short")).await;
    assert!(short.status == 422 && short.body.contains("too short"), "{}", short.body);
    assert_eq!(adam.submit(users, users, &new(PASSWORD, PASSWORD)).await.status, 303);
    assert_eq!(adam.submit(users, users, &new(PASSWORD, PASSWORD)).await.status, 422, "the name is taken");
    let mut nina = Browser::of(pages.address, "nina").await;
    let changed = [
        ("old_password", PASSWORD),
        ("new_password", "another horse battery"),
        ("new_password_again", "another horse battery"),
    ];
    let wrong = [("old_password", "wrong horse battery"), changed[1], changed[2]];
    assert_eq!(nina.submit("/account", "/account/password", &wrong).await.status, 422);
    let answer = nina.submit("/account", "/account/password", &changed).await;
    assert_eq!(answer.header("location"), "/login?said=password");
    assert_eq!(nina.get("/").await.status, 303, "every login ended");
    assert_eq!(nina.log_in("nina", "another horse battery").await.status, 303);
    let disabled = [("display_name", "Nina N."), ("role", "viewer")];
    assert_eq!(adam.submit(users, "/admin/users/nina", &disabled).await.status, 303);
    assert_eq!(nina.get("/").await.status, 303, "out at once");
    assert_eq!(nina.log_in("nina", "another horse battery").await.status, 422);
    let page = adam.get("/admin/users/nina").await.body;
    assert!(page.contains("Nina N.") && !page.contains("name=\"active\" value=\"yes\" checked"));
    let foreign = adam.submit(users, "/admin/users/otto", &disabled).await;
    assert_eq!(foreign.status, 404, "another tenant's account does not exist");
    let own = [("display_name", "Adam"), ("role", "viewer"), ("active", "yes")];
    assert_eq!(adam.submit(users, "/admin/users/adam", &own).await.status, 422, "nobody takes their own role away");
    let entries =
        pages.store.audit_entries(&TenantId::default(), Some("accounts/nina"), None, 100).await.expect("reads");
    let done = |action| entries.iter().any(|(_, event)| event.action == action && event.outcome == Outcome::Done);
    assert!(done(Action::AccountCreate) && done(Action::AccountUpdate) && done(Action::AccountPassword));
    pages.stop().await;
}
