//! How long pages take on a full store: figures for the documents, not a part of every run.

use std::time::{Duration, Instant};

use bonafide::scoring::Level;
use bonafide::session::{CandidateId, TenantId};
use tokio::task::JoinSet;

use super::bench::{MadeUp, Pages};
use super::browser::Browser;

/// The inbox must be there within this, whatever is in the store.
const BOUND: Duration = Duration::from_millis(100);

/// Fills the store and asks for each kind of inbox some times; prints the slower ones.
async fn measure(n_sessions: usize, bound: Duration) {
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
        "/?from=2026-01-01&to=2026-01-02",
    ];
    let mut slow = Vec::new();
    for path in pages_of_inbox {
        let mut times = Vec::new();
        for _ in 0..7 {
            let began = Instant::now();
            assert_eq!(browser.get(path).await.status, 200);
            times.push(began.elapsed());
        }
        times.sort();
        println!("{path}: median {:.1} ms, worst {:.1} ms", times[3].as_secs_f64() * 1e3, times[6].as_secs_f64() * 1e3);
        if times[3] > bound {
            slow.push((path, times[3]));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
    let pages = std::sync::Arc::into_inner(pages).expect("nobody else has it");
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_of_some_hundred_sessions_is_quick() {
    // Generous: the machine may be busy with other tests.
    measure(400, BOUND * 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fills a store with 100,000 sessions, which takes minutes"]
async fn the_inbox_of_a_hundred_thousand_sessions_is_quick() {
    measure(100_000, BOUND).await;
}
