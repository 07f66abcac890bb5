//! Stills as a report gets them.

use sha2::{Digest as _, Sha256};

use super::{Bench, caller};
use crate::audit::Action;
use crate::error::{ErrorKind, Kinded as _};
use crate::service::{Caller, ReportStill, StillSource as _};
use crate::session::{EvidenceMode, GapCause, SessionId, StillSubject};

fn subjects(stills: &[ReportStill]) -> Vec<Option<u32>> {
    stills.iter().map(|still| still.segment).collect()
}

#[tokio::test]
async fn every_subject_has_its_first_still_before_any_has_its_second() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    for (seed, shows) in [
        (1, StillSubject::Enrolment),
        (2, StillSubject::Enrolment),
        (3, StillSubject::Segment(1)),
        (4, StillSubject::Segment(1)),
        (5, StillSubject::Segment(2)),
    ] {
        bench.keep(&name, seed, shows).await;
    }
    let told = bench.evidence.report_stills(&caller(), &name.id, 3).await.expect("gives");
    assert_eq!((subjects(&told.stills), told.n_stills), (vec![None, Some(1), Some(2)], 5));
    let all = bench.evidence.report_stills(&caller(), &name.id, 60).await.expect("gives");
    assert_eq!(all.stills.len(), 5);
    for still in &all.stills {
        for picture in [Some(&still.frame), still.chip.as_ref()].into_iter().flatten() {
            assert!(picture.jpeg.starts_with(&[0xff, 0xd8]), "is a JPEG");
            assert_eq!(picture.sha256.0, <[u8; 32]>::from(Sha256::digest(&picture.jpeg)));
        }
        let [left, top, right, bottom] = still.face_box.expect("there is a face");
        assert!(left < right && top < bottom && still.outline.len() == 4, "{still:?}");
    }
}

#[tokio::test]
async fn a_look_by_a_report_is_written_down_once_and_a_broken_still_is_a_gap() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let first = bench.keep(&name, 1, StillSubject::Enrolment).await;
    bench.keep(&name, 2, StillSubject::Segment(1)).await;
    let digest = crate::audit::Digest(first.file.0).to_string();
    let path = bench.stills_folder().join(&digest[..2]).join(&digest);
    let mut bytes = std::fs::read(&path).expect("is there");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("writes");
    let told = bench.evidence.report_stills(&caller(), &name.id, 60).await.expect("gives the other one");
    assert_eq!(subjects(&told.stills), [Some(1)]);
    let is_broken = |gap: &&crate::session::StillGap| gap.cause == GapCause::Broken;
    assert_eq!(told.gaps.iter().filter(is_broken).map(|gap| gap.shows).collect::<Vec<_>>(), [StillSubject::Enrolment]);
    let nobody = Caller { permissions: std::collections::BTreeSet::new(), ..caller() };
    let refused = bench.evidence.report_stills(&nobody, &name.id, 60).await.expect_err("may not");
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let gone = SessionId::new("gone").expect("valid");
    assert_eq!(
        bench.evidence.report_stills(&caller(), &gone, 60).await.expect_err("is gone").kind(),
        ErrorKind::NotFound
    );
    let entries = bench.log().await;
    let looks: Vec<_> = entries.iter().filter(|event| event.action == Action::EvidenceView).collect();
    assert_eq!(looks.len(), 1, "what was refused was refused before, when they were listed");
    assert_eq!((looks[0].details["stills"].as_str(), looks[0].object.as_str()), ("1 2", "sessions/abcd-1"));
}
