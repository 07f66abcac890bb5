//! Splits of people into enrolled and never enrolled, and the searches among them.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::eval::calibrate::tail_of;
use crate::eval::error::EvalError;
use crate::identity::{
    FalseMatches, Gallery, IdentityError, ModelDigest, SearchCalibration, SearchPolicy, Template, TemplateKey,
};
use crate::scoring::Calibration;
use crate::vision::Embedding;

/// Candidates that a search gives.
const MAX_CANDIDATES: usize = 5;
/// False matches a search that are wished for.
const WISHED: [f64; 6] = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003];

/// What a person is enrolled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enrolment {
    /// One other picture.
    OnePicture,
    /// The mean of all other pictures.
    AllOthers,
}

/// Everybody with a picture, and their vectors.
pub(super) struct People<'a> {
    model: ModelDigest,
    people: Vec<(&'a str, Vec<(&'a str, &'a Embedding)>)>,
}

/// The first candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Top {
    pub(super) person: usize,
    pub(super) similarity: f32,
}

/// One search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Search<'a> {
    /// Who is searched for.
    pub(super) person: usize,
    /// With which picture.
    pub(super) path: &'a str,
    /// Whether that person is enrolled.
    pub(super) is_mated: bool,
    /// At which place the person was found, from 1; `None` beyond the candidates.
    pub(super) rank: Option<usize>,
    /// The first candidate.
    pub(super) top: Option<Top>,
}

/// The searches of one split.
#[derive(Clone, Debug)]
pub(super) struct Round<'a> {
    pub(super) searches: Vec<Search<'a>>,
    pub(super) n_enrolled: usize,
}

/// False matches that were wished for and those that were seen.
#[derive(Clone, Debug)]
pub(super) struct Wished {
    pub(super) wished: f64,
    /// What the threshold was said to cost, of the first split.
    pub(super) told: FalseMatches,
    /// Cosine, of the first split.
    pub(super) similarity: f32,
    pub(super) n_enrolled: usize,
    /// False matches of every search, with its person.
    pub(super) seen: Vec<(usize, f64)>,
}

/// The same for the calibration that ships and for one fitted on people who take no part.
#[derive(Clone, Debug)]
pub(super) struct WishedAndSeen {
    pub(super) shipped: Vec<Wished>,
    pub(super) held_out: Vec<Wished>,
}

impl<'a> People<'a> {
    /// Everybody by name.
    pub(super) fn new(
        model: ModelDigest,
        by_person: BTreeMap<&'a str, Vec<(&'a str, &'a Embedding)>>,
    ) -> Result<Self, EvalError> {
        let n_searchable = by_person.values().filter(|pictures| pictures.len() > 1).count();
        if n_searchable < 4 || by_person.len() < 8 {
            return Err(EvalError::TooFew {
                problem: format!(
                    "{n_searchable} of {} people have two pictures that show a face; at least 4 of 8 are wanted: add \
                     pictures of the same people and of others",
                    by_person.len()
                ),
            });
        }
        Ok(Self { model, people: by_person.into_iter().collect() })
    }

    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.people.len()
    }

    /// Those with two pictures or more.
    pub(super) fn n_searchable(&self) -> usize {
        self.people.iter().filter(|(_, pictures)| pictures.len() > 1).count()
    }

    /// Who that is.
    pub(super) fn name(&self, person: usize) -> &'a str {
        self.people.get(person).map_or("", |(name, _)| name)
    }

    fn pictures(&self, person: usize) -> &[(&'a str, &'a Embedding)] {
        self.people.get(person).map_or(&[], |(_, pictures)| pictures)
    }

    /// One half enrolled, and a search with one picture of everybody who has one that is not: mated for the enrolled.
    pub(super) fn round(&self, seed: u64, enrolment: Enrolment) -> Result<Round<'a>, EvalError> {
        let mut random = StdRng::seed_from_u64(seed);
        let order = self.shuffled(&mut random);
        let (enrolled, never) = order.split_at(order.len() / 2);
        let mut gallery = self.gallery(enrolled.len())?;
        let mut queries = Vec::new();
        for &person in enrolled {
            let mut pictures = self.pictures(person).to_vec();
            pictures.shuffle(&mut random);
            if pictures.len() > 1 {
                queries.extend(pictures.pop().map(|picture| (person, picture, true)));
            }
            if enrolment == Enrolment::OnePicture {
                pictures.truncate(1);
            }
            let template = Template::mean(self.model, pictures.iter().map(|(_, embedding)| *embedding))?;
            gallery.add(TemplateKey(person as u64), &template)?;
        }
        for &person in never {
            queries.extend(self.any_picture(person, &mut random).map(|picture| (person, picture, false)));
        }
        let mut searches = Vec::with_capacity(queries.len());
        for (person, (path, embedding), is_mated) in queries {
            let query = Template::mean(self.model, [embedding])?;
            let hits = gallery.search(&query, -1.0, MAX_CANDIDATES)?;
            let of_hit = |key: TemplateKey| usize::try_from(key.0).unwrap_or(usize::MAX);
            let place = hits.iter().position(|hit| of_hit(hit.key) == person);
            let top = hits.first().map(|hit| Top { person: of_hit(hit.key), similarity: hit.similarity });
            searches.push(Search { person, path, is_mated, rank: place.map(|place| place + 1), top });
        }
        Ok(Round { searches, n_enrolled: gallery.len() })
    }

    /// False matches of a search with a picture of each of `never` among all pictures' means of `enrolled`.
    fn false_matches(
        &self,
        (enrolled, never): (&[usize], &[usize]),
        random: &mut StdRng,
        thresholds: &[f32],
    ) -> Result<Vec<Vec<(usize, f64)>>, EvalError> {
        let mut gallery = self.gallery(enrolled.len())?;
        for &person in enrolled {
            let template = Template::mean(self.model, self.pictures(person).iter().map(|(_, embedding)| *embedding))?;
            gallery.add(TemplateKey(person as u64), &template)?;
        }
        let least = thresholds.iter().copied().fold(1.0, f32::min);
        let mut seen = vec![Vec::new(); thresholds.len()];
        for &person in never {
            let Some((_, embedding)) = self.any_picture(person, random) else { continue };
            let hits = gallery.search(&Template::mean(self.model, [embedding])?, least, enrolled.len())?;
            for (seen, threshold) in seen.iter_mut().zip(thresholds) {
                seen.push((person, hits.iter().filter(|hit| hit.similarity >= *threshold).count() as f64));
            }
        }
        Ok(seen)
    }

    fn any_picture(&self, person: usize, random: &mut StdRng) -> Option<(&'a str, &'a Embedding)> {
        let pictures = self.pictures(person);
        pictures.get(random.random_range(0..pictures.len().max(1))).copied()
    }

    fn gallery(&self, n: usize) -> Result<Gallery, IdentityError> {
        let dimension = self.people.iter().find_map(|(_, pictures)| Some(pictures.first()?.1.values().len()));
        Gallery::new(self.model, dimension.unwrap_or(0), n)
    }

    fn shuffled(&self, random: &mut StdRng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(random);
        order
    }
}

/// False matches wished for and seen, of the calibration that ships and of one that half of the people were fitted on, a
/// quarter enrolled and a quarter searched for. What a calibration refuses is left out.
pub(super) fn wished_and_seen(
    people: &People<'_>,
    shipped: &SearchCalibration,
    line: &Calibration,
    n_splits: u64,
) -> Result<WishedAndSeen, EvalError> {
    let (mut with_shipped, mut with_held_out) = (Vec::new(), Vec::new());
    for seed in 0..n_splits {
        let mut random = StdRng::seed_from_u64(seed);
        let order = people.shuffled(&mut random);
        let halves = order.split_at(order.len() / 2);
        note(&mut with_shipped, people, (halves, &mut random), shipped)?;
        let fitted_on: Vec<Vec<&Embedding>> = halves
            .0
            .iter()
            .map(|person| people.pictures(*person).iter().map(|(_, vector)| *vector).collect())
            .collect();
        let tail = tail_of(&fitted_on, "half of the people")?;
        let search = SearchPolicy { tail, model: people.model.to_string(), ..SearchPolicy::shipped() };
        let quarters = halves.1.split_at(halves.1.len() / 2);
        note(&mut with_held_out, people, (quarters, &mut random), &SearchCalibration::new(search, line)?)?;
    }
    Ok(WishedAndSeen { shipped: with_shipped, held_out: with_held_out })
}

/// Adds one split's searches at the thresholds of a calibration.
fn note(
    found: &mut Vec<Wished>,
    people: &People<'_>,
    (split, random): ((&[usize], &[usize]), &mut StdRng),
    calibration: &SearchCalibration,
) -> Result<(), EvalError> {
    let n_enrolled = split.0.len();
    let thresholds: Vec<_> =
        WISHED.iter().filter_map(|wished| Some((*wished, calibration.threshold(n_enrolled, *wished).ok()?))).collect();
    let similarities: Vec<f32> = thresholds.iter().map(|(_, threshold)| threshold.similarity).collect();
    let seen = people.false_matches(split, random, &similarities)?;
    for ((wished, threshold), seen) in thresholds.into_iter().zip(seen) {
        match found.iter_mut().find(|row| row.wished.to_bits() == wished.to_bits()) {
            Some(row) => row.seen.extend(seen),
            None => found.push(Wished {
                wished,
                told: threshold.false_matches,
                similarity: threshold.similarity,
                n_enrolled,
                seen,
            }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Enrolment, People};
    use crate::identity::ModelDigest;
    use crate::vision::Embedding;

    /// Twelve people on axes of their own, three pictures each; no picture is the mean of the other two.
    fn pictures() -> Vec<(String, Vec<(String, Embedding)>)> {
        let vector = |person: usize, wobble: f32| {
            let mut raw = [0.0; 24];
            raw[person] = 1.0;
            raw[12 + person] = wobble;
            Embedding::from_raw(&raw).expect("has a direction")
        };
        (0..12)
            .map(|person| {
                let of =
                    (0..3_u8).map(|n| (format!("{person}/{n}.jpg"), vector(person, 0.1 * f32::from(n * n)))).collect();
                (format!("person {person:02}"), of)
            })
            .collect()
    }

    #[test]
    fn the_enrolled_are_found_and_strangers_are_nobody() {
        let pictures = pictures();
        let by_person: BTreeMap<&str, Vec<(&str, &Embedding)>> = pictures
            .iter()
            .map(|(name, of)| (name.as_str(), of.iter().map(|(path, vector)| (path.as_str(), vector)).collect()))
            .collect();
        let people = People::new(ModelDigest::new([3; 32]), by_person).expect("enough");
        for enrolment in [Enrolment::OnePicture, Enrolment::AllOthers] {
            let round = people.round(5, enrolment).expect("searches");
            let (mated, others): (Vec<_>, Vec<_>) = round.searches.iter().partition(|search| search.is_mated);
            assert_eq!((round.n_enrolled, mated.len(), others.len()), (6, 6, 6));
            for search in mated {
                let top = search.top.expect("a candidate");
                assert!(search.rank == Some(1) && top.person == search.person && top.similarity > 0.9, "{search:?}");
                assert!(top.similarity < 0.9999, "the picture itself is not enrolled");
            }
            assert!(others.iter().all(|search| search.rank.is_none() && search.top.expect("one").similarity < 0.1));
        }
        assert_ne!(
            people.round(1, Enrolment::OnePicture).expect("searches").searches,
            people.round(2, Enrolment::OnePicture).expect("searches").searches
        );
    }

    #[test]
    fn people_with_one_picture_each_are_too_few() {
        let pictures = pictures();
        let one = pictures.iter().map(|(name, of)| (name.as_str(), vec![(of[0].0.as_str(), &of[0].1)])).collect();
        assert!(People::new(ModelDigest::new([3; 32]), one).is_err());
    }
}
