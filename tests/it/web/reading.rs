//! What pages carry: headers, languages, hostile names, figures, what is left of a page without scripts.

use bonafide::scoring::Level;
use bonafide::service::ports::SessionStore as _;
use bonafide::session::Segment;
use bonafide::signals::Reason;

use super::bench::{MadeUp, Pages, segment};
use super::browser::Browser;

/// Every page that a reader reaches.
const PAGES: [&str; 7] = [
    "/",
    "/batches",
    "/account",
    "/sessions/interview-1",
    "/sessions/interview-1/live",
    "/sessions/interview-1/technical",
    "/nowhere",
];

#[tokio::test]
async fn every_answer_lets_nothing_foreign_in() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Suspicious)).await;
    let mut browser = Browser::of(pages.address, "rita").await;
    for path in PAGES {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        for forbidden in [" style=", "<script>", " onclick=", " onload=", "javascript:", "http://", "https://"] {
            let shown = answer.body.replace("http://127.0.0.1:50051", "");
            assert!(!shown.contains(forbidden), "{path} has {forbidden}");
        }
        assert_eq!(answer.body.matches("<h1").count(), 1, "{path} has one heading");
        assert!(answer.body.contains("<main id=\"content\""), "{path}");
        for tag in answer.body.split('<').filter_map(|part| part.split('>').next()) {
            assert!(tag.matches(" class=\"").count() <= 1, "{path}: a browser takes only the first class of <{tag}>");
            assert!(tag.matches(" id=\"").count() <= 1, "{path}: <{tag}>");
        }
    }
    let page = browser.get("/").await.body;
    let style =
        page.split("href=\"").find(|part| part.starts_with("/assets/style-")).and_then(|part| part.split('"').next());
    let style = style.expect("a stylesheet").to_owned();
    let answer = Browser::new(pages.address).get(&style).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(answer.header("cache-control").contains("immutable"));
    assert_eq!(browser.get("/assets/style-0000.css").await.status, 404);
    assert_eq!(browser.send("HEAD", "/", &[]).await.status, 200);
    assert_eq!(browser.send("DELETE", "/", &[]).await.status, 405);
    pages.stop().await;
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let Some(pages) = Pages::start().await else { return };
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let mut made = MadeUp::new("interview-1", Level::Alert);
    made.record.display_name = hostile.to_owned();
    made.record.external_ref = hostile.to_owned();
    made.record.consent_reference = hostile.to_owned();
    made.record.labels.insert("batch".to_owned(), hostile.to_owned());
    made.record.policy = hostile.to_owned();
    made.scores.last_mut().expect("is there").reasons = vec![Reason::new("<script>alert(2)</script>")];
    pages.keep(made).await;
    let mut browser = Browser::of(pages.address, "rita").await;
    let note = [("verdict", "confirmed"), ("note", hostile)];
    assert_eq!(browser.submit("/", "/sessions/interview-1/segments/1", &note).await.status, 303);
    let decision = [("kind", "clarify"), ("note", hostile)];
    assert_eq!(browser.submit("/", "/sessions/interview-1/decide", &decision).await.status, 303);
    for path in [
        "/?show=all",
        "/?show=all&label=%3Cscript%3Ealert(1)%3C%2Fscript%3E&ref=%22%3E%3Cscript%3E",
        "/batches",
        "/sessions/interview-1",
        "/sessions/interview-1?participant=%3Cscript%3E&said=%3Cscript%3E",
        "/sessions/interview-1/live",
        "/sessions/interview-1/technical",
        "/login?next=%22%3E%3Cscript%3E",
        "/nowhere/%3Cscript%3E",
    ] {
        let body = browser.get(path).await.body;
        assert!(!body.contains("<script>") && !body.contains("<img"), "{path}:\n{body}");
    }
    let body = browser.get("/sessions/interview-1").await.body;
    assert!(body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as text");
    pages.stop().await;
}

#[tokio::test]
async fn pages_speak_the_language_and_wear_the_theme_that_was_chosen() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Suspicious)).await;
    let mut browser = Browser::of(pages.address, "rita").await;
    browser.headers = vec![("accept-language", "de-DE,de;q=0.9".to_owned())];
    let page = browser.get("/sessions/interview-1").await.body;
    assert!(page.contains("<html lang=\"de\">") && page.contains("Auffällig"), "by the browser's wish");
    assert!(page.contains("Andere Person ab 40,2 s"), "reasons too");
    let chosen = [("language", "en"), ("back", "/sessions/interview-1?from=1.0")];
    let answer = browser.submit("/", "/preferences", &chosen).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sessions/interview-1?from=1.0"));
    browser.submit("/", "/preferences", &[("theme", "dark"), ("back", "https://evil.example")]).await;
    let page = browser.get("/").await.body;
    assert!(page.contains("<html lang=\"en\" data-theme=\"dark\">"), "by choice");
    for language in ["en", "de"] {
        browser.submit("/", "/preferences", &[("language", language)]).await;
        for path in PAGES {
            let body = browser.get(path).await.body;
            // A key without a text is shown as it is.
            for key in ["inbox-", "session-", "level-", "signal-", "timeline-", "review-", "error-", "facts-", "llr-"] {
                let shown = format!(">{key}");
                assert!(!body.contains(&shown), "{path} in {language} shows {key}");
            }
        }
    }
    pages.stop().await;
}

#[tokio::test]
async fn the_inbox_has_the_worst_first_and_pages_do_not_overlap() {
    let Some(pages) = Pages::start().await else { return };
    for number in 0..120 {
        let level = [Level::Clear, Level::Inconclusive, Level::Suspicious, Level::Alert][number % 4];
        pages
            .keep(MadeUp::of(bonafide::session::TenantId::default(), &format!("interview-{number:03}"), level, 8))
            .await;
    }
    let mut browser = Browser::of(pages.address, "rita").await;
    let (mut found, mut path) = (Vec::new(), "/".to_owned());
    loop {
        let body = browser.get(&path).await.body;
        let ids = body.split("href=\"/sessions/").skip(1).filter_map(|part| part.split('"').next());
        found.extend(ids.map(str::to_owned));
        let Some(next) = body.split("rel=\"next\" href=\"").nth(1).and_then(|part| part.split('"').next()) else {
            break;
        };
        path = next.replace("&amp;", "&");
    }
    assert_eq!(found.len(), 120);
    let number = |id: &String| id.rsplit('-').next().and_then(|digits| digits.parse::<usize>().ok()).expect("a number");
    let urgency: Vec<_> = found.iter().map(|id| [0, 1, 2, 3][number(id) % 4]).collect();
    assert!(urgency.is_sorted_by(|a, b| a >= b), "{urgency:?}");
    assert_eq!(found.iter().collect::<std::collections::BTreeSet<_>>().len(), 120, "none twice");
    for (query, expected) in [
        ("/?level=ALERT", 30),
        ("/?show=decided", 0),
        ("/?candidate=ats-4711&level=CLEAR", 30),
        ("/?candidate=someone-else", 0),
        ("/?assignee=rita", 0),
        ("/?from=2020-01-01&to=2020-01-02", 0),
        ("/?label=batch%3Dnovember&level=SUSPICIOUS", 30),
        ("/?label=nonsense", 0),
        ("/?from=yesterday", 0),
    ] {
        let body = browser.get(query).await.body;
        assert_eq!(body.matches("class=\"open\"").count(), expected, "{query}");
    }
    assert_eq!(browser.get("/?after=00ff").await.status, 400, "a token that nobody gave");
    let batches = browser.get("/batches").await.body;
    assert!(batches.contains("november") && batches.contains(">120<"), "{batches}");
    pages.stop().await;
}

#[tokio::test]
async fn a_page_of_ninety_minutes_is_small_and_says_the_same_in_figures() {
    let Some(pages) = Pages::start().await else { return };
    let secs = 90 * 60;
    let mut made = MadeUp::of(bonafide::session::TenantId::default(), "interview-1", Level::Alert, secs);
    made.segments =
        (0..60).map(|n| segment(n + 1, Level::Suspicious, n * 80 + 3, n * 80 + 20)).collect::<Vec<Segment>>();
    pages.keep(made).await;
    let mut browser = Browser::of(pages.address, "rita").await;
    let page = browser.get("/sessions/interview-1").await.body;
    println!("a page of 90 minutes with 60 segments: {} bytes", page.len());
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(page.contains("<details class=\"figures\">") && page.contains("Another person from 40.2 s on"));
    let part = browser.get("/sessions/interview-1?part=timeline&from=100&to=160").await.body;
    assert!(part.starts_with("<div class=\"card\"><section") && part.len() < 60_000, "{} bytes", part.len());
    assert!(part.contains("data-from=\"100\" data-to=\"160\""), "{part}");
    let json = browser.get("/sessions/interview-1/timeline.json?participant=candidate&from=100&to=160").await;
    assert_eq!(json.header("content-type"), "application/json");
    let figures: serde_json::Value = serde_json::from_str(&json.body).expect("is JSON");
    assert_eq!(figures["lanes"]["identity"].as_array().expect("a lane").len(), 60, "second by second");
    for bad in ["from=nan&to=1", "from=5&to=2", "from=-1e308&to=1e308", "from=1e9&to=2e9"] {
        let answer = browser.get(&format!("/sessions/interview-1?part=timeline&{bad}")).await;
        assert_eq!(answer.status, 200, "{bad}");
        assert!(!answer.body.contains("NaN") && !answer.body.contains("inf"), "{bad}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn a_live_page_hears_scores_segments_and_the_end() {
    let Some(pages) = Pages::start().await else { return };
    pages.keep(MadeUp::new("interview-1", Level::Suspicious)).await;
    let mut open = MadeUp::new("interview-2", Level::Clear);
    open.is_ended = false;
    pages.keep(open).await;
    let mut browser = Browser::of(pages.address, "vera").await;
    let page = browser.get("/sessions/interview-2/live").await.body;
    assert!(page.contains("<noscript><meta http-equiv=\"refresh\"") && page.contains("data-events="));
    let heard = browser.get("/sessions/interview-1/events").await;
    assert_eq!(heard.header("content-type"), "text/event-stream");
    let names: Vec<_> = heard.body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names, ["segment", "score", "ended"], "{}", heard.body);
    assert!(heard.body.contains("Another person from 40.2 s on") && heard.body.contains("\"final\":true"));
    let interviews = pages.interviews.clone();
    let listening = tokio::spawn(async move { browser.get("/sessions/interview-2/events").await.body });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let name = bonafide::session::SessionId::new("interview-2").expect("valid");
    interviews.delete(&crate::harness::operator(), &name, None).await.expect("deletes");
    let heard = listening.await.expect("no panic");
    assert!(heard.contains("The session was deleted"), "{heard}");
    pages.stop().await;
}

#[tokio::test]
async fn stopping_does_not_wait_for_those_who_listen() {
    let Some(pages) = Pages::start().await else { return };
    let mut open = MadeUp::new("interview-1", Level::Clear);
    open.is_ended = false;
    pages.keep(open).await;
    assert!(pages.store.ping().await.is_ok());
    let mut browser = Browser::of(pages.address, "vera").await;
    let listening = tokio::spawn(async move { browser.get("/sessions/interview-1/events").await.status });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let began = std::time::Instant::now();
    pages.stop().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(listening.await.expect("no panic"), 200);
}
