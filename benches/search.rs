//! Time of one exact search among 200,000 templates on one core, and what they take up in memory.
//!
//! Directions are random: strangers, hence nothing but the scan; `planted` has a thousand templates close to the threshold,
//! which the codes cannot rule out. The resident memory of each gallery goes to standard error. Then the same among 10,000
//! backgrounds, drawn at random from boxes; as many as a thousand are different.

mod support;

use std::hint::black_box;

use bonafide::identity::{Gallery, ModelDigest, SceneGallery, SceneKey, Template, TemplateKey};
use bonafide::media::RgbImage;
use bonafide::vision::Embedding;
use bonafide::vision::scene::{SceneDescriptor, compare};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use support::CpuTime;

const MODEL: ModelDigest = ModelDigest::new([0; 32]);
/// Templates in a whole run; a run as a test has a hundredth.
const N_TEMPLATES: u64 = 200_000;
const N_PLANTED: usize = 1_000;
/// Near the threshold of one false match a search among as many.
const THRESHOLD: f32 = 0.5;
/// Hits wanted.
const MAX_HITS: usize = 20;
/// The identity model's, and that of smaller ones.
const DIMENSIONS: [usize; 2] = [512, 128];

fn template(raw: &[f32]) -> Template {
    let direction = Embedding::from_raw(raw).expect("random numbers have a direction");
    Template::mean(MODEL, [&direction]).expect("one vector has a mean")
}

fn random_raw(random: &mut StdRng, dimension: usize) -> Vec<f32> {
    (0..dimension).map(|_| random.random_range(-1.0_f32..1.0)).collect()
}

/// A direction whose cosine to the query is a few thousandths off the threshold.
fn planted(random: &mut StdRng, query: &Template) -> Template {
    let other = template(&random_raw(random, query.direction().values().len()));
    let (to, from) = (query.direction().values(), other.direction().values());
    let along: f32 = to.iter().zip(from).map(|(a, b)| a * b).sum();
    let similarity = THRESHOLD + random.random_range(-0.005_f32..0.005);
    let factor = (1.0 - similarity * similarity).sqrt() / (1.0 - along * along).sqrt();
    let raw: Vec<f32> = to.iter().zip(from).map(|(a, b)| similarity * a + factor * (b - along * a)).collect();
    template(&raw)
}

/// Resident memory of this process in KiB, where the system tells it.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// A picture of overlapping boxes.
fn room(random: &mut StdRng) -> RgbImage {
    const WIDTH: usize = 640;
    const HEIGHT: usize = 360;
    let mut levels = vec![128_u8; WIDTH * HEIGHT];
    for _ in 0..160 {
        let (left, top) = (random.random_range(0..WIDTH), random.random_range(0..HEIGHT));
        let (width, height) = (random.random_range(6..90), random.random_range(6..70));
        let level = random.random_range(20..235);
        for row in top..(top + height).min(HEIGHT) {
            levels[row * WIDTH + left..row * WIDTH + (left + width).min(WIDTH)].fill(level);
        }
    }
    RgbImage::new(640, 360, levels.into_iter().flat_map(|level| [level; 3]).collect()).expect("size fits")
}

fn scenes(criterion: &mut Criterion<CpuTime>) {
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let (n_rooms, n_times) = if is_test { (20, 2) } else { (1_000, 10) };
    let mut random = StdRng::seed_from_u64(2);
    let mut describe = || {
        SceneDescriptor::of(room(&mut random).view().into(), &[]).expect("the image library works").expect("is a place")
    };
    let query = describe();
    let rooms: Vec<SceneDescriptor> = (0..n_rooms).map(|_| describe()).collect();
    let before = resident_kib();
    let mut gallery = SceneGallery::new(n_rooms * n_times).expect("valid");
    for (key, room) in (0..).zip(rooms.iter().cycle().take(n_rooms * n_times)) {
        gallery.add(SceneKey(key), room).expect("has room");
    }
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        eprintln!("{} MiB resident for {} backgrounds", after.saturating_sub(before) / 1024, n_rooms * n_times);
    }
    let mut group = criterion.benchmark_group(format!("search of {} backgrounds", n_rooms * n_times));
    group.bench_function("strangers", |bencher| {
        bencher.iter(|| gallery.search(black_box(&query), 0.1, MAX_HITS).expect("valid"));
    });
    group.bench_function("two compared", |bencher| bencher.iter(|| compare(black_box(&query), &rooms[0])));
    group.finish();
}

fn search(criterion: &mut Criterion<CpuTime>) {
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let n_templates = if is_test { N_TEMPLATES / 100 } else { N_TEMPLATES };
    for dimension in DIMENSIONS {
        let mut random = StdRng::seed_from_u64(1);
        let before = resident_kib();
        let mut gallery =
            Gallery::new(MODEL, dimension, usize::try_from(n_templates).expect("fits") + N_PLANTED).expect("valid");
        for key in 0..n_templates {
            gallery.add(TemplateKey(key), &template(&random_raw(&mut random, dimension))).expect("has room");
        }
        if let (Some(before), Some(after)) = (before, resident_kib()) {
            let a_hundred_thousand = after.saturating_sub(before) as f64 / 1024.0 * 100_000.0 / n_templates as f64;
            eprintln!("[{dimension}]: {a_hundred_thousand:.0} MiB resident a 100,000 templates");
        }
        let query = template(&random_raw(&mut random, dimension));
        let mut group = criterion.benchmark_group(format!("search of {n_templates} x {dimension}"));
        let mut run = |name: &str, gallery: &Gallery| {
            group.bench_function(name, |bencher| {
                bencher.iter(|| gallery.search(black_box(&query), THRESHOLD, MAX_HITS).expect("valid"));
            });
        };
        run("strangers", &gallery);
        for key in 0..N_PLANTED as u64 {
            gallery.add(TemplateKey(u64::MAX - key), &planted(&mut random, &query)).expect("has room");
        }
        run("planted", &gallery);
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime).sample_size(20);
    targets = scenes, search
}
criterion_main!(benches);
