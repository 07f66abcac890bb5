//! Identity: the same person through the session, and the person of the reference image.
//!
//! Every embedding is compared with the persons seen so far. One that matches nobody, and is confirmed by the next, becomes a
//! new person: persons are never merged silently, and the moment of change is kept and raises an alarm. A face that holds still in identity says little
//! for authenticity (a live swap does so too); one that changes says much against it.

use crate::media::MediaTime;
use crate::vision::{Embedding, EmbeddingSum};

use super::blocks::{Block, BlockSeries};
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// Cosine from which two embeddings are taken for one person: FMR 1e-4 on LFW (1,244 people; .412).
const SAME_SIMILARITY: f32 = 0.41;
/// Cosine to a template below which an embedding is taken for a stranger's. Within fifteen recordings of one person each
/// none is below .42; templates of their people are at most .35 alike.
const DIFFERENT_SIMILARITY: f32 = 0.36;
/// Cosine that two strangers' embeddings in a row must have to be one new person.
const NEW_PERSON_SIMILARITY: f32 = 0.5;
/// How long a stranger must have been seen: a hand before the face is gone by then.
const CONFIRM_SECS: f64 = 0.8;
/// Cosine to a template from which a stranger looks so much like that person that it takes longer.
const ALIKE_SIMILARITY: f32 = 0.28;
/// How long then.
const CONFIRM_ALIKE_SECS: f64 = 1.8;
/// Embeddings from which a person counts as known: who was seen less, at the very start, may have been a bad picture.
const MIN_KNOWN_EMBEDDINGS: u32 = 3;
/// Face height below which an embedding is not taken.
const MIN_FACE_PX: f32 = 48.0;
/// Yaw beyond which an embedding is not taken.
const MAX_YAW_DEG: f32 = 35.0;
/// Sharpness below which an embedding is not taken.
const MIN_SHARPNESS: f32 = 6.0;
/// Share of the face that may lie outside the frame.
const MAX_OUTSIDE_RATIO: f32 = 0.1;
/// Mean luma within which an embedding is taken.
const EXPOSURE: std::ops::RangeInclusive<f32> = 0.08..=0.95;
/// Persons kept apart; later ones count as the last.
const MAX_PERSONS: usize = 8;
/// Changes kept with their time.
const MAX_CHANGES: usize = 32;
/// Embeddings averaged into a template before it stops moving.
const MAX_TEMPLATE_EMBEDDINGS: u32 = 64;
/// Consecutive blocks over which the worst similarity is taken: one bad frame is no stranger.
const SUSTAINED_BLOCKS: usize = 3;
/// Blocks needed before anything is said.
const MIN_BLOCKS: u32 = 2;
/// Blocks after which one more hardly moves the mean.
const SETTLED_BLOCKS: usize = 5;
/// Least standard error of a similarity: pose and light alone move it by so much.
const MIN_STANDARD_ERROR: f64 = 0.03;

/// Similarity of each embedding to the person that the session began with.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    reference: Option<Embedding>,
    persons: Vec<Person>,
    stranger: Option<Stranger>,
    similarities: BlockSeries,
    changes: Vec<Change>,
    current_person: usize,
}

#[derive(Clone, Debug)]
struct Person {
    /// Compared with; stops moving.
    template: Embedding,
    n_embeddings: u32,
    /// Every vector that was taken for this person's.
    all: EmbeddingSum,
}

impl Person {
    /// Of one vector.
    fn new(embedding: &Embedding) -> Self {
        let mut all = EmbeddingSum::default();
        all.add(embedding);
        Self { template: embedding.clone(), n_embeddings: 1, all }
    }
}

/// Who matched nobody and waits for confirmation.
#[derive(Clone, Debug)]
struct Stranger {
    since: MediaTime,
    embedding: Embedding,
    /// The highest cosine to anybody known since then.
    nearest: f32,
}

/// The moment at which another person than before was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// When the other person was first seen.
    pub at: MediaTime,
    /// Cosine between the two persons.
    pub similarity: f32,
}

impl Identity {
    /// Sets the person that the session is compared with.
    pub fn enroll_reference(&mut self, reference: Embedding) {
        self.reference = Some(reference);
    }

    /// Whether a face is good enough for its embedding to count.
    #[must_use]
    pub fn accepts(face: &FaceObservation) -> bool {
        let quality = &face.quality;
        quality.face_height_px >= MIN_FACE_PX
            && quality.sharpness >= MIN_SHARPNESS
            && quality.outside_ratio <= MAX_OUTSIDE_RATIO
            && EXPOSURE.contains(&quality.exposure)
            && face.pose.is_none_or(|pose| pose.yaw_deg.abs() <= MAX_YAW_DEG)
    }

    /// Persons told apart so far.
    #[must_use]
    pub fn n_persons(&self) -> usize {
        self.persons.len()
    }

    /// The persons told apart so far in the order in which they were met, each as the sum of all vectors that were taken for
    /// theirs; what was taken for nobody's is in none of them.
    pub fn persons(&self) -> impl Iterator<Item = &EmbeddingSum> {
        self.persons.iter().map(|person| &person.all)
    }

    /// Moments at which the person changed, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether a cosine between an embedding and a person's template says that it is somebody else's.
    #[must_use]
    pub fn tells_apart(similarity: f64) -> bool {
        similarity < f64::from(DIFFERENT_SIMILARITY)
    }

    /// Whether an embedding that matched nobody waits for a second opinion.
    #[must_use]
    pub const fn wants_confirmation(&self) -> bool {
        self.stranger.is_some()
    }

    /// Whether the person has been compared for long enough that one more comparison hardly moves the mean.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.similarities.n_blocks() >= SETTLED_BLOCKS
    }

    /// The template of the person that the session began with.
    #[must_use]
    pub fn template(&self) -> Option<&Embedding> {
        self.persons.first().map(|person| &person.template)
    }

    fn take(&mut self, at: MediaTime, embedding: &Embedding) {
        let Some(first) = self.persons.first() else {
            self.persons.push(Person::new(embedding));
            return;
        };
        let Some(similarity_to_first) = first.template.similarity(embedding) else { return };
        self.similarities.push(at, f64::from(similarity_to_first));
        let best = self
            .persons
            .iter()
            .enumerate()
            .filter_map(|(who, person)| Some((who, person.template.similarity(embedding)?)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((who, similarity)) = best else { return };
        if similarity >= SAME_SIMILARITY {
            self.recognise(who, at, embedding);
        } else if Self::tells_apart(f64::from(similarity)) {
            self.suspect(at, embedding, similarity);
        }
    }

    fn recognise(&mut self, who: usize, at: MediaTime, embedding: &Embedding) {
        self.stranger = None;
        if who != self.current_person {
            self.note_change(who, at);
        }
        let Some(person) = self.persons.get_mut(who) else { return };
        person.all.add(embedding);
        if person.n_embeddings < MAX_TEMPLATE_EMBEDDINGS {
            person.n_embeddings += 1;
            if let Some(template) = weighted_mean(&person.template, person.n_embeddings, embedding) {
                person.template = template;
            }
        }
    }

    fn suspect(&mut self, at: MediaTime, embedding: &Embedding, nearest: f32) {
        let seen_before = self.stranger.as_mut().filter(|stranger| {
            stranger.embedding.similarity(embedding).is_some_and(|alike| alike >= NEW_PERSON_SIMILARITY)
        });
        let Some(stranger) = seen_before else {
            self.stranger = Some(Stranger { since: at, embedding: embedding.clone(), nearest });
            return;
        };
        stranger.nearest = stranger.nearest.max(nearest);
        let since = stranger.since;
        let is_alike = stranger.nearest >= ALIKE_SIMILARITY;
        if at.secs_since(since) >= if is_alike { CONFIRM_ALIKE_SECS } else { CONFIRM_SECS } {
            self.meet(since, embedding);
        }
    }

    /// Takes a confirmed stranger for a person, or for the first one when that was hardly seen.
    fn meet(&mut self, since: MediaTime, embedding: &Embedding) {
        let person = Person::new(embedding);
        match self.persons.as_mut_slice() {
            [first] if first.n_embeddings < MIN_KNOWN_EMBEDDINGS => {
                *first = person;
                self.similarities = BlockSeries::default();
                self.stranger = None;
            }
            persons if persons.len() < MAX_PERSONS => {
                self.persons.push(person);
                self.stranger = None;
                self.note_change(self.persons.len() - 1, since);
            }
            _ => {}
        }
    }

    fn note_change(&mut self, to: usize, at: MediaTime) {
        let between = self.persons.get(self.current_person).zip(self.persons.get(to));
        let similarity = between.and_then(|(from, to)| from.template.similarity(&to.template)).unwrap_or(0.0);
        self.current_person = to;
        if self.changes.len() < MAX_CHANGES {
            self.changes.push(Change { at, similarity });
        }
    }

    /// The run of `SUSTAINED_BLOCKS` consecutive blocks with the lowest mean (all blocks when there are fewer), and the
    /// standard error of that mean.
    fn worst_sustained(&self, window: Window) -> Option<(f64, f64)> {
        let means: Vec<f64> = self.similarities.within(window).map(Block::mean).collect();
        let run_length = SUSTAINED_BLOCKS.min(means.len()).max(1);
        means
            .windows(run_length)
            .map(|run| {
                let n = run.len() as f64;
                let mean = run.iter().sum::<f64>() / n;
                let variance = run.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
                (mean, (variance / n).sqrt().max(MIN_STANDARD_ERROR))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

impl Signal for Identity {
    fn name(&self) -> SignalName {
        SignalName::Identity
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        if let Some(face) = candidate
            && let Some(embedding) = &face.embedding
            && Self::accepts(face)
        {
            self.take(observation.media_time, embedding);
        }
    }

    fn measure(&self, window: Window) -> Measurement {
        let blocks = u32::try_from(self.similarities.within(window).count()).unwrap_or(u32::MAX);
        let mut measurement = Measurement {
            signal: SignalName::Identity,
            statistic: None,
            blocks,
            standard_error: None,
            alarm: false,
            usable_ratio: self.similarities.usable_ratio(window),
            reasons: Vec::new(),
        };
        if blocks < MIN_BLOCKS {
            let reason = Reason::new("identity.too_short").with("blocks", blocks).with("blocks_needed", MIN_BLOCKS);
            measurement.reasons.push(reason);
            return measurement;
        }
        let worst = self.worst_sustained(window);
        let mut statistic = worst.map(|(similarity, _)| similarity);
        measurement.standard_error = worst.map(|(_, error)| error);
        if let Some(similarity) = statistic {
            measurement.reasons.push(Reason::new("identity.consistency").with("similarity", similarity));
        }
        let changes: Vec<&Change> = self.changes.iter().filter(|change| window.contains(change.at)).collect();
        measurement.alarm = !changes.is_empty();
        for change in &changes {
            statistic = statistic.map(|worst| worst.min(f64::from(change.similarity)));
            let reason = Reason::new("identity.changed");
            measurement
                .reasons
                .push(reason.with("at_secs", change.at.as_secs_f64()).with("similarity", change.similarity));
        }
        let to_reference = self.reference.as_ref().zip(self.template());
        if let Some(similarity) = to_reference.and_then(|(reference, template)| reference.similarity(template)) {
            statistic = statistic.map(|worst| worst.min(f64::from(similarity)));
            let is_same = similarity >= SAME_SIMILARITY;
            let code = if is_same { "identity.matches_reference" } else { "identity.differs_from_reference" };
            measurement.reasons.push(Reason::new(code).with("similarity", similarity));
        }
        measurement.statistic = statistic;
        measurement
    }
}

/// The template with one more embedding in it: `n_embeddings` counts the new one.
fn weighted_mean(template: &Embedding, n_embeddings: u32, embedding: &Embedding) -> Option<Embedding> {
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    let weight = (n_embeddings - 1) as f32;
    let sum: Vec<f32> = template.values().iter().zip(embedding.values()).map(|(old, new)| old * weight + new).collect();
    Embedding::from_raw(&sum)
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};
    use crate::vision::Embedding;

    use super::{Identity, Signal, Window};

    /// An embedding near axis `person`, turned a little by `wobble`.
    fn embedding(person: usize, wobble: f32) -> Embedding {
        let mut raw = [0.0_f32; 8];
        raw[person] = 1.0;
        raw[(person + 1) % 8] = wobble;
        Embedding::from_raw(&raw).expect("has a direction")
    }

    fn watch(persons: &[usize]) -> Identity {
        watch_at(1.0, persons)
    }

    fn watch_at(hz: f64, persons: &[usize]) -> Identity {
        let mut signal = Identity::default();
        for (number, person) in persons.iter().enumerate() {
            let mut face = face();
            face.embedding = Some(embedding(*person, 0.1 * (number % 3) as f32));
            signal.observe(&frame_at(number as f64 / hz), Some(&face));
        }
        signal
    }

    #[test]
    fn one_person_stays_one_person() {
        let signal = watch(&[0; 20]);
        assert_eq!(signal.n_persons(), 1);
        assert!(signal.changes().is_empty());
        assert!(signal.measure(Window::ALL).statistic.expect("measured") > 0.9);
    }

    #[test]
    fn a_change_is_dated_at_its_first_frame() {
        let signal = watch(&[0, 0, 0, 0, 0, 3, 3, 3]);
        assert_eq!(signal.n_persons(), 2);
        assert_eq!(signal.changes().len(), 1);
        assert!((signal.changes()[0].at.as_secs_f64() - 5.0).abs() < 1e-9);
        let measurement = signal.measure(Window::ALL);
        assert!(measurement.statistic.expect("measured") < 0.2);
        assert!(measurement.reasons.iter().any(|reason| reason.code == "identity.changed"));
    }

    #[test]
    fn every_look_is_counted_for_the_person_whose_it_is_and_for_nobody_else() {
        let signal = watch(&[0, 0, 0, 0, 0, 3, 3, 3, 0, 0]);
        let seen: Vec<_> = signal.persons().map(|sum| (sum.n_embeddings(), sum.values().to_vec())).collect();
        assert_eq!(
            seen.iter().map(|(looks, _)| *looks).collect::<Vec<_>>(),
            [7, 2],
            "the first of the other is doubted"
        );
        assert!(seen[0].1[0] > 6.9 && seen[0].1[3] == 0.0, "{seen:?}");
        assert!(seen[1].1[3] > 1.9 && seen[1].1[0] == 0.0, "{seen:?}");
        let long = watch(&[0; 100]);
        assert_eq!(long.persons().map(crate::vision::EmbeddingSum::n_embeddings).collect::<Vec<_>>(), [100]);
    }

    #[test]
    fn coming_back_is_a_second_change_and_nobody_new() {
        let signal = watch(&[0, 0, 0, 3, 3, 0, 0]);
        assert_eq!(signal.n_persons(), 2);
        assert_eq!(signal.changes().len(), 2);
    }

    #[test]
    fn one_bad_frame_is_no_stranger() {
        let signal = watch(&[0, 0, 0, 5, 0, 0, 0, 0]);
        assert_eq!(signal.n_persons(), 1);
        assert!(signal.changes().is_empty());
        assert!(!signal.measure(Window::ALL).alarm);
    }

    #[test]
    fn a_stranger_must_be_seen_for_some_time_and_not_just_often() {
        let hand_before_the_face = watch_at(5.0, &[0, 0, 0, 0, 0, 5, 5, 5, 5, 0, 0, 0]);
        assert_eq!((hand_before_the_face.n_persons(), hand_before_the_face.changes().len()), (1, 0));
        let stays = watch_at(5.0, &[0, 0, 0, 0, 0, 5, 5, 5, 5, 5]);
        assert_eq!(stays.changes().len(), 1);
        assert!((stays.changes()[0].at.as_secs_f64() - 1.0).abs() < 1e-9, "dated at the first frame");
        assert!(stays.measure(Window::ALL).alarm);
    }

    #[test]
    fn a_stranger_who_looks_alike_takes_longer() {
        let alike = |n_seen: usize| {
            let mut signal = Identity::default();
            for number in 0..10 + n_seen {
                let mut face = face();
                let sibling = Embedding::from_raw(&[0.3, 0.954]).expect("has a direction");
                let first = Embedding::from_raw(&[1.0, 0.0]).expect("has a direction");
                face.embedding = Some(if number < 10 { first } else { sibling });
                signal.observe(&frame_at(number as f64 / 5.0), Some(&face));
            }
            signal.changes().len()
        };
        assert_eq!([alike(5), alike(9), alike(10)], [0, 0, 1], "after 0.8, 1.6 and 1.8 seconds");
    }

    #[test]
    fn a_bad_first_picture_is_nobody() {
        let signal = watch(&[6, 0, 0, 0, 0, 0, 0]);
        assert_eq!((signal.n_persons(), signal.changes().len()), (1, 0));
        let measurement = signal.measure(Window::ALL);
        assert!(!measurement.alarm && measurement.statistic.expect("measured") > 0.9, "{measurement:?}");
    }

    #[test]
    fn another_person_than_the_reference_is_told() {
        let mut signal = watch(&[0; 6]);
        signal.enroll_reference(embedding(4, 0.0));
        let measurement = signal.measure(Window::ALL);
        assert!(measurement.statistic.expect("measured") < 0.2);
        assert!(measurement.reasons.iter().any(|reason| reason.code == "identity.differs_from_reference"));
    }

    #[test]
    fn faces_in_profile_or_too_small_do_not_count() {
        let mut signal = Identity::default();
        for second in 0..9 {
            let mut face = face();
            face.embedding = Some(embedding(second % 8, 0.0));
            face.quality.face_height_px = 20.0;
            signal.observe(&frame_at(second as f64), Some(&face));
        }
        assert_eq!(signal.n_persons(), 0);
        assert_eq!(signal.measure(Window::ALL).statistic, None);
    }

    #[test]
    fn persons_are_bounded() {
        let persons: Vec<usize> = (0..400).map(|second| (second / 2) % 8).collect();
        let signal = watch(&persons);
        assert!(signal.n_persons() <= 8 && signal.changes().len() <= 32);
    }
}
