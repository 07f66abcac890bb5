//! A tail of known shape is found again, and its end is told.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{ImpostorTail, Support, WeighedSimilarity};
use crate::identity::error::IdentityError;

/// Similarities whose rate falls by e every .04, from 1 at 0.
fn exponential(n_people: u32) -> Vec<WeighedSimilarity> {
    let mut random = StdRng::seed_from_u64(4);
    let mut pairs = Vec::new();
    for first in 0..n_people {
        for second in 0..n_people {
            if first != second {
                let similarity = -0.04 * random.random_range(1e-12_f64..1.0).ln();
                pairs.push(WeighedSimilarity { similarity, weight: 1.0, people: [first, second] });
            }
        }
    }
    pairs
}

fn fitted() -> ImpostorTail {
    ImpostorTail::fit(&exponential(500), 500, "numbers made up for this test").expect("enough")
}

#[test]
fn a_known_tail_is_found_again() {
    let tail = fitted();
    assert_eq!(tail.problem(), None);
    assert!((tail.mean_excess - 0.04).abs() < 0.04 * 4.0 * tail.excess_relative_error, "{tail:?}");
    // 250 of 250,000 pairs lie in the tail: a mean of them is known to one in sqrt(250), which may be told as up to twice that.
    assert!((0.05..0.13).contains(&tail.excess_relative_error), "{tail:?}");
    for rate in [0.1_f64, 0.02, 0.01, 1e-3, 1e-4] {
        let expected = -0.04 * rate.ln();
        assert!((tail.similarity_at(rate) - expected).abs() < 0.03, "{rate}: {}", tail.similarity_at(rate));
    }
}

#[test]
fn rate_and_similarity_undo_each_other_and_are_monotonous() {
    let tail = fitted();
    let mut last = f64::INFINITY;
    for step in 0..=1000 {
        let similarity = f64::from(step) / 1000.0;
        let matches = tail.false_matches(similarity, 1000).expect("a number");
        assert!(matches.expected <= last && matches.low <= matches.expected && matches.expected <= matches.high);
        last = matches.expected;
        let rate = matches.expected / 1000.0;
        if rate < 0.1 && matches.support != Support::Beyond {
            assert!((tail.similarity_at(rate) - similarity).abs() < 1e-9, "{similarity}");
        }
    }
}

#[test]
fn the_end_of_the_data_is_told_and_nothing_is_promised_past_it() {
    let tail = fitted();
    let support = |rate: f64| tail.false_matches(tail.similarity_at(rate), 100).expect("a number").support;
    assert_eq!(support(1e-3), Support::Measured);
    assert_eq!(support(tail.least_measured_rate() * 1.01), Support::Measured);
    assert_eq!(support(tail.least_measured_rate() * 0.9), Support::Extrapolated);
    assert_eq!(support(tail.least_rate() * 0.9), Support::Beyond);
    let (at_end, past_it) = (tail.similarity_at(tail.least_rate()), 0.99);
    let expected = |similarity| tail.false_matches(similarity, 100).expect("a number").expected;
    assert!((expected(at_end) - expected(past_it)).abs() < 1e-12);
    assert_eq!(tail.false_matches(f64::NAN, 100), None);
}

#[test]
fn people_who_look_alike_make_the_tail_less_certain() {
    let alike = |pairs: &mut Vec<WeighedSimilarity>, is_one: bool| {
        for (number, pair) in pairs.iter_mut().enumerate().filter(|(number, _)| number % 5 == 0).take(400) {
            let person = if is_one { 7 } else { pair.people[0] };
            *pair = WeighedSimilarity {
                similarity: 0.5 + number as f64 * 1e-5,
                weight: 1.0,
                people: [person, pair.people[1]],
            };
        }
    };
    let error_of = |is_one: bool| {
        let mut pairs = exponential(500);
        pairs.reverse();
        for (number, pair) in pairs.iter_mut().enumerate() {
            pair.people[0] = u32::try_from(number % 500).expect("small");
        }
        alike(&mut pairs, is_one);
        ImpostorTail::fit(&pairs, 500, "made up").expect("enough").rate_relative_error
    };
    assert!(error_of(true) > 3.0 * error_of(false), "{} {}", error_of(true), error_of(false));
}

#[test]
fn few_pairs_give_no_tail() {
    assert!(matches!(ImpostorTail::fit(&exponential(40), 40, "made up"), Err(IdentityError::TooFew { .. })));
    assert!(matches!(ImpostorTail::fit(&[], 0, "made up"), Err(IdentityError::TooFew { .. })));
}

#[test]
fn wrong_numbers_are_named() {
    let check = |change: &dyn Fn(&mut ImpostorTail), key: &str| {
        let mut tail = fitted();
        change(&mut tail);
        assert_eq!(tail.problem().map(|(key, _)| key), Some(key));
    };
    check(&|tail| tail.knots.clear(), "tail.knots");
    check(&|tail| tail.knots.reverse(), "tail.knots");
    check(&|tail| tail.knots[4].similarity = 1.5, "tail.knots");
    check(&|tail| tail.knots[0].false_match_rate = f64::NAN, "tail.knots");
    check(&|tail| tail.mean_excess = 0.0, "tail.mean_excess");
    check(&|tail| tail.mean_excess = f64::NAN, "tail.mean_excess");
    check(&|tail| tail.rate_relative_error = -1.0, "tail.rate_relative_error");
    check(&|tail| tail.excess_relative_error = f64::INFINITY, "tail.excess_relative_error");
    check(&|tail| tail.n_people = 20, "tail.n_people");
}
