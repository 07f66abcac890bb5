//! One candidate's ledger, and references.

use super::bench::{Bench, Made, caller, candidate, investigator, kind, page, reference, session, short};
use crate::error::ErrorKind;
use crate::service::ports::{Clock as _, MatchVerdict, Pair, ReferencePurpose, TemplateKind, TemplateState};
use crate::service::{
    Enrolment, LedgerEntry, NewReference, Opinion, PairKind, Permission, ReferenceSource, Subject, TemplateCondition,
};

#[tokio::test]
async fn a_ledger_compares_application_rounds_and_hire() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made { labels: &[("stage", "2")], ..Made::of("ann-2", "ann", &[("cam", &[1])]) }).await;
    bench.finished(&Made { consent: "", ..Made::of("ann-3", "ann", &[("cam", &[1])]) }).await;
    bench.finished(&Made { labels: &[("stage", "hired")], ..Made::of("ann-4", "ann", &[("cam", &[2])]) }).await;
    bench.enroll("ann", ReferencePurpose::Applied, "ann-1").await;
    let ledger = bench.identities.candidate(&investigator(), &candidate("ann")).await.expect("reads");
    let lines: Vec<_> = ledger
        .entries
        .iter()
        .map(|entry| match entry {
            LedgerEntry::Session { session, condition, .. } => (session.id.to_string(), *condition),
            LedgerEntry::Reference { condition, .. } => ("reference".to_owned(), *condition),
        })
        .collect();
    let names: Vec<_> = lines.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["reference", "ann-1", "ann-2", "ann-3", "ann-4"]);
    assert_eq!(lines[3].1, TemplateCondition::Missing(TemplateState::NoConsent));
    assert!(matches!(lines[0].1, TemplateCondition::Known(quality) if quality.n_embeddings == 12));
    let pairs: Vec<_> = ledger
        .pairs
        .iter()
        .map(|pair| (names[pair.first], names[pair.second], pair.kind, pair.likeness.opinion))
        .collect();
    let expected = [
        ("reference", "ann-1", PairKind::AppliedToInterviewed, Opinion::Same),
        ("reference", "ann-2", PairKind::AppliedToInterviewed, Opinion::Same),
        ("reference", "ann-4", PairKind::Other, Opinion::Different),
        ("ann-1", "ann-2", PairKind::RoundToRound, Opinion::Same),
        ("ann-1", "ann-4", PairKind::InterviewedToHired, Opinion::Different),
        ("ann-2", "ann-4", PairKind::InterviewedToHired, Opinion::Different),
    ];
    assert_eq!(pairs, expected);
    assert!(ledger.has_different_faces && !ledger.has_more_sessions);
    assert_eq!((ledger.candidate.n_sessions, ledger.candidate.n_references), (4, 1));
    assert_eq!(ledger.entries[0].face().map(|face| short(&face)), Some("ref of ann".to_owned()));
}

#[tokio::test]
async fn a_persons_word_settles_different_faces() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made::of("ann-2", "ann", &[("cam", &[2])])).await;
    let is_odd = async || {
        let ledger = bench.identities.candidate(&investigator(), &candidate("ann")).await.expect("reads");
        ledger.has_different_faces
    };
    assert!(is_odd().await);
    let ledger = &bench.identities;
    let (first, second) = (session("ann-1"), session("ann-2"));
    ledger
        .confirm(&investigator(), Pair::of(TemplateKind::Face, (&first, &second)), MatchVerdict::Same, "shaved")
        .await
        .expect("says so");
    assert!(!is_odd().await);
    let comparison = ledger.compare(&investigator(), &second, &first).await.expect("compares");
    assert_eq!(comparison.likeness.opinion, Opinion::Different, "the machine keeps its own");
    assert_eq!(comparison.verdict.expect("is told").note, "shaved");
    assert!(comparison.n_people.0 > 100 && comparison.n_people.1 > 1_000);
    let same =
        ledger.confirm(&investigator(), Pair::of(TemplateKind::Face, (&first, &first)), MatchVerdict::Same, "").await;
    assert_eq!(kind(same), ErrorKind::InvalidInput);
    let long = "x".repeat(5_000);
    assert_eq!(
        kind(
            ledger
                .confirm(&investigator(), Pair::of(TemplateKind::Face, (&first, &second)), MatchVerdict::Same, &long)
                .await
        ),
        ErrorKind::InvalidInput
    );
    assert_eq!(kind(ledger.watch(&investigator(), &first, "\u{1b}[2J").await), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn references_need_consent_and_a_time_to_come() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    bench.finished(&Made { consent: "", ..Made::of("ann-2", "ann", &[("cam", &[1])]) }).await;
    let enroll = async |new| bench.identities.enroll_reference(&investigator(), new).await;
    let of = |source| reference("ann", ReferencePurpose::Applied, source);
    let Enrolment::Kept(kept) = enroll(of("ann-1")).await.expect("enrols") else { panic!("is kept") };
    assert_eq!(kept.consent_reference, "consent/1", "that of the session");
    let in_a_year = bench.clock.now() + jiff::SignedDuration::from_secs(365 * 86_400);
    assert_eq!((kept.expire_time, kept.created_by.as_str()), (Some(in_a_year), "system:test"));
    let Err(error) = enroll(of("ann-2")).await else { panic!("the session has no consent") };
    assert!(error.to_string().contains("consent"), "{error}");
    let past = NewReference { expire_time: Some(bench.clock.now()), ..of("ann-1") };
    assert_eq!(kind(enroll(past).await), ErrorKind::InvalidInput);
    let picture = NewReference { source: ReferenceSource::Picture("no picture".into()), ..of("ann-1") };
    let Err(error) = enroll(picture).await else { panic!("there are no models") };
    assert!(error.to_string().contains("models"), "{error}");
    let named =
        NewReference { consent_reference: "consent/9".to_owned(), display_name: "Ann".to_owned(), ..of("ann-1") };
    let Enrolment::Kept(second) = enroll(named).await.expect("enrols") else { panic!("is kept") };
    assert_eq!(second.consent_reference, "consent/9");
    let listed = bench.identities.candidates(&investigator(), &page()).await.expect("lists").items;
    assert_eq!((listed[0].display_name.as_str(), listed[0].n_references, listed[0].n_sessions), ("Ann", 2, 2));
    bench.clock.advance(366 * 86_400);
    bench.identities.sweep().await.expect("sweeps");
    let ledger = bench.identities.candidate(&investigator(), &candidate("ann")).await.expect("reads");
    assert_eq!(ledger.candidate.n_references, 0, "references expire by themselves");
}

#[tokio::test]
async fn the_watch_list_is_what_people_put_on_it() {
    let bench = Bench::start().await;
    bench.finished(&Made::of("ann-1", "ann", &[("cam", &[1])])).await;
    let reference = bench.enroll("watch-7", ReferencePurpose::Interviewed, "ann-1").await;
    let ledger = &bench.identities;
    ledger.watch(&investigator(), &Subject::from(reference.clone()), "paid stand-in").await.expect("watches");
    let listed = ledger.watched(&investigator(), &page()).await.expect("lists").items;
    assert_eq!((listed.len(), listed[0].note.as_str(), listed[0].by.as_str()), (1, "paid stand-in", "system:test"));
    bench.finished(&Made::of("new-1", "zoe", &[("cam", &[1])])).await;
    let answer = bench.search(session("new-1")).await;
    assert!(answer.hits.iter().any(|hit| hit.face.is_watched));
    ledger.unwatch(&investigator(), &Subject::from(reference)).await.expect("takes off");
    assert_eq!(ledger.watched(&investigator(), &page()).await.expect("lists").items, []);
    assert!(!caller("default", &[Permission::Review]).may(Permission::Identity));
}
