//! Faces across sessions on the pages: who may, who may not, and the whole way from a proposal to a word.

use std::time::{Duration, Instant};

use bonafide::audit::{Action, Event, Outcome};
use bonafide::scoring::Level;
use bonafide::session::TenantId;

use crate::harness::PATIENCE;
use crate::identity::{interview, people};
use crate::places::before_room;

use super::access::entries;
use super::bench::{MadeUp, Pages};
use super::browser::Browser;

const A: &str = "sessions/interview-1";
const B: &str = "sessions/interview-2";
const REFERENCE: &str = "candidates/ats-4711/references/r-0123456789abcdef01234567";

/// Every address about faces that is read.
fn reads() -> Vec<String> {
    vec![
        "/identity".to_owned(),
        "/identity/compare".to_owned(),
        format!("/identity/compare?a={A}&b={B}"),
        format!("/identity/compare?a={A}&b={REFERENCE}"),
        "/identity/search".to_owned(),
        format!("/identity/search?subject={A}"),
        format!("/identity/hunt?subject={A}"),
        format!("/identity/scene?subject={A}"),
        "/identity/candidates".to_owned(),
        "/identity/candidates/ats-4711".to_owned(),
        "/identity/watchlist".to_owned(),
        // What names nothing is refused all the same.
        "/identity/compare?a=nobody&b=nothing".to_owned(),
        "/identity/search?subject=nobody&false_matches=many".to_owned(),
        "/identity/hunt".to_owned(),
        "/identity/scene".to_owned(),
        "/identity/candidates/!".to_owned(),
    ]
}

/// An address, the fields that are sent to it, and whether they go as parts of several kinds.
type Form = (&'static str, Vec<(&'static str, &'static str)>, bool);

/// Every form about faces; with `true` those that carry a picture.
fn forms() -> Vec<Form> {
    vec![
        ("/identity/compare", vec![("a", A), ("b", B), ("same", "yes")], false),
        ("/identity/compare", vec![("a", A), ("b", B), ("of", "scene"), ("same", "no")], false),
        ("/identity/watchlist", vec![("subject", A), ("watched", "yes")], false),
        ("/identity/watchlist", vec![("subject", A), ("watched", "no")], false),
        ("/identity/candidates/ats-4711/delete-reference", vec![("reference", "r-0123456789abcdef01234567")], false),
        ("/identity/compare", Vec::new(), false),
        ("/identity/watchlist", Vec::new(), false),
        ("/identity/candidates/!/delete-reference", Vec::new(), false),
        ("/identity/candidates", Vec::new(), true),
        ("/identity/search", vec![("false_matches", "0.1")], true),
        ("/identity/candidates", vec![("candidate", "ats-4711"), ("session", A)], true),
    ]
}

async fn send(browser: &mut Browser, form: &(&str, Vec<(&str, &str)>, bool)) -> u16 {
    let (path, fields, has_picture) = form;
    if *has_picture {
        browser.upload("/", path, fields, b"no picture").await.status
    } else {
        browser.submit("/", path, fields).await.status
    }
}

fn about_faces(event: &Event, name: &str) -> bool {
    event.actor.name == name && event.action.as_str().starts_with("identity.")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_compare_faces_is_refused_everywhere_and_every_refusal_is_written_down() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Clear)).await;
    pages.keep(MadeUp::new("interview-2", Level::Clear)).await;
    // Neither readers nor reviewers nor administrators.
    for name in ["vera", "rita", "adam"] {
        let mut browser = Browser::of(pages.address, name).await;
        assert!(!browser.get("/").await.body.contains("href=\"/identity\""), "{name}");
        assert!(!browser.get("/sessions/interview-1").await.body.contains("/identity"), "{name}");
        let mut n_refused = 0;
        for path in reads() {
            let answer = browser.get(&path).await;
            assert_eq!(answer.status, 403, "{name} {path}");
            n_refused += 1;
            let denied = denied(&pages, name).await;
            assert_eq!(denied, n_refused, "{name} {path} left no row");
        }
        for form in forms() {
            assert_eq!(send(&mut browser, &form).await, 403, "{name} {form:?}");
            n_refused += 1;
            assert_eq!(denied(&pages, name).await, n_refused, "{name} {form:?} left no row");
        }
        let entries = entries(&pages).await;
        let all: Vec<_> = entries.iter().filter(|event| about_faces(event, name)).collect();
        assert!(all.iter().all(|event| event.outcome == Outcome::Denied), "{all:?}");
    }
    pages.stop().await;
}

async fn denied(pages: &Pages, name: &str) -> usize {
    let entries = entries(pages).await;
    entries.iter().filter(|event| about_faces(event, name) && event.outcome == Outcome::Denied).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tenant_has_is_not_there() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Clear)).await;
    pages.keep(MadeUp::new("interview-2", Level::Clear)).await;
    let mut olga = Browser::of(pages.address, "olga").await;
    for path in reads().into_iter().filter(|path| path.contains("ats-4711") || path.contains("interview-")) {
        assert_eq!(olga.get(&path).await.status, 404, "{path}");
    }
    for form in forms().iter().filter(|(_, fields, has_picture)| !fields.is_empty() && !has_picture) {
        assert_eq!(send(&mut olga, form).await, 404, "{form:?}");
    }
    assert_eq!(olga.get("/identity").await.status, 200);
    for odd in ["interview-1", "sessions/", "sessions/a/b/c", "candidates/x"] {
        assert_eq!(olga.get(&format!("/identity/search?subject={odd}")).await.status, 404, "{odd}");
    }
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_off_says_how_it_is_enabled() {
    let Some(pages) = Pages::start_without_ledger().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Clear)).await;
    let mut ines = Browser::of(pages.address, "ines").await;
    assert!(!ines.get("/").await.body.contains("href=\"/identity\""));
    assert_eq!(ines.get("/sessions/interview-1").await.status, 200);
    for path in reads() {
        let answer = ines.get(&path).await;
        assert_eq!(answer.status, 409, "{path}");
        assert!(answer.body.contains("[identity]"), "{path} {}", answer.body);
    }
    for form in forms() {
        assert_eq!(send(&mut ines, &form).await, 409, "{form:?}");
    }
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_face_under_another_name_is_shown_compared_confirmed_and_hunted() {
    let Some(people) = people() else { return };
    let Some(pages) = Pages::start().await else { return };
    interview(&pages.interviews, "round-one", "person-1", &people[3][0]).await;
    interview(&pages.interviews, "round-two", "person-2", &people[3][1]).await;
    interview(&pages.interviews, "stranger", "person-3", &people[5][0]).await;
    let mut ines = Browser::of(pages.address, "ines").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = ines.get("/identity").await;
        if page.body.contains("The same face under another candidate") {
            assert!(page.body.contains("/sessions/round-one") && page.body.contains("/sessions/round-two"));
            assert!(!page.body.contains("/sessions/stranger"), "nobody else is proposed");
            break;
        }
        assert!(Instant::now() < deadline, "it was not proposed: {}", page.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = ines.get("/sessions/round-two").await;
    assert!(page.body.contains("seen-before") && page.body.contains("The same face under another candidate"));

    // Side by side, in words, with their pictures of the beginning.
    let compare = "/identity/compare?a=sessions/round-one&b=sessions/round-two";
    let page = ines.get(compare).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Looks like one person."), "{}", page.body);
    assert!(page.body.contains("times likelier of one person than of two"));
    assert!(page.body.contains("class=\"stack verdict\""));
    for session in ["round-one", "round-two"] {
        assert!(page.body.contains(&format!("/sessions/{session}/stills/")), "{session} {}", page.body);
    }
    let strangers = ines.get("/identity/compare?a=sessions/round-one&b=sessions/stranger").await;
    assert!(strangers.body.contains("Looks like two people."), "{}", strangers.body);

    // A search gives its figures; too careful a wish is said beside the form.
    let page = ines.get("/identity/search?subject=sessions/round-one&false_matches=0.01").await;
    assert!(page.body.contains("/sessions/round-two") && page.body.contains("another candidate"), "{}", page.body);
    assert!(page.body.contains("False matches to expect") && !page.body.contains("/sessions/stranger"));
    let page = ines.get("/identity/search?subject=sessions/round-one&false_matches=1e-300").await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert_eq!(ines.get("/identity/search?subject=sessions/round-one&false_matches=many").await.status, 400);
    let page = ines.upload("/identity/search", "/identity/search", &[("false_matches", "0.01")], &people[5][0]).await;
    assert!(page.status == 200 && page.body.contains("/sessions/stranger"), "{}", page.body);
    let page = ines.upload("/identity/search", "/identity/search", &[], b"no picture").await;
    assert_eq!(page.status, 422, "{}", page.body);

    // A person says so; it stands on every page.
    let fields = [("a", "sessions/round-one"), ("b", "sessions/round-two"), ("same", "yes"), ("note", "same <scar>")];
    let answer = ines.submit(compare, "/identity/compare", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = ines.get(answer.header("location")).await;
    assert!(page.body.contains("It is noted that this is one person.") && page.body.contains("same &lt;scar&gt;"));
    assert!(ines.get("/identity").await.body.contains("Nothing is open."));

    // Watched, hunted, taken off.
    let watch = [("subject", "sessions/round-one"), ("watched", "yes"), ("note", "impostor")];
    assert_eq!(ines.submit("/identity/watchlist", "/identity/watchlist", &watch).await.status, 303);
    assert!(ines.get("/identity/watchlist").await.body.contains("impostor"));
    let page = ines.get("/identity/hunt?subject=sessions/round-one").await;
    assert!(page.body.contains("/sessions/round-two") && page.body.contains("a person said so"), "{}", page.body);
    let off = [("subject", "sessions/round-one"), ("watched", "no")];
    assert_eq!(ines.submit("/identity/watchlist", "/identity/watchlist", &off).await.status, 303);
    assert!(ines.get("/identity/watchlist").await.body.contains("Nobody is on the watch list."));

    // A reference: refused without consent and without a face, kept, compared, deleted.
    let from = "/identity/candidates/person-3";
    let fields = [("candidate", "person-3"), ("purpose", "applied")];
    assert_eq!(ines.upload(from, "/identity/candidates", &fields, &people[5][1]).await.status, 422);
    let fields = [("candidate", "person-3"), ("purpose", "applied"), ("consent_reference", "consents/3")];
    let answer = ines.upload(from, "/identity/candidates", &fields, &people[5][1]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = ines.get(answer.header("location")).await;
    assert!(page.body.contains("applied and interviewed"), "{}", page.body);
    let after = page.body.split_once("name=\"reference\" value=\"").expect("it can be deleted").1;
    let reference = after.split_once('"').expect("it ends").0.to_owned();
    let side = format!("/identity/compare?a=candidates/person-3/references/{reference}&b=sessions/stranger");
    assert_eq!(ines.get(&side).await.status, 200);
    let fields = [("reference", reference.as_str())];
    let answer = ines.submit(from, "/identity/candidates/person-3/delete-reference", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(ines.get(&side).await.status, 404);

    // All of it stands in the log, under the name of who did it.
    let entries = entries(&pages).await;
    for action in [
        Action::IdentityList,
        Action::IdentityCompare,
        Action::IdentitySearch,
        Action::IdentityConfirm,
        Action::IdentityWatch,
        Action::IdentityEnroll,
        Action::IdentityDelete,
    ] {
        let is_it = |event: &&Event| event.action == action && event.actor.name == "ines";
        assert!(entries.iter().any(|event| is_it(&event)), "{action:?}");
    }
    let mut german = Browser::of(pages.address, "ines").await;
    german.headers.push(("accept-language", "de".to_owned()));
    for path in [compare, "/identity", "/identity/watchlist", from, "/identity/search?subject=sessions/round-one"] {
        let page = german.get(path).await;
        assert!(
            page.status == 200
                && page.body.contains("lang=\"de\"")
                && page.body.contains("Eine Ähnlichkeit ist kein Beweis")
        );
    }
    assert_eq!(entries[0].tenant, TenantId::default().as_str());
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_room_behind_two_candidates_is_shown_compared_and_spoken_of() {
    let Some(people) = people() else { return };
    let Some(pages) = Pages::start().await else { return };
    interview(&pages.interviews, "at-home-1", "person-1", &before_room(&people[1][0], 5, 0)).await;
    interview(&pages.interviews, "at-home-2", "person-2", &before_room(&people[2][0], 5, 9)).await;
    interview(&pages.interviews, "elsewhere", "person-3", &before_room(&people[4][0], 6, 0)).await;
    let mut ines = Browser::of(pages.address, "ines").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = ines.get("/identity").await;
        if page.body.contains("The same place behind another candidate") {
            assert!(page.body.contains("likelier of one place than of two") && page.body.contains("Different places"));
            break;
        }
        assert!(Instant::now() < deadline, "it was not proposed: {}", page.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = ines.get("/sessions/at-home-2").await;
    assert!(page.body.contains("The same place behind another candidate"), "{}", page.body);
    assert!(page.body.contains("/identity/scene?subject=sessions/at-home-2"), "{}", page.body);
    let page = ines.get("/identity/scene?subject=sessions/at-home-2").await;
    assert!(page.status == 200 && page.body.contains("/sessions/at-home-1"), "{}", page.body);
    assert!(page.body.contains("Looks like one place.") && page.body.contains("Backgrounds searched"));
    let compare = "/identity/compare?a=sessions/at-home-1&b=sessions/at-home-2";
    let page = ines.get(compare).await;
    assert!(
        page.body.contains("Looks like two people.") && page.body.contains("Looks like one place."),
        "{}",
        page.body
    );
    assert!(page.body.contains("/frame.jpg"), "the rooms are shown");
    let fields = [
        ("a", "sessions/at-home-1"),
        ("b", "sessions/at-home-2"),
        ("of", "scene"),
        ("same", "yes"),
        ("note", "same shelf"),
    ];
    let answer = ines.submit(compare, "/identity/compare", &fields).await;
    let page = ines.get(answer.header("location")).await;
    assert!(page.body.contains("It is noted that this is one place.") && page.body.contains("same shelf"));
    assert!(page.body.contains("Looks like two people."), "the faces are another matter");
    assert!(ines.get("/identity").await.body.contains("Nothing is open."));
    let mut german = Browser::of(pages.address, "ines").await;
    german.headers.push(("accept-language", "de".to_owned()));
    for path in [compare, "/identity/scene?subject=sessions/at-home-2"] {
        let page = german.get(path).await;
        assert!(page.status == 200 && page.body.contains("Ort"), "{path} {}", page.body);
    }
    assert_eq!(
        ines.get("/identity/scene?subject=candidates/a/references/r-00112233445566778899aabb").await.status,
        422
    );
    pages.stop().await;
}
