//! The identification report.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::eval::metric::{Ranking, Resampler};
use crate::eval::output::{EvalReport, ScoreRow, figure, versions};
use crate::eval::plot::{Curve, identification_svg};
use crate::eval::run::Bench;
use crate::eval::verification::EmbeddedItem;
use crate::identity::{SearchCalibration, Support};

use super::rounds::{Enrolment, People, Round, Search, Wished, WishedAndSeen};

/// False positive identification rates that are reported.
const FALSE_POSITIVE_RATES: [f64; 5] = [0.3, 0.1, 0.03, 0.01, 0.003];
const RESAMPLES: usize = 1_000;
const SEED: u64 = 1;
/// Similarity of what no threshold finds.
const NEVER: f64 = -2.0;

/// Everything that was found.
pub(super) struct Findings<'a> {
    pub(super) items: &'a [EmbeddedItem],
    pub(super) people: &'a People<'a>,
    pub(super) calibration: &'a SearchCalibration,
    pub(super) all: Vec<(Enrolment, Vec<Round<'a>>)>,
    pub(super) wished: WishedAndSeen,
}

type Interval = Option<(f64, f64)>;

/// Puts all figures together.
pub(super) fn write(bench: &Bench<'_>, findings: &Findings<'_>, rows: Vec<ScoreRow>) -> EvalReport {
    let Findings { items, people, calibration, all, wished } = findings;
    let n_lost = items.iter().filter(|(_, vector)| vector.is_err()).count();
    let (n_splits, n_enrolled) =
        all.first().map_or((0, 0), |(_, rounds)| (rounds.len(), rounds.first().map_or(0, |round| round.n_enrolled)));
    let mut text = String::from("# Face identification\n\n");
    let _ = writeln!(
        text,
        "{} images, {n_lost} of which show no face that can be compared; {} people, {} of them with two images or more.\n\
         {n_splits} random splits: one half of the people is enrolled ({n_enrolled} templates), the other never; one picture \
         of everybody is searched with, of the enrolled one that is not in the gallery.\n",
        items.len(),
        people.len(),
        people.n_searchable(),
    );
    text.push_str(
        "| enrolled with | mated searches | found first (rank 1) | among the first five |\n|---|---|---|---|\n",
    );
    let found: Vec<Found> = all.iter().map(|(enrolment, rounds)| Found::of(people, *enrolment, rounds)).collect();
    text.extend(found.iter().map(|found| found.closed_set.as_str()));
    text.push_str(
        "\n## Enrolled and strangers\n\nFPIR: searches for a stranger that give a candidate; FNIR: searches for an enrolled \
         person that do not give that person first, at the threshold.\n\n| enrolled with | threshold | FPIR | FNIR |\n|---|---|---|---|\n",
    );
    text.extend(found.iter().map(|found| found.open_set.as_str()));
    text.push_str(
        "\n## False matches a search, wished for and seen\n\nThe threshold is the one that the calibration gives for the wish \
         and the size of the gallery. `told` is what it says of that threshold, with the interval that its data allow.\n\n\
         | calibration | templates | wished | threshold | told | backed by | seen a search |\n|---|---|---|---|---|---|---|\n",
    );
    let shipped = calibration.name();
    text.push_str(&wished_table(people, &format!("{shipped}, fitted on these people too"), &wished.shipped));
    text.push_str(&wished_table(people, "fitted on the other half of the people", &wished.held_out));
    text.push_str("\nIntervals are 95 %: bootstrap over the people who are searched for, 1000 resamples.\n");
    let curves: Vec<Curve<'_>> =
        found.iter().filter_map(|found| Some(Curve { name: found.name, ranking: found.ranking.as_ref()? })).collect();
    EvalReport {
        markdown: text,
        json: json!({
            "task": "identification",
            "versions": versions(bench),
            "search_calibration": calibration.name(),
            "n_images": items.len(),
            "n_non_response": n_lost,
            "n_people": people.len(),
            "n_splits": n_splits,
            "n_enrolled": n_enrolled,
            "enrolments": found.iter().map(|found| &found.json).collect::<Vec<_>>(),
            "wished_shipped": wished_json(people, &wished.shipped),
            "wished_held_out": wished_json(people, &wished.held_out),
        }),
        rows,
        plots: vec![("det.svg", identification_svg(&curves))],
    }
}

/// What was found with one kind of enrolment.
struct Found {
    name: &'static str,
    /// Its row of the table of ranks.
    closed_set: String,
    /// Its rows of the table of thresholds.
    open_set: String,
    json: Value,
    ranking: Option<Ranking>,
}

impl Found {
    fn of(people: &People<'_>, enrolment: Enrolment, rounds: &[Round<'_>]) -> Self {
        let name = match enrolment {
            Enrolment::OnePicture => "one picture",
            Enrolment::AllOthers => "all other pictures",
        };
        let searches = rounds.iter().flat_map(|round| &round.searches);
        let (mated, others): (Vec<_>, Vec<_>) = searches.partition(|search| search.is_mated);
        let share = |searches: &[&Search<'_>], is_hit: &dyn Fn(&Search<'_>) -> bool| {
            by_person(people, searches.iter().map(|search| (search.person, f64::from(u8::from(is_hit(search))))))
        };
        let first = share(&mated, &|search| search.rank == Some(1));
        let first_five = share(&mated, &|search| search.rank.is_some());
        let closed_set = format!(
            "| {name} | {} of {} people | {} | {} |\n",
            mated.len(),
            n_people(&mated),
            figure(first.0, first.1),
            figure(first_five.0, first_five.1)
        );
        let similarity = |search: &Search<'_>| search.top.map_or(NEVER, |top| f64::from(top.similarity));
        let of_mate = |search: &Search<'_>| if search.rank == Some(1) { similarity(search) } else { NEVER };
        // An attack accepted is a stranger with a candidate, a bona fide refused an enrolled person who is not found.
        let scores = |searches: &[&Search<'_>], of: &dyn Fn(&Search<'_>) -> f64| -> Vec<f64> {
            searches.iter().map(|search| -of(search)).collect()
        };
        let ranking = Ranking::new(&scores(&mated, &of_mate), &scores(&others, &similarity));
        let (mut open_set, mut rates) = (String::new(), Vec::new());
        for false_positives in FALSE_POSITIVE_RATES {
            let Some(point) = ranking.as_ref().and_then(|ranking| ranking.at_apcer(false_positives)) else { continue };
            let threshold = -point.threshold;
            let fpir = share(&others, &|search| similarity(search) > threshold);
            let fnir = share(&mated, &|search| of_mate(search) <= threshold);
            let (fpir_text, fnir_text) = (figure(fpir.0, fpir.1), figure(fnir.0, fnir.1));
            // Writing to a string cannot fail.
            let _ = writeln!(open_set, "| {name} | {threshold:.3} | {fpir_text} | {fnir_text} |");
            rates.push(json!({
                "threshold": threshold,
                "fpir": fpir.0,
                "fpir_interval": fpir.1,
                "fnir": fnir.0,
                "fnir_interval": fnir.1,
            }));
        }
        let json = json!({
            "enrolled_with": name,
            "n_mated_searches": mated.len(),
            "n_non_mated_searches": others.len(),
            "rank_1": first.0,
            "rank_1_interval": first.1,
            "rank_5": first_five.0,
            "rank_5_interval": first_five.1,
            "open_set": rates,
        });
        Self { name, closed_set, open_set, json, ranking }
    }
}

fn n_people(searches: &[&Search<'_>]) -> usize {
    searches.iter().map(|search| search.person).collect::<std::collections::BTreeSet<_>>().len()
}

/// The mean over searches, and its interval over resampled people.
fn by_person(people: &People<'_>, values: impl Iterator<Item = (usize, f64)>) -> (Option<f64>, Interval) {
    let mut sums = vec![(0.0, 0.0); people.len()];
    for (person, value) in values {
        if let Some((sum, n)) = sums.get_mut(person) {
            *sum += value;
            *n += 1.0;
        }
    }
    let searched: Vec<(String, (f64, f64))> =
        sums.into_iter().enumerate().filter(|(_, (_, n))| *n > 0.0).map(|(who, sum)| (who.to_string(), sum)).collect();
    let mean = |drawn: &[f64]| {
        let add = |(sum, n), ((_, (of_person, n_of_person)), times): (&(String, (f64, f64)), &f64)| {
            (sum + times * of_person, n + times * n_of_person)
        };
        let (sum, n): (f64, f64) = searched.iter().zip(drawn).fold((0.0, 0.0), add);
        (n > 0.0).then(|| sum / n)
    };
    let resampler = Resampler::new(searched.iter().map(|(who, _)| who.as_str()), RESAMPLES, SEED);
    (mean(&vec![1.0; searched.len()]), resampler.interval(mean))
}

fn wished_table(people: &People<'_>, name: &str, rows: &[Wished]) -> String {
    let mut text = String::new();
    for row in rows {
        let seen = by_person(people, row.seen.iter().copied());
        let backed_by = match row.told.support {
            Support::Measured => "measurement",
            Support::Extrapolated => "the tail",
            Support::Beyond => "nothing",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {:.3} | {} | {backed_by} | {} |",
            row.n_enrolled,
            row.wished,
            row.similarity,
            figure(Some(row.told.expected), Some((row.told.low, row.told.high))),
            figure(seen.0, seen.1)
        );
    }
    text
}

fn wished_json(people: &People<'_>, rows: &[Wished]) -> Vec<Value> {
    let of_row = |row: &Wished| {
        let seen = by_person(people, row.seen.iter().copied());
        json!({
            "wished": row.wished,
            "n_templates": row.n_enrolled,
            "similarity": row.similarity,
            "told": row.told.expected,
            "told_interval": [row.told.low, row.told.high],
            "is_measured": row.told.support == Support::Measured,
            "seen": seen.0,
            "seen_interval": seen.1,
            "n_searches": row.seen.len(),
        })
    };
    rows.iter().map(of_row).collect()
}
