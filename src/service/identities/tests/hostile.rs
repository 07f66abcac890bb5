//! Lost keys, other models, numbers that are none, sizes that are too large.

use std::sync::Arc;

use super::bench::{Bench, Made, investigator, kind, page, request, session};
use crate::error::{ErrorKind, Kinded as _};
use crate::identity::{IdentityError, SearchPolicy};
use crate::keys::SealingKeys;
use crate::service::ports::{MatchFilter, PageRequest};
use crate::service::{SearchRequest, ServiceError, Subject};

#[tokio::test]
async fn nobody_is_found_among_nobody() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    let answer = bench.search(session("ann-1")).await;
    assert_eq!((answer.hits.len(), answer.figures.n_searched), (0, 0));
    assert_eq!(answer.figures.false_matches.expected, 0.0);
    assert_eq!(kind(bench.identities.search(&investigator(), &request(session("gone-1"))).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn numbers_that_are_none_and_sizes_that_are_too_large_do_no_harm() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    for wished in [f64::NAN, f64::INFINITY, -1.0, 0.0, -0.0] {
        let request = SearchRequest { max_false_matches: Some(wished), ..request(session("ann-1")) };
        let outcome = bench.identities.search(&investigator(), &request).await;
        assert!(matches!(outcome, Err(ServiceError::Identity(IdentityError::Invalid { .. }))), "{wished}: {outcome:?}");
        let outcome = bench.identities.hunt(&investigator(), &session("ann-1"), Some(wished)).await;
        assert_eq!(kind(outcome), ErrorKind::InvalidInput, "{wished}");
    }
    let too_few = SearchRequest { max_false_matches: Some(1e-9), ..request(session("ann-1")) };
    let outcome = bench.identities.search(&investigator(), &too_few).await;
    assert!(matches!(outcome, Err(ServiceError::Identity(IdentityError::BeyondData { .. }))), "{outcome:?}");
    let many = SearchRequest { max_false_matches: Some(1e9), max_hits: u32::MAX, ..request(session("ann-1")) };
    assert_eq!(bench.identities.search(&investigator(), &many).await.expect("searches").hits.len(), 1);
    let none = SearchRequest { max_hits: 0, ..request(session("ann-1")) };
    assert_eq!(bench.identities.search(&investigator(), &none).await.expect("searches").hits.len(), 1);
    for size in [0, u32::MAX] {
        let page = PageRequest { size, token: None };
        assert!(!bench.identities.candidates(&investigator(), &page).await.expect("lists").items.is_empty());
        assert!(bench.identities.matches(&investigator(), &MatchFilter::All, &page).await.is_ok());
        assert!(bench.identities.watched(&investigator(), &page).await.is_ok());
    }
    let forged = PageRequest { size: 5, token: Some("00".repeat(600)) };
    assert_eq!(kind(bench.identities.candidates(&investigator(), &forged).await), ErrorKind::InvalidInput);
    let picture = Subject::Picture(vec![0; 8].into());
    assert_eq!(kind(bench.identities.search(&investigator(), &request(picture)).await), ErrorKind::FailedPrecondition);
}

#[tokio::test]
async fn templates_of_a_lost_key_are_counted_and_the_rest_goes_on() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    let new_key = bench.with(&Arc::new(SealingKeys::generate()), SearchPolicy::shipped());
    bench.stored(&Made::of("ann-2", "ann", &[("cam", &[1])])).await;
    bench.stored(&Made::of("ann-3", "ann", &[("cam", &[1])])).await;
    new_key.sweep().await.expect("sweeps");
    let answer = new_key.search(&investigator(), &request(session("ann-2"))).await.expect("the rest serves");
    assert_eq!((answer.hits.len(), answer.figures.n_searched, answer.figures.n_unreadable), (1, 1, 1));
    let lost = new_key.search(&investigator(), &request(session("ann-1"))).await.expect_err("its key is lost");
    assert_eq!(lost.kind(), ErrorKind::Unavailable);
    assert!(lost.to_string().contains("keys.file"), "{lost}");
    let ledger = new_key.candidate(&investigator(), &super::bench::candidate("ann")).await.expect("reads");
    let unreadable = ledger.entries.iter().filter(|entry| {
        matches!(
            entry,
            crate::service::LedgerEntry::Session { condition: crate::service::TemplateCondition::Unreadable, .. }
        )
    });
    assert_eq!(unreadable.count(), 1);
    assert_eq!(new_key.matches(&investigator(), &MatchFilter::All, &page()).await.expect("lists").items, []);
}

#[tokio::test]
async fn templates_of_another_model_are_counted_and_never_compared() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    let newer = SearchPolicy { model: format!("models/embedding@{}", "ab".repeat(32)), ..SearchPolicy::shipped() };
    let newer = bench.with(&bench.sealing, newer);
    bench.stored(&Made::of("bob-1", "bob", &[("cam", &[1])])).await;
    newer.sweep().await.expect("sweeps");
    let answer = newer.search(&investigator(), &request(session("bob-1"))).await.expect("searches");
    assert_eq!((answer.hits.len(), answer.figures.n_searched, answer.figures.n_other_model), (0, 0, 1));
    let outcome = newer.compare(&investigator(), &session("ann-1"), &session("bob-1")).await;
    assert!(matches!(outcome, Err(ServiceError::Identity(IdentityError::OtherModel { .. }))), "{outcome:?}");
    // A journal that is older than the model in use is not passed off as its work, whoever makes the template.
    let old = format!("models/embedding@{}", "cd".repeat(32));
    bench.stored(&Made { model: Some(&old), ..Made::of("cid-1", "cid", &[("cam", &[1])]) }).await;
    newer.sweep().await.expect("sweeps");
    let answer = newer.search(&investigator(), &request(session("bob-1"))).await.expect("searches");
    assert_eq!((answer.hits.len(), answer.figures.n_other_model), (0, 2));
    // The old server goes on with what it knows.
    let answer = bench.search(session("ann-1")).await;
    assert_eq!((answer.figures.n_searched, answer.figures.n_other_model), (0, 2));
}
