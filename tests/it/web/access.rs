//! Who gets in, and what other sites, other tenants and those without a permission get.

use bonafide::audit::{Action, Event, Outcome};
use bonafide::scoring::Level;
use bonafide::service::ports::{AuditRecords as _, ReviewState, ReviewStore as _, SessionStore as _};
use bonafide::session::{SessionId, SessionName, TenantId};

use super::bench::{MadeUp, PASSWORD, Pages, other};
use super::browser::Browser;

pub(super) async fn entries(pages: &Pages) -> Vec<Event> {
    let entries = pages.store.audit_entries(&TenantId::default(), None, None, 500).await.expect("reads");
    entries.into_iter().map(|(_, event)| event).collect()
}

fn named(id: &str) -> SessionName {
    SessionName { tenant: TenantId::default(), id: SessionId::new(id).expect("valid") }
}

#[tokio::test]
async fn nobody_gets_in_without_logging_in() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Alert)).await;
    let mut browser = Browser::new(pages.address);
    for path in [
        "/",
        "/batches",
        "/account",
        "/sessions/interview-1",
        "/sessions/interview-1/live",
        "/sessions/interview-1/events",
        "/sessions/interview-1/timeline.json?participant=candidate",
        "/sessions/interview-1/technical",
        "/sessions/interview-1/delete",
        "/admin/health",
        "/admin/settings",
        "/admin/users",
        "/admin/audit",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/login?next=/"), "{path}: {}", answer.header("location"));
    }
    let answer = browser.submit("/login", "/sessions/interview-1/decide", &[("kind", "proceed"), ("note", "x")]).await;
    assert_eq!(answer.status, 401);
    let answer = browser.log_in("rita", "wrong horse battery").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("User name or password is wrong"), "{}", answer.body);
    assert_eq!(browser.get("/").await.status, 303, "still out");
    let answer = browser.log_in("rita", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    assert_eq!(browser.get("/").await.status, 200);
    let answer = browser.submit("/", "/logout", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.get("/").await.status, 303, "out again");
    pages.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let Some(pages) = Pages::start().await else { return };
    let mut browser = Browser::new(pages.address);
    let mut statuses = Vec::new();
    for number in 0..22 {
        statuses.push(browser.log_in(&format!("nobody-{number}"), "wrong horse battery").await.status);
    }
    assert!(statuses[..20].iter().all(|status| *status == 422), "{statuses:?}");
    assert_eq!(statuses[20..], [429, 429]);
    let answer = browser.log_in("rita", PASSWORD).await;
    assert_eq!(answer.status, 429, "from this address nobody for now");
    assert!(answer.header("retry-after").parse::<u64>().expect("seconds") > 200);
    assert!(answer.body.contains("Too many attempts"));
    pages.stop().await;
}

#[tokio::test]
async fn what_other_sites_send_changes_nothing() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Alert)).await;
    let mut browser = Browser::of(pages.address, "rita").await;
    let path = "/sessions/interview-1/assign";
    let token = browser.get("/").await.token().to_owned();
    let of_another = Browser::of(pages.address, "rolf").await.get("/").await.token().to_owned();
    for token in ["", "0", &"0".repeat(64), &of_another] {
        let answer = browser.send("POST", path, &[("csrf", token), ("assignee", "rita")]).await;
        assert_eq!(answer.status, 403, "{token}");
        assert!(answer.body.contains("belongs to another login"), "{}", answer.body);
    }
    let fields = [("csrf", token.as_str()), ("assignee", "rita")];
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example"), ("origin", "null")] {
        browser.headers = vec![(name, value.to_owned())];
        let answer = browser.send("POST", path, &fields).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(answer.body.contains("does not come from one of our pages"));
    }
    let review = pages.store.review(&named("interview-1")).await.expect("reads");
    assert_eq!((review.summary.state, review.summary.assignee.as_str()), (ReviewState::Unreviewed, ""));
    browser.headers =
        vec![("sec-fetch-site", "same-origin".to_owned()), ("origin", format!("http://{}", pages.address))];
    assert_eq!(browser.send("POST", path, &fields).await.status, 303, "with token and from here it is taken");
    assert_eq!(browser.send("GET", path, &[]).await.status, 405, "a link changes nothing");
    pages.stop().await;
}

#[tokio::test]
async fn another_tenants_sessions_do_not_exist() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Alert)).await;
    pages.keep(MadeUp::of(other(), "interview-2", Level::Clear, 60)).await;
    let mut browser = Browser::of(pages.address, "otto").await;
    let inbox = browser.get("/").await.body;
    assert!(inbox.contains("interview-2") && !inbox.contains("interview-1"));
    for id in ["interview-1", "never-there", "X", "a%2Fb"] {
        for path in ["", "/live", "/events", "/technical", "/delete", "/timeline.json?participant=candidate"] {
            let answer = browser.get(&format!("/sessions/{id}{path}")).await;
            assert_eq!(answer.status, 404, "{id}{path}");
            assert!(!answer.body.contains("ats-4711") && !answer.body.contains("Backend"), "{id}{path}");
        }
        for (path, fields) in [
            ("/assign", &[("assignee", "otto")][..]),
            ("/segments/1", &[("verdict", "confirmed")]),
            ("/decide", &[("kind", "proceed"), ("note", "fine")]),
        ] {
            let answer = browser.submit("/", &format!("/sessions/{id}{path}"), fields).await;
            assert_eq!(answer.status, 404, "{id}{path}");
        }
    }
    let answer = browser.submit("/", "/assign", &[("take", "interview-1")]).await;
    assert_eq!(answer.status, 404);
    assert_eq!(pages.store.review(&named("interview-1")).await.expect("reads").summary.assignee, "");
    pages.stop().await;
}

#[tokio::test]
async fn who_may_not_is_told_so_and_written_down() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Alert)).await;
    let mut viewer = Browser::of(pages.address, "vera").await;
    let page = viewer.get("/sessions/interview-1").await;
    assert_eq!(page.status, 200);
    for form in ["/decide", "/segments/", "/hold", "/delete"] {
        assert!(!page.body.contains(&format!("interview-1{form}")), "{form} is offered to a viewer");
    }
    let session = "/sessions/interview-1";
    let decide = [("kind", "proceed"), ("note", "fine")];
    for (path, fields) in [
        (format!("{session}/assign"), &[("assignee", "vera")][..]),
        (format!("{session}/segments/1"), &[("verdict", "confirmed")]),
        (format!("{session}/decide"), &decide),
        (format!("{session}/hold"), &[("held", "yes")]),
        (format!("{session}/delete"), &[("confirm", "interview-1")]),
        ("/admin/users".to_owned(), &[("name", "mallory"), ("role", "admin")]),
        ("/admin/users/adam/password".to_owned(), &[("new_password", "x"), ("new_password_again", "x")]),
        ("/admin/audit/check".to_owned(), &[]),
    ] {
        let answer = viewer.submit("/", &path, fields).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("You may not do that"), "{path}");
    }
    for path in ["/admin/health", "/admin/settings", "/admin/users", "/admin/users/adam", "/admin/audit"] {
        assert_eq!(viewer.get(path).await.status, 403, "{path}");
    }
    let mut admin = Browser::of(pages.address, "adam").await;
    let answer = admin.submit("/", &format!("{session}/decide"), &decide).await;
    assert_eq!(answer.status, 403, "an admin is no reviewer by that alone");
    let denied: Vec<_> = entries(&pages)
        .await
        .into_iter()
        .filter(|event| event.outcome == Outcome::Denied)
        .map(|event| (event.actor.name, event.action))
        .collect();
    let by_vera = |action| denied.iter().filter(|found| **found == ("vera".to_owned(), action)).count();
    for action in [
        Action::ReviewAssign,
        Action::ReviewMark,
        Action::ReviewDecide,
        Action::SessionHold,
        Action::SessionDelete,
        Action::AccountCreate,
        Action::AccountPassword,
    ] {
        assert_eq!(by_vera(action), 1, "{action:?} in {denied:?}");
    }
    assert_eq!(by_vera(Action::SystemView), 2);
    assert_eq!(by_vera(Action::AuditRead), 2);
    assert_eq!(by_vera(Action::AccountUpdate), 2);
    assert!(denied.contains(&("adam".to_owned(), Action::ReviewDecide)));
    assert!(pages.store.get(&named("interview-1")).await.is_ok(), "nothing was deleted");
    pages.stop().await;
}
