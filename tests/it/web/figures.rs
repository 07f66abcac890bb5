//! How long pages take and how large they are on a full store: figures for the documents. Sizes are held; times are printed, and
//! held only where somebody asks for it on a machine that does nothing else.

use std::time::{Duration, Instant};

use bonafide::scoring::Level;
use bonafide::service::ports::SessionStore as _;
use bonafide::session::{CandidateId, SessionId, SessionName, TenantId};
use tokio::task::JoinSet;

use super::bench::{MadeUp, Pages, candidate, segment};
use super::browser::Browser;

/// The inbox must be there within this, whatever is in the store.
const BOUND: Duration = Duration::from_millis(100);

/// The page of a long interview may be so large.
const MAX_PAGE_BYTES: usize = 300_000;

/// Fills the store and asks for each kind of inbox some times; prints how long they took, and holds it against a bound, if any.
async fn measure(n_sessions: usize, bound: Option<Duration>) {
    let Some(pages) = Pages::start().await else { return };
    let pages = std::sync::Arc::new(pages);
    let began = Instant::now();
    let mut keeping = JoinSet::new();
    for number in 0..n_sessions {
        if keeping.len() >= 512 {
            keeping.join_next().await;
        }
        let pages = std::sync::Arc::clone(&pages);
        keeping.spawn(async move {
            // As a month of interviews: most are clear, few an alert, a tenth is decided.
            let level = match number % 100 {
                0..2 => Level::Alert,
                2..10 => Level::Suspicious,
                10..25 => Level::Inconclusive,
                _ => Level::Clear,
            };
            let mut made = MadeUp::of(TenantId::default(), &format!("interview-{number:06}"), level, 1);
            // Three rounds each, and a few hundred interviews for one position.
            made.record.candidate = CandidateId::new(&format!("ats-{}", number / 3)).ok();
            made.record.external_ref = format!("req-{}", number / 300);
            made.record.labels.insert("round".to_owned(), format!("{}", number / 100));
            pages.keep(made).await;
        });
    }
    while keeping.join_next().await.is_some() {}
    println!("{n_sessions} sessions stored in {:.1} s", began.elapsed().as_secs_f64());
    let mut browser = Browser::of(pages.address, "rita").await;
    for number in (0..n_sessions.min(2_000)).step_by(20) {
        let path = format!("/sessions/interview-{number:06}/decide");
        let fields = [("kind", "proceed"), ("note", "fine")];
        assert_eq!(browser.submit("/account", &path, &fields).await.status, 303);
    }
    let pages_of_inbox = [
        "/",
        "/?level=ALERT",
        "/?level=CLEAR",
        "/?show=decided",
        "/?show=in-review",
        "/?show=all",
        "/?show=all&level=CLEAR",
        "/?assignee=rita",
        "/?show=all&assignee=rita",
        "/?show=all&candidate=ats-40",
        "/?candidate=ats-40",
        "/?candidate=nobody",
        "/?ref=req-1",
        "/?label=batch%3Dnovember",
        "/?show=all&label=batch%3Dnovember",
        "/?show=decided&label=batch%3Dnovember&level=ALERT",
        "/?label=batch%3Dnovember&from=2020-01-01&to=2020-01-02",
        "/?label=round%3D17",
        "/?label=batch%3Dnever",
        "/?assignee=-",
        "/?show=all&assignee=-&level=CLEAR",
        "/?from=2026-01-01&to=2026-01-02",
        "/?show=all&level=CLEAR&from=2026-01-01",
        "/?show=all&from=2026-01-01&label=batch%3Dnovember",
        "/?show=all&assignee=-&from=2026-01-01",
    ];
    let mut slow = Vec::new();
    for path in pages_of_inbox {
        let (server, _bytes) = ask(&mut browser, path).await;
        if bound.is_some_and(|bound| server > bound) {
            slow.push((path, server));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
    let pages = std::sync::Arc::into_inner(pages).expect("nobody else has it");
    pages.stop().await;
}

/// Asks for a page some times, prints how long it took on the server and until it was here, and gives back the server's
/// median and the page's size.
async fn ask(browser: &mut Browser, path: &str) -> (Duration, usize) {
    let (mut server, mut client, mut n_bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..7 {
        let began = Instant::now();
        let answer = browser.get(path).await;
        client.push(began.elapsed());
        assert_eq!(answer.status, 200);
        n_bytes = answer.body.len();
        let millis = answer.header("server-timing").strip_prefix("page;dur=").expect("a time");
        server.push(Duration::from_secs_f64(millis.parse::<f64>().expect("milliseconds") / 1e3));
    }
    server.sort();
    client.sort();
    let millis = |times: &[Duration], number: usize| times[number].as_secs_f64() * 1e3;
    println!(
        "{path}: {n_bytes} bytes; server median {:.1} ms, worst {:.1} ms; client median {:.1} ms, worst {:.1} ms",
        millis(&server, 3),
        millis(&server, 6),
        millis(&client, 3),
        millis(&client, 6),
    );
    (server[3], n_bytes)
}

/// Asks for the pages of an interview of `minutes` with a segment in every minute and a half.
async fn measure_session(minutes: u32) {
    let Some(pages) = Pages::start().await else { return };
    let mut made = MadeUp::of(TenantId::default(), "long", Level::Alert, minutes * 60);
    let starts = (0..minutes * 60).step_by(90);
    made.segments = (1..).zip(starts).map(|(ordinal, from)| segment(ordinal, Level::Alert, from, from + 45)).collect();
    println!("{} scores, {} segments", made.scores.len(), made.segments.len());
    pages.keep(made).await;
    let (name, participant) =
        (SessionName { tenant: TenantId::default(), id: SessionId::new("long").expect("valid") }, candidate());
    let began = Instant::now();
    let n_points = pages.store.score_points(&name, &participant, 100_000).await.expect("reads").len();
    println!("the store gives {n_points} points in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let mut browser = Browser::of(pages.address, "rita").await;
    for path in ["", "?part=timeline", "?from=600&to=660", "/timeline.json?participant=candidate", "/live"] {
        let (_server, n_bytes) = ask(&mut browser, &format!("/sessions/long{path}")).await;
        assert!(n_bytes < MAX_PAGE_BYTES, "{path}: {n_bytes} bytes");
    }
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_ninety_minutes_is_small() {
    measure_session(90).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_inbox_of_some_hundred_sessions_is_there() {
    measure(400, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fills a store with 100,000 sessions, which takes minutes"]
async fn the_inbox_of_a_hundred_thousand_sessions_is_quick() {
    measure(100_000, Some(BOUND)).await;
}
