//! The search against a comparison with everything, and the bookkeeping of keys.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{SceneGallery, SceneHit, SceneKey};
use crate::identity::error::IdentityError;
use crate::vision::scene::testing::{described as scene, random_bytes, seen_again};
use crate::vision::scene::{SceneDescriptor, compare};

fn naive(scenes: &[(SceneKey, SceneDescriptor)], query: &SceneDescriptor, threshold: f32) -> Vec<SceneHit> {
    let mut hits: Vec<SceneHit> = scenes
        .iter()
        .map(|(key, scene)| SceneHit { key: *key, similarity: compare(query, scene) })
        .filter(|hit| hit.similarity.score >= threshold)
        .collect();
    hits.sort_by(|a, b| b.similarity.score.total_cmp(&a.similarity.score).then(a.key.cmp(&b.key)));
    hits
}

#[test]
fn a_search_finds_exactly_what_comparing_with_everything_finds() {
    let mut random = StdRng::seed_from_u64(5);
    let query_bytes = random_bytes(&mut random);
    let query = scene(&query_bytes);
    let mut scenes = Vec::new();
    for number in 0..240_u64 {
        let bytes = match number % 4 {
            0 => random_bytes(&mut random),
            1 => seen_again(&mut random, &query_bytes, 3 + (number as usize / 8), 10),
            2 => seen_again(&mut random, &query_bytes, 40, (number / 4) as usize),
            _ => scene(&seen_again(&mut random, &query_bytes, 30, 8)).mirrored().to_bytes(),
        };
        scenes.push((SceneKey(number * 7919 % 251), scene(&bytes)));
    }
    let mut gallery = SceneGallery::new(500).expect("valid");
    for (key, scene) in &scenes {
        gallery.add(*key, scene).expect("has room");
    }
    for threshold in [f32::MIN_POSITIVE, 0.05, 0.2, 0.5, 1.0] {
        let expected = naive(&scenes, &query, threshold);
        let found = gallery.search(&query, threshold, 1_000).expect("valid");
        assert_eq!((found.hits.len(), found.n_agreeing), (expected.len(), expected.len()));
        assert_eq!(found.hits, expected, "{threshold}");
        let few = gallery.search(&query, threshold, 5).expect("valid");
        assert_eq!(few.hits, expected[..5.min(expected.len())]);
        assert_eq!(few.n_agreeing, expected.len(), "those without a place are counted");
    }
    let all = naive(&scenes, &query, 0.2);
    assert!(all.len() > 60 && all.iter().any(|hit| hit.similarity.is_mirrored), "{}", all.len());
}

#[test]
fn what_was_taken_out_is_gone_and_its_place_is_used_again() {
    let mut random = StdRng::seed_from_u64(6);
    let scenes: Vec<SceneDescriptor> = (0..30).map(|_| scene(&random_bytes(&mut random))).collect();
    let mut gallery = SceneGallery::new(30).expect("valid");
    for (key, scene) in (0..).zip(&scenes) {
        gallery.add(SceneKey(key), scene).expect("has room");
    }
    assert!(matches!(gallery.add(SceneKey(99), &scenes[0]), Err(IdentityError::Full { .. })));
    assert!(matches!(gallery.add(SceneKey(3), &scenes[0]), Err(IdentityError::KeyTaken)));
    let finds = |gallery: &SceneGallery, at: usize| -> Vec<u64> {
        let found = gallery.search(&scenes[at], 0.9, 10).expect("valid");
        found.hits.iter().map(|hit| hit.key.0).collect()
    };
    assert_eq!(finds(&gallery, 7), [7]);
    for key in [7, 0, 29, 12] {
        assert!(gallery.remove(SceneKey(key)));
        assert!(!gallery.remove(SceneKey(key)) && !gallery.contains(SceneKey(key)));
        assert!(finds(&gallery, key as usize).is_empty());
    }
    assert_eq!((gallery.len(), finds(&gallery, 8)), (26, vec![8]));
    gallery.add(SceneKey(107), &scenes[7]).expect("there is room again");
    assert_eq!((gallery.stored.len(), finds(&gallery, 7)), (30, vec![107]), "the place of one that was taken out");
    for key in (0..30).chain([107]) {
        gallery.remove(SceneKey(key));
    }
    assert!(gallery.is_empty() && gallery.index.iter().all(Vec::is_empty));
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let query = scene(&random_bytes(&mut StdRng::seed_from_u64(7)));
    let gallery = SceneGallery::new(3).expect("valid");
    for threshold in [0.0, -0.5, 1.5, f32::NAN] {
        assert!(matches!(gallery.search(&query, threshold, 1), Err(IdentityError::Invalid { .. })), "{threshold}");
    }
    assert!(matches!(gallery.search(&query, 0.5, 0), Err(IdentityError::Invalid { .. })));
    assert!(SceneGallery::new(0).is_err());
    assert!(gallery.search(&query, 0.5, 1).expect("valid").hits.is_empty());
    assert_eq!(format!("{gallery:?}"), "SceneGallery(0)");
}
