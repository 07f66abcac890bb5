//! The search against a full scan in floating point, and the bookkeeping of keys.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Gallery, Hit, TemplateKey};
use crate::identity::error::IdentityError;
use crate::identity::template::{ModelDigest, Template};
use crate::vision::Embedding;

const MODEL: ModelDigest = ModelDigest::new([1; 32]);

fn template(raw: &[f32]) -> Template {
    Template::mean(MODEL, [&Embedding::from_raw(raw).expect("has a direction")]).expect("has a mean")
}

fn random_raw(random: &mut StdRng, dimension: usize) -> Vec<f32> {
    (0..dimension).map(|_| random.random_range(-1.0_f32..1.0)).collect()
}

/// A direction whose cosine to a unit vector is near `similarity`.
fn near(random: &mut StdRng, to: &[f32], similarity: f32) -> Vec<f32> {
    let other = random_raw(random, to.len());
    let along: f32 = other.iter().zip(to).map(|(a, b)| a * b).sum();
    let across: Vec<f32> = other.iter().zip(to).map(|(a, b)| a - along * b).collect();
    let length = across.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
    let sine = (1.0 - similarity * similarity).max(0.0).sqrt();
    to.iter().zip(&across).map(|(a, b)| similarity * a + sine * b / length).collect()
}

fn naive(templates: &[(TemplateKey, Template)], query: &Template, threshold: f32, max_hits: usize) -> Vec<Hit> {
    let compare = |(key, template): &(TemplateKey, Template)| Hit {
        key: *key,
        similarity: query.direction().similarity(template.direction()).expect("one dimension"),
    };
    let mut hits: Vec<Hit> = templates.iter().map(compare).filter(|hit| hit.similarity >= threshold).collect();
    hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.key.cmp(&b.key)));
    hits.truncate(max_hits);
    hits
}

fn filled(templates: &[(TemplateKey, Template)], dimension: usize) -> Gallery {
    let mut gallery = Gallery::new(MODEL, dimension, templates.len() + 1).expect("valid");
    for (key, template) in templates {
        gallery.add(*key, template).expect("fits");
    }
    gallery
}

#[test]
fn a_search_finds_exactly_what_a_full_scan_finds() {
    let mut random = StdRng::seed_from_u64(11);
    for dimension in [1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 63, 65, 127, 128, 129, 192, 255, 511, 512, 513] {
        let query = template(&random_raw(&mut random, dimension));
        let unit = query.direction().values().to_vec();
        let threshold = 0.4;
        let mut templates = Vec::new();
        for number in 0..600_u32 {
            let raw = match number % 6 {
                // A hair above or below the threshold, as close as f32 can tell.
                0 | 1 => near(&mut random, &unit, threshold + (number % 7) as f32 * 1e-7 - 3e-7),
                2 => {
                    let similarity = random.random_range(0.35..0.45);
                    near(&mut random, &unit, similarity)
                }
                // One large number makes the steps of the others coarse.
                3 => {
                    let mut raw = random_raw(&mut random, dimension);
                    raw[number as usize % dimension] = 40.0;
                    raw
                }
                // The same again under another key.
                4 => templates
                    .last()
                    .map_or_else(|| unit.clone(), |(_, last): &(_, Template)| last.direction().values().to_vec()),
                _ => random_raw(&mut random, dimension),
            };
            let key = TemplateKey(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            templates.push((key, template(&raw)));
        }
        let gallery = filled(&templates, dimension);
        let exact_hit = naive(&templates, &query, -1.0, 300)[200].similarity;
        let beside = [exact_hit.next_up(), exact_hit.next_down()].map(|similarity| similarity.clamp(-1.0, 1.0));
        for threshold in [threshold, exact_hit, beside[0], beside[1], -1.0, 0.0, 0.9, 1.0] {
            for max_hits in [1, 2, 7, 1000] {
                let found = gallery.search(&query, threshold, max_hits).expect("valid");
                let expected = naive(&templates, &query, threshold, max_hits);
                assert_eq!(found, expected, "[{dimension}] at {threshold}, at most {max_hits}");
            }
        }
    }
}

#[test]
fn what_was_removed_is_not_found_and_the_rest_is() {
    let mut random = StdRng::seed_from_u64(5);
    let mut templates: Vec<(TemplateKey, Template)> =
        (0..200).map(|key| (TemplateKey(key), template(&random_raw(&mut random, 37)))).collect();
    let mut gallery = filled(&templates, 37);
    while !templates.is_empty() {
        let (key, removed) = templates.swap_remove(random.random_range(0..templates.len()));
        assert!(gallery.remove(key) && !gallery.contains(key) && !gallery.remove(key));
        assert!(gallery.search(&removed, 0.999, 5).expect("valid").is_empty());
        if let Some((changed, template_now)) = templates.first_mut() {
            *template_now = template(&random_raw(&mut random, 37));
            gallery.replace(*changed, template_now).expect("is there");
        }
        let found = gallery.search(&removed, -1.0, 1000).expect("valid");
        assert_eq!(found, naive(&templates, &removed, -1.0, 1000));
        assert_eq!(gallery.len(), templates.len());
    }
    assert!(gallery.is_empty() && gallery.codes.is_empty() && gallery.vectors.is_empty());
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut gallery = Gallery::new(MODEL, 2, 1).expect("valid");
    let a = template(&[1.0, 0.0]);
    let foreign = Template::mean(ModelDigest::new([2; 32]), [a.direction()]).expect("mean");
    gallery.add(TemplateKey(1), &a).expect("fits");
    assert!(matches!(gallery.add(TemplateKey(1), &a), Err(IdentityError::KeyTaken)));
    assert!(matches!(gallery.add(TemplateKey(2), &a), Err(IdentityError::Full { max_templates: 1 })));
    assert!(matches!(gallery.replace(TemplateKey(2), &a), Err(IdentityError::KeyUnknown)));
    assert!(matches!(gallery.replace(TemplateKey(1), &foreign), Err(IdentityError::OtherModel { .. })));
    assert!(matches!(gallery.search(&foreign, 0.5, 1), Err(IdentityError::OtherModel { .. })));
    let longer = template(&[1.0, 0.0, 0.0]);
    assert!(matches!(gallery.search(&longer, 0.5, 1), Err(IdentityError::Dimension { expected: 2, found: 3 })));
    for threshold in [f32::NAN, 1.1, -1.1, f32::INFINITY] {
        assert!(matches!(gallery.search(&a, threshold, 1), Err(IdentityError::Invalid { .. })));
    }
    assert!(matches!(gallery.search(&a, 0.5, 0), Err(IdentityError::Invalid { .. })));
    assert!(Gallery::new(MODEL, 0, 1).is_err() && Gallery::new(MODEL, 4097, 1).is_err());
    assert!(Gallery::new(MODEL, 2, 0).is_err());
    assert_eq!(gallery.search(&a, 0.5, 9).expect("valid").len(), 1);
}

#[test]
fn nothing_of_a_vector_is_printed() {
    let mut gallery = Gallery::new(MODEL, 2, 4).expect("valid");
    gallery.add(TemplateKey(1), &template(&[0.6, 0.8])).expect("fits");
    assert_eq!(format!("{gallery:?}"), "Gallery(1 of [2])");
}
