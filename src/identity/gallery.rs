//! One tenant's templates in memory, and the exact search among them.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::error::IdentityError;
use super::quantised::{Query, Rounding, quantise, stride};
use super::template::{MAX_DIMENSION, ModelDigest, Template, check_model};

/// Names a template to whoever put it in; means nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateKey(pub u64);

/// A template that is at least as similar as was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which.
    pub key: TemplateKey,
    /// Cosine of the two f32 directions, -1..=1.
    pub similarity: f32,
}

impl Hit {
    /// The most similar first; of equally similar ones the smaller key.
    fn order(&self, other: &Self) -> Ordering {
        other.similarity.total_cmp(&self.similarity).then(self.key.cmp(&other.key))
    }
}

/// A hit by its place in the answer.
#[derive(Clone, Copy, Debug)]
struct Ranked(Hit);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }
}

/// Templates of one model, each under a key.
///
/// # Shapes
/// A template takes `dimension` f32 and as many bytes (up to the next multiple of 32), and some 40 bytes besides.
#[derive(Clone)]
pub struct Gallery {
    model: ModelDigest,
    dimension: usize,
    max_templates: usize,
    slot_of: HashMap<TemplateKey, usize>,
    keys: Vec<TemplateKey>,
    /// `[n_templates, stride]`.
    codes: Vec<i8>,
    roundings: Vec<Rounding>,
    /// `[n_templates, dimension]`.
    vectors: Vec<f32>,
}

impl Gallery {
    /// An empty gallery for templates of one model.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when `dimension` is not in 1..=4096 or no template may be held.
    pub fn new(model: ModelDigest, dimension: usize, max_templates: usize) -> Result<Self, IdentityError> {
        if !(1..=MAX_DIMENSION).contains(&dimension) {
            let problem = format!("is {dimension}; 1 to {MAX_DIMENSION} are compared");
            return Err(IdentityError::Invalid { field: "dimension", problem });
        }
        if max_templates == 0 {
            return Err(IdentityError::Invalid { field: "max_templates", problem: "must be 1 or more".to_owned() });
        }
        Ok(Self {
            model,
            dimension,
            max_templates,
            slot_of: HashMap::new(),
            keys: Vec::new(),
            codes: Vec::new(),
            roundings: Vec::new(),
            vectors: Vec::new(),
        })
    }

    /// Templates in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whose vectors it compares.
    #[must_use]
    pub const fn model(&self) -> ModelDigest {
        self.model
    }

    /// Whether a template is in it.
    #[must_use]
    pub fn contains(&self, key: TemplateKey) -> bool {
        self.slot_of.contains_key(&key)
    }

    /// Puts a template in.
    ///
    /// # Errors
    /// [`IdentityError::KeyTaken`], [`IdentityError::Full`], [`IdentityError::OtherModel`], [`IdentityError::Dimension`]; the
    /// gallery is then as before.
    pub fn add(&mut self, key: TemplateKey, template: &Template) -> Result<(), IdentityError> {
        self.check(template)?;
        if self.contains(key) {
            return Err(IdentityError::KeyTaken);
        }
        if self.len() >= self.max_templates {
            return Err(IdentityError::Full { max_templates: self.max_templates });
        }
        let slot = self.len();
        self.slot_of.insert(key, slot);
        self.keys.push(key);
        self.roundings.push(Rounding::default());
        self.codes.resize((slot + 1) * stride(self.dimension), 0);
        self.vectors.resize((slot + 1) * self.dimension, 0.0);
        self.write(slot, template);
        Ok(())
    }

    /// Puts a template in the place of the one under the same key.
    ///
    /// # Errors
    /// [`IdentityError::KeyUnknown`], [`IdentityError::OtherModel`], [`IdentityError::Dimension`].
    pub fn replace(&mut self, key: TemplateKey, template: &Template) -> Result<(), IdentityError> {
        self.check(template)?;
        let slot = *self.slot_of.get(&key).ok_or(IdentityError::KeyUnknown)?;
        self.write(slot, template);
        Ok(())
    }

    /// Takes a template out and overwrites its numbers; says whether it was there.
    pub fn remove(&mut self, key: TemplateKey) -> bool {
        let Some(slot) = self.slot_of.remove(&key) else { return false };
        // The last one moves into its place.
        let last = self.len() - 1;
        let (stride, dimension) = (stride(self.dimension), self.dimension);
        self.codes.copy_within(last * stride.., slot * stride);
        self.vectors.copy_within(last * dimension.., slot * dimension);
        self.keys.swap_remove(slot);
        self.roundings.swap_remove(slot);
        if let Some(moved) = self.keys.get(slot) {
            self.slot_of.insert(*moved, slot);
        }
        // Memory that is free for further templates keeps nothing of one that was deleted.
        self.codes.iter_mut().skip(last * stride).for_each(|code| *code = 0);
        self.vectors.iter_mut().skip(last * dimension).for_each(|value| *value = 0.0);
        self.codes.truncate(last * stride);
        self.vectors.truncate(last * dimension);
        true
    }

    /// The templates at least `threshold_similarity` like the query, the most similar first, at most `max_hits` of them;
    /// of equally similar ones the smaller key comes first.
    ///
    /// Exact: what comparing every f32 direction by [`Embedding::similarity`](crate::vision::Embedding::similarity) would
    /// find is found, with the same similarities. The 8-bit codes only rule out what their error bound proves to be below
    /// the threshold, or below the last hit that still has a place.
    ///
    /// # Errors
    /// [`IdentityError::OtherModel`], [`IdentityError::Dimension`]; [`IdentityError::Invalid`] when the threshold is not in
    /// -1..=1 or `max_hits` is 0.
    pub fn search(
        &self,
        query: &Template,
        threshold_similarity: f32,
        max_hits: usize,
    ) -> Result<Vec<Hit>, IdentityError> {
        self.check(query)?;
        let invalid = |field, problem: &str| Err(IdentityError::Invalid { field, problem: problem.to_owned() });
        if !(-1.0..=1.0).contains(&threshold_similarity) {
            return invalid("threshold_similarity", "must be a cosine, -1..=1");
        }
        if max_hits == 0 {
            return invalid("max_hits", "must be 1 or more");
        }
        let direction = query.direction().values();
        let bounds = Query::new(direction);
        let mut hits = BTreeSet::new();
        let mut least = f64::from(threshold_similarity);
        let coded = self.codes.chunks_exact(stride(self.dimension)).zip(&self.roundings);
        for (slot, (codes, rounding)) in coded.enumerate() {
            if bounds.at_most(codes, *rounding) < least {
                continue;
            }
            let vector = self.vectors.get(slot * self.dimension..).unwrap_or_default();
            let similarity = direction.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>().clamp(-1.0, 1.0);
            let Some(key) = self.keys.get(slot) else { break };
            if similarity < threshold_similarity {
                continue;
            }
            hits.insert(Ranked(Hit { key: *key, similarity }));
            if hits.len() > max_hits {
                hits.pop_last();
            }
            if let (true, Some(last)) = (hits.len() == max_hits, hits.last()) {
                least = f64::from(last.0.similarity);
            }
        }
        Ok(hits.into_iter().map(|ranked| ranked.0).collect())
    }

    fn write(&mut self, slot: usize, template: &Template) {
        let values = template.direction().values();
        let (stride, dimension) = (stride(self.dimension), self.dimension);
        let codes = self.codes.get_mut(slot * stride..(slot + 1) * stride);
        let vector = self.vectors.get_mut(slot * dimension..(slot + 1) * dimension);
        if let (Some(codes), Some(vector), Some(rounding)) = (codes, vector, self.roundings.get_mut(slot)) {
            *rounding = quantise(values, codes);
            vector.copy_from_slice(values);
        }
    }

    fn check(&self, template: &Template) -> Result<(), IdentityError> {
        check_model(self.model, template.model())?;
        let found = template.direction().values().len();
        if found == self.dimension {
            return Ok(());
        }
        Err(IdentityError::Dimension { expected: self.dimension, found })
    }
}

impl std::fmt::Debug for Gallery {
    /// Counts only: vectors never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gallery({} of [{}])", self.len(), self.dimension)
    }
}

#[cfg(test)]
mod tests;
