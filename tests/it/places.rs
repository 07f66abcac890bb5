//! One room behind several candidates, end to end: real models, a real server, people before made-up rooms.

use std::time::{Duration, Instant};

use bonafide::grpc::proto::v1;
use bonafide::grpc::{GrpcOptions, Scope};
use bonafide::session::SessionId;
use bytes::Bytes;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tonic::Code;

use crate::harness::{PATIENCE, Server, operator};
use crate::identity::{Client, client, interview, jpeg, key, name, people, session};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const FURNITURE: usize = 160;
const PERSON_PX: u32 = 300;
/// False matches accepted of a search: among so few places the operator's usual figure accepts chance agreement.
const MAX_FALSE_MATCHES: f64 = 0.01;

/// A person before a room that a number makes, the camera moved to the side by some pixels.
pub(crate) fn before_room(person: &Bytes, room: u64, moved: i64) -> Bytes {
    let mut random = StdRng::seed_from_u64(room);
    // Drawn larger and made smaller, so that edges are as a lens has them.
    let mut large = RgbImage::from_pixel(2 * WIDTH, 2 * HEIGHT, Rgb([128; 3]));
    for _ in 0..FURNITURE {
        let (width, height) = (random.random_range(16..180), random.random_range(16..140));
        let piece = RgbImage::from_pixel(width, height, Rgb([(); 3].map(|()| random.random_range(20..235))));
        let (x, y) = (random.random_range(-80..1_360_i64), random.random_range(-80..1_040_i64));
        imageops::replace(&mut large, &piece, x + 2 * moved, y);
    }
    let mut picture = imageops::resize(&large, WIDTH, HEIGHT, FilterType::Triangle);
    let person = image::load_from_memory(person).expect("a picture").to_rgb8();
    let person = imageops::resize(&person, PERSON_PX, PERSON_PX, FilterType::Triangle);
    imageops::replace(&mut picture, &person, i64::from(WIDTH - PERSON_PX) / 2, i64::from(HEIGHT - PERSON_PX));
    jpeg(&picture)
}

/// The pairs of sessions that the machine proposes for the same place.
async fn proposed(ledger: &mut Client) -> Vec<[String; 2]> {
    let listed = ledger.list_matches(v1::ListMatchesRequest::default()).await.expect("lists").into_inner().matches;
    let of_places = listed.iter().filter(|found| found.reason() == v1::ProposalReason::SameScene);
    let pair = |found: &v1::FaceMatch| {
        assert_eq!(found.kind(), v1::MatchKind::Scene);
        let mut pair = [name(found.first.as_ref()), name(found.second.as_ref())];
        pair.sort();
        pair
    };
    of_places.map(pair).collect()
}

fn search(id: &str) -> v1::SearchSceneRequest {
    let session = v1::SessionFace { session: format!("sessions/{id}"), participant_id: String::new(), person: 0 };
    v1::SearchSceneRequest { session: Some(session), max_false_matches: Some(MAX_FALSE_MATCHES), max_hits: 20 }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_room_behind_two_people_is_proposed_searched_confirmed_and_forgotten() {
    let Some(people) = people() else { return };
    let keys = vec![key("ledger", &[Scope::Identity]), key("plugin", &[Scope::Sessions])];
    let Some(server) = Server::start_with(GrpcOptions { api_keys: keys, ..GrpcOptions::default() }).await else {
        return;
    };
    let mut ledger = client(&server, "ledger").await;
    for (number, room, moved) in [(0_usize, 1, 0), (1, 2, 0), (2, 1, 14)] {
        let picture = before_room(&people[number][0], room, moved);
        interview(&server.interviews, &format!("in-room-{number}"), &format!("person-{number}"), &picture).await;
    }
    let deadline = Instant::now() + PATIENCE;
    let expected = ["sessions/in-room-0".to_owned(), "sessions/in-room-2".to_owned()];
    while proposed(&mut ledger).await != [expected.clone()] {
        assert!(Instant::now() < deadline, "it was not proposed: {:?}", proposed(&mut ledger).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = ledger.search_scene(search("in-room-2")).await.expect("searches").into_inner();
    let hits: Vec<_> = answer.hits.iter().map(|hit| name(hit.face.as_ref())).collect();
    assert_eq!((hits, answer.searched, answer.agreeing), (vec!["sessions/in-room-0".to_owned()], 2, 1));
    let hit = &answer.hits[0];
    let agreement = hit.agreement.expect("is set");
    assert_eq!(hit.relation(), v1::FaceRelation::OtherCandidate);
    assert!(agreement.opinion() == v1::FaceOpinion::Same && agreement.matched > 20, "{agreement:?}");

    let request = v1::ConfirmMatchRequest {
        first: Some(session("in-room-0")),
        second: Some(session("in-room-2")),
        verdict: v1::MatchVerdict::Same.into(),
        note: "same window".to_owned(),
        kind: v1::MatchKind::Scene.into(),
    };
    ledger.confirm_match(request).await.expect("says so");
    let request = v1::CompareFacesRequest { first: Some(session("in-room-0")), second: Some(session("in-room-2")) };
    let compared = ledger.compare_faces(request).await.expect("compares").into_inner();
    assert_eq!(compared.likeness.expect("is set").opinion(), v1::FaceOpinion::Different, "two people");
    assert_eq!(compared.verdict, None, "nobody spoke of the faces");
    assert_eq!(compared.scene_verdict.expect("was said").note, "same window");
    assert!(compared.scene_calibration.starts_with("scenes/"), "{}", compared.scene_calibration);

    let mut plugin = client(&server, "plugin").await;
    assert_eq!(plugin.search_scene(search("in-room-2")).await.expect_err("may not").code(), Code::PermissionDenied);
    let unset = ledger.search_scene(v1::SearchSceneRequest::default()).await.expect_err("names nobody");
    assert!(unset.code() == Code::InvalidArgument && unset.message().contains("session"), "{unset}");
    assert_eq!(ledger.search_scene(search("nobody-1")).await.expect_err("is none").code(), Code::NotFound);
    let id = SessionId::new("in-room-0").expect("valid");
    server.interviews.delete(&operator(), &id, None).await.expect("deletes");
    let answer = ledger.search_scene(search("in-room-2")).await.expect("searches").into_inner();
    assert_eq!((answer.hits.len(), answer.searched), (0, 1));
    server.stop().await;
}
