//! How many people a set of pictures shows, when nobody wrote it down.

use crate::vision::Embedding;

/// Cosine from which two pictures are taken for one person: where false matches and false non-matches of LFW meet is .31;
/// a lower bound joins more pictures, and so counts fewer people.
const SAME_PERSON_SIMILARITY: f32 = 0.36;

/// The person of each picture, counted from 0; `None` where there is no vector.
///
/// Single linkage: a chain of similar pictures is one person. Doubt thus makes fewer people, never more.
pub(super) fn people_among(vectors: &[Option<&Embedding>]) -> Vec<Option<usize>> {
    let mut people: Vec<Option<usize>> = Vec::with_capacity(vectors.len());
    let mut n_people = 0;
    for (index, vector) in vectors.iter().enumerate() {
        let Some(vector) = vector else {
            people.push(None);
            continue;
        };
        let mut alike: Vec<usize> = vectors
            .iter()
            .take(index)
            .zip(&people)
            .filter(|(other, _)| {
                other.and_then(|other| other.similarity(vector)).is_some_and(|alike| alike >= SAME_PERSON_SIMILARITY)
            })
            .filter_map(|(_, person)| *person)
            .collect();
        alike.sort_unstable();
        alike.dedup();
        let Some((&person, merged)) = alike.split_first() else {
            people.push(Some(n_people));
            n_people += 1;
            continue;
        };
        for other in people.iter_mut().flatten() {
            if merged.contains(other) {
                *other = person;
            }
        }
        people.push(Some(person));
    }
    people
}

#[cfg(test)]
mod tests {
    use super::people_among;
    use crate::vision::Embedding;

    fn vector(degrees: f32) -> Embedding {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Embedding::from_raw(&[cos, sin]).expect("has a direction")
    }

    #[test]
    fn chains_are_one_person_and_gaps_divide() {
        let vectors = [0.0, 170.0, 120.0, 60.0].map(vector);
        let borrowed: Vec<Option<&Embedding>> = vectors.iter().map(Some).collect();
        assert_eq!(people_among(&borrowed[..2]), [Some(0), Some(1)]);
        assert_eq!(people_among(&borrowed), [Some(0), Some(0), Some(0), Some(0)], "60 and 120 join the ends");
        assert_eq!(people_among(&[None, borrowed[1]]), [None, Some(0)]);
        assert!(people_among(&[]).is_empty());
    }
}
