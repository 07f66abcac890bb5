//! How well two backgrounds agree: the features that look alike and lie where one move of the camera puts them.

use super::code::{MAX_CODE_DISTANCE, are_near};
use super::{MAX_FEATURES, SceneDescriptor, ScenePlace, WORK_SIDE_PX};

/// Pairs of features that are looked at, the most alike first.
const MAX_MATCHES: usize = 128;
/// Pairs without which there is no agreement.
const MIN_MATCHED: usize = 3;
/// How far a feature may lie from where a single pair puts it, and then from where all of them do, in longer sides.
const LOOSE: f64 = 0.06;
const CLOSER: f64 = 0.042;
const TIGHT: f64 = 0.025;
/// How far sizes may disagree with the move, as a natural logarithm of their ratio.
const MAX_SIZE_GAP: f64 = 0.45;
/// Pairs from which the move may shear and stretch, instead of only zoom.
const MIN_FOR_AFFINE: usize = 6;
/// Pull of the zoom towards that of the sizes, and of shear and stretch towards none, in longer sides: few pairs close to each
/// other say little about either.
const ZOOM_PRIOR: f64 = 0.05;
const SHAPE_PRIOR: f64 = 0.02;
/// Most that one picture may be larger than the other.
const MAX_ZOOM: f64 = 3.3;
/// Distance of two features of one picture within which they are one place, in longer sides.
const SAME_PLACE: f64 = 0.012;
/// What a pair of features counts for, by how alike they look: from 5 steps to 57.
const LEAST_STEPS: u32 = 5;
/// Steps of all pairs that make a score of 1.
const FULL_STEPS: f64 = 1_280.0;

/// How well two backgrounds agree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SceneSimilarity {
    /// 0..=1: how many features agree and how much alike they look; 0 = no more than chance.
    pub score: f32,
    /// Features that agree, each counted once.
    pub n_matched: u16,
    /// Whether one of the pictures is mirrored.
    pub is_mirrored: bool,
}

/// Two features that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeatureMatch {
    /// Bits in which their codes differ.
    pub(crate) distance: u32,
    /// Place in the first descriptor's list.
    pub(crate) first: u16,
    /// Place in the second one's.
    pub(crate) second: u16,
}

impl FeatureMatch {
    /// What it counts for, in steps.
    const fn steps(self) -> u32 {
        MAX_CODE_DISTANCE.saturating_sub(self.distance) + LEAST_STEPS
    }
}

/// The most that features that look alike could score, if all of them agreed: no more than the closest of each feature, of
/// whichever picture allows less. `matches` are in the order of the first picture's features.
pub(crate) fn best_score(matches: &[FeatureMatch]) -> f32 {
    let closest = matches.chunk_by(|a, b| a.first == b.first).filter_map(|of_feature| of_feature.iter().min());
    let of_first: u32 = closest.map(|found| found.steps()).sum();
    let mut of_second = [0_u32; MAX_FEATURES];
    for found in matches {
        if let Some(most) = of_second.get_mut(usize::from(found.second)) {
            *most = (*most).max(found.steps());
        }
    }
    score_of(of_first.min(of_second.iter().sum())).next_up()
}

#[expect(clippy::cast_possible_truncation, reason = "a number of 0..=1")]
fn score_of(steps: u32) -> f32 {
    (f64::from(steps) / FULL_STEPS).min(1.0) as f32
}

/// Compares two backgrounds, as they are and one of them mirrored; the better agreement counts.
#[must_use]
pub fn compare(first: &SceneDescriptor, second: &SceneDescriptor) -> SceneSimilarity {
    let agree = |first: &SceneDescriptor| agreement(&first.places(), &second.places(), matches(first, second));
    agree(first).or_mirrored(agree(&first.mirrored()))
}

impl SceneSimilarity {
    /// The better of this and an agreement of mirrored pictures.
    #[must_use]
    pub(crate) fn or_mirrored(self, mirrored: Self) -> Self {
        if mirrored.score > self.score { Self { is_mirrored: true, ..mirrored } } else { self }
    }
}

/// All pairs of features that look alike.
fn matches(first: &SceneDescriptor, second: &SceneDescriptor) -> Vec<FeatureMatch> {
    let words: Vec<u16> = second.features.iter().map(|feature| feature.code.word()).collect();
    let mut matches = Vec::new();
    for (a, feature) in (0_u16..).zip(&first.features) {
        let word = feature.code.word();
        for ((b, other), other_word) in (0_u16..).zip(&second.features).zip(&words) {
            let is_near = are_near(word, *other_word);
            if let Some(distance) = is_near.then(|| feature.code.match_distance(&other.code)).flatten() {
                matches.push(FeatureMatch { distance, first: a, second: b });
            }
        }
    }
    matches
}

/// How well the pairs of features that look alike agree on one move of the camera. The order of the pairs does not matter.
pub(crate) fn agreement(
    first: &[ScenePlace],
    second: &[ScenePlace],
    mut matches: Vec<FeatureMatch>,
) -> SceneSimilarity {
    matches.sort_unstable();
    matches.truncate(MAX_MATCHES);
    let pairs: Vec<Pair> = matches.iter().filter_map(|found| Pair::new(first, second, *found)).collect();
    if pairs.len() < MIN_MATCHED {
        return SceneSimilarity::default();
    }
    let Some(mut chosen) = best_start(&pairs) else { return SceneSimilarity::default() };
    for (round, tolerance) in [CLOSER, TIGHT, TIGHT].into_iter().enumerate() {
        let Some(moved) = Move::fit(&chosen, round > 0) else { return SceneSimilarity::default() };
        chosen = pairs.iter().filter(|pair| moved.explains(pair, tolerance)).copied().collect();
    }
    let (n_matched, steps) = counted_once(&chosen);
    if usize::from(n_matched) < MIN_MATCHED {
        return SceneSimilarity::default();
    }
    let score = score_of(steps);
    SceneSimilarity { score, n_matched, is_mirrored: false }
}

/// Two features that look alike, in longer sides of their pictures.
#[derive(Clone, Copy)]
struct Pair {
    from: [f64; 2],
    to: [f64; 2],
    /// Natural logarithm of the second one's size over the first one's.
    zoom: f64,
    steps: u32,
    features: (u16, u16),
}

impl Pair {
    fn new(first: &[ScenePlace], second: &[ScenePlace], found: FeatureMatch) -> Option<Self> {
        let (a, b) = (first.get(usize::from(found.first))?, second.get(usize::from(found.second))?);
        let place = |place: &ScenePlace| [place.x, place.y].map(|at| f64::from(at) / f64::from(WORK_SIDE_PX));
        Some(Self {
            from: place(a),
            to: place(b),
            zoom: f64::from(b.sigma / a.sigma).ln(),
            steps: found.steps(),
            features: (found.first, found.second),
        })
    }
}

/// The pairs that agree with the one that most, by weight, agree with.
///
/// Every pair is held against every other, which is most of what a comparison costs: the numbers lie one kind beside the other,
/// and weights are counted in whole steps, so that the compiler can take several pairs at a time and gets the same sum anyhow.
fn best_start(pairs: &[Pair]) -> Option<Vec<Pair>> {
    let column = |of: fn(&Pair) -> f32| pairs.iter().map(of).collect::<Vec<f32>>();
    let columns = Columns {
        from_x: column(|pair| short(pair.from[0])),
        from_y: column(|pair| short(pair.from[1])),
        to_x: column(|pair| short(pair.to[0])),
        to_y: column(|pair| short(pair.to[1])),
        zoom: column(|pair| short(pair.zoom)),
        steps: pairs.iter().map(|pair| pair.steps).collect(),
    };
    let mut best: Option<(u32, &Pair)> = None;
    for pair in pairs {
        let steps = columns.steps_near(pair);
        if best.is_none_or(|(most, _)| steps > most) {
            best = Some((steps, pair));
        }
    }
    let (_, start) = best?;
    let near = Near::of(start);
    Some(pairs.iter().filter(|other| near.holds(other)).copied().collect())
}

/// Places and sizes in longer sides and logarithms: single precision is ten thousand times finer than what is told apart.
#[expect(clippy::cast_possible_truncation, reason = "rounded on purpose")]
const fn short(value: f64) -> f32 {
    value as f32
}

/// The numbers of pairs, each kind in a row.
struct Columns {
    from_x: Vec<f32>,
    from_y: Vec<f32>,
    to_x: Vec<f32>,
    to_y: Vec<f32>,
    zoom: Vec<f32>,
    steps: Vec<u32>,
}

impl Columns {
    /// Steps of weight of all pairs that agree with one.
    fn steps_near(&self, pair: &Pair) -> u32 {
        let near = Near::of(pair);
        let places = self.from_x.iter().zip(&self.from_y).zip(self.to_x.iter().zip(&self.to_y));
        let weighed = places.zip(self.zoom.iter().zip(&self.steps));
        weighed
            .map(
                |(((from_x, from_y), (to_x, to_y)), (zoom, steps))| {
                    if near.agrees([*from_x, *from_y], [*to_x, *to_y], *zoom) { *steps } else { 0 }
                },
            )
            .sum()
    }
}

/// Where one pair alone puts the others.
struct Near {
    /// How many times larger the second picture is, by the sizes of the pair.
    factor: f32,
    /// Where the first picture's corner lies in the second.
    offset: [f32; 2],
    zoom: f32,
}

impl Near {
    fn of(pair: &Pair) -> Self {
        let factor = short(pair.zoom.clamp(-1.0, 1.0).exp());
        let offset = [0, 1].map(|axis| short(pair.to[axis]) - factor * short(pair.from[axis]));
        Self { factor, offset, zoom: short(pair.zoom) }
    }

    fn agrees(&self, from: [f32; 2], to: [f32; 2], zoom: f32) -> bool {
        let off = |axis: usize| to[axis] - self.offset[axis] - self.factor * from[axis];
        let (x, y) = (off(0), off(1));
        ((zoom - self.zoom).abs() < short(MAX_SIZE_GAP)) & (x * x + y * y <= short(LOOSE * LOOSE))
    }

    fn holds(&self, other: &Pair) -> bool {
        self.agrees(other.from.map(short), other.to.map(short), short(other.zoom))
    }
}

/// A move of the camera: `to = shape (from - middle_from) + middle_to`.
struct Move {
    shape: [[f64; 2]; 2],
    middle_from: [f64; 2],
    middle_to: [f64; 2],
    zoom: f64,
}

impl Move {
    /// The move that fits pairs best, in least squares; with enough of them it may shear and stretch.
    fn fit(pairs: &[Pair], may_shear: bool) -> Option<Self> {
        if pairs.len() < MIN_MATCHED {
            return None;
        }
        let n = pairs.len() as f64;
        let middle = |of: fn(&Pair) -> [f64; 2]| {
            let sum = pairs.iter().map(of).fold([0.0; 2], |sum, place| [sum[0] + place[0], sum[1] + place[1]]);
            sum.map(|total| total / n)
        };
        let (middle_from, middle_to) = (middle(|pair| pair.from), middle(|pair| pair.to));
        // Products of places after the move and before, and of places before with themselves.
        let (mut across, mut within) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
        for pair in pairs {
            let from = [pair.from[0] - middle_from[0], pair.from[1] - middle_from[1]];
            let to = [pair.to[0] - middle_to[0], pair.to[1] - middle_to[1]];
            for row in 0..2 {
                for column in 0..2 {
                    across[row][column] += to[row] * from[column];
                    within[row][column] += from[row] * from[column];
                }
            }
        }
        let of_sizes = pairs.iter().map(|pair| pair.zoom.clamp(-1.0, 1.0).exp()).sum::<f64>() / n;
        let (trace, spread) = (across[0][0] + across[1][1], within[0][0] + within[1][1]);
        let n_distinct = pairs.iter().map(|pair| pair.features.0).collect::<std::collections::BTreeSet<_>>().len();
        let shape = if may_shear && n_distinct >= MIN_FOR_AFFINE {
            let prior = 3.0 * SHAPE_PRIOR * SHAPE_PRIOR;
            let zoom = trace / spread.max(f64::EPSILON);
            let pulled =
                |row: usize, column: usize| across[row][column] + if row == column { prior * zoom } else { 0.0 };
            times_inverse(
                [[pulled(0, 0), pulled(0, 1)], [pulled(1, 0), pulled(1, 1)]],
                [[within[0][0] + prior, within[0][1]], [within[1][0], within[1][1] + prior]],
            )?
        } else {
            let prior = 2.0 * ZOOM_PRIOR * ZOOM_PRIOR;
            let zoom = (trace + of_sizes * prior) / (spread + prior);
            [[zoom, 0.0], [0.0, zoom]]
        };
        let zoom = determinant(shape).abs().sqrt();
        // A move that turns the picture over is a mirror, which is tried on its own.
        let is_sane = determinant(shape) > 0.0 && (1.0 / MAX_ZOOM..=MAX_ZOOM).contains(&zoom);
        is_sane.then(|| Self { shape, middle_from, middle_to, zoom: zoom.ln() })
    }

    fn explains(&self, pair: &Pair, tolerance: f64) -> bool {
        let from = [pair.from[0] - self.middle_from[0], pair.from[1] - self.middle_from[1]];
        let off = |axis: usize| {
            let [x, y] = self.shape[axis];
            pair.to[axis] - self.middle_to[axis] - x * from[0] - y * from[1]
        };
        off(0).hypot(off(1)) <= tolerance && (pair.zoom - self.zoom).abs() < MAX_SIZE_GAP
    }
}

fn determinant([[a, b], [c, d]]: [[f64; 2]; 2]) -> f64 {
    a * d - b * c
}

/// A matrix times the inverse of another; `None` when there is none.
fn times_inverse(left: [[f64; 2]; 2], right: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let scale = determinant(right);
    let [[a, b], [c, d]] = right;
    let product = left.map(|[x, y]| [(x * d - y * c) / scale, (y * a - x * b) / scale]);
    product.iter().flatten().all(|value| value.is_finite()).then_some(product)
}

/// How many pairs there are, and their steps, when every feature and every place counts once; the most alike come first.
fn counted_once(pairs: &[Pair]) -> (u16, u32) {
    let mut counted: Vec<&Pair> = Vec::new();
    let is_same_place = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < SAME_PLACE;
    for pair in pairs {
        let is_new = counted.iter().all(|other| {
            pair.features.0 != other.features.0
                && pair.features.1 != other.features.1
                && !is_same_place(pair.from, other.from)
                && !is_same_place(pair.to, other.to)
        });
        if is_new {
            counted.push(pair);
        }
    }
    (u16::try_from(counted.len()).unwrap_or(u16::MAX), counted.iter().map(|pair| pair.steps).sum())
}
