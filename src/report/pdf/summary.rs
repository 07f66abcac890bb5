//! The first page: the verdict in words, what it means, and what people made of it.

use crate::report::words::Words;
use crate::scoring::{Authenticity, Level, LevelThresholds, Score};
use crate::service::{ParticipantView, ReportContent};
use crate::text::clock_time;

use super::blocks::{bullets, bullets_height, key_values};
use super::lines::{Run, wrap, wrap_at_most};
use super::palette::{
    ACCENT, BODY, Color, GUTTER, LABEL, MARGIN, MUTED, SMALL, SUBHEADING, TINY, TITLE, VERDICT, WHITE, WIDTH,
    level_color, level_tint,
};
use super::shapes::{level_sign, polygon, polyline, rect, rounded};
use super::sheet::{Role, Sheet};

/// Participants with a panel of their own on the first page; others are named below it.
const MAX_PANELS: usize = 2;
/// Reasons in a panel.
const MAX_REASONS: usize = 3;
const PAD: f32 = 14.0;
const SIGN: f32 = 26.0;

/// Draws the first page.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    sheet.part(Role::Section, |sheet| {
        title(sheet, content, words);
        facts(sheet, content, words);
        let mut participants: Vec<&ParticipantView> = content.session.participants.iter().collect();
        // Stable: of equal ones the first by name.
        participants.sort_by_key(|participant| std::cmp::Reverse(participant.score.level));
        for participant in participants.iter().take(MAX_PANELS) {
            panel(sheet, participant, content.levels, words);
        }
        if participants.is_empty() {
            empty_panel(sheet, words);
        }
        if let Some(count) = participants.len().checked_sub(MAX_PANELS).filter(|count| *count > 0) {
            sheet.paragraph(&words.count("more-participants", count as u64), BODY.colored(MUTED));
            sheet.skip(6.0);
        }
        meaning(sheet, content, words);
        outcome(sheet, content, words);
    });
}

fn title(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let session = &content.session;
    sheet.paragraph(&words.get("title"), LABEL.bold().colored(ACCENT));
    sheet.y += 1.0;
    let name = if session.display_name.trim().is_empty() { session.id.as_str() } else { session.display_name.trim() };
    sheet.part(Role::Heading(1, name.to_owned()), |sheet| {
        sheet.say(name);
        for line in wrap_at_most(&[Run::new(&name.replace('\n', " "), TITLE)], WIDTH, 2) {
            sheet.line_at(MARGIN, sheet.y, &line);
            sheet.y += line.leading;
        }
    });
    sheet.skip(7.0);
}

fn facts(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let session = &content.session;
    let interview = match session.end_time {
        Some(end) => words.span(session.create_time, end),
        None => words.with("still-open", &[("start", words.time(session.create_time).into())]),
    };
    let or_none = |text: &str| if text.trim().is_empty() { words.get("none") } else { text.to_owned() };
    let expires = match session.expire_time {
        _ if content.review.summary.is_held => words.get("held"),
        Some(time) => words.with("expires", &[("time", words.time(time).into())]),
        None => words.get("expires-never"),
    };
    let labels: Vec<String> = session.labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let made = [("time", words.time(content.made).into()), ("who", words.actor(&content.made_by.to_string()).into())];
    let facts = [
        ("session", session.id.as_str().to_owned()),
        ("interview", interview),
        ("candidate", or_none(session.candidate.as_ref().map_or("", |candidate| candidate.as_str()))),
        ("made", words.with("made-by", &made)),
        ("reference", or_none(&session.external_ref)),
        ("evidence", words.evidence(session.evidence)),
        ("consent", or_none(&session.consent_reference)),
        ("expires", expires),
        ("labels", or_none(&labels.join(", "))),
    ];
    let named: Vec<_> = facts.into_iter().map(|(key, value)| (words.get(&format!("fact-{key}")), value)).collect();
    key_values(sheet, &words.get("subject"), &named);
    sheet.skip(12.0);
}

/// One participant's verdict.
fn panel(sheet: &mut Sheet, participant: &ParticipantView, levels: Option<LevelThresholds>, words: Words) {
    let score = &participant.score;
    let (level, text_x) = (score.level, MARGIN + PAD + SIGN + 11.0);
    let score_x = MARGIN + WIDTH - PAD - 132.0;
    let meaning = wrap(&[Run::new(&words.meaning(level), BODY)], score_x - text_x - 14.0);
    let end = clock_time(words.0, score.window_end_secs);
    let secs = format!("{} s", crate::text::fixed(words.0, score.usable_face_secs, 1));
    let who = words.with("participant", &[("who", participant.participant_id.as_str().into())]);
    let usable = words.with("usable", &[("secs", secs.into()), ("end", end.into())]);
    let thresholds = levels.map_or_else(String::new, |levels| format!(" · {}", words.thresholds(levels)));
    let about_text = format!("{who} · {usable}{thresholds}");
    let about = wrap_at_most(&[Run::new(&about_text, TINY)], WIDTH - 2.0 * PAD, 2);
    let reasons = words.strongest(score, MAX_REASONS);
    let reasons: Vec<Vec<Run>> = reasons
        .into_iter()
        .map(|(signal, reason)| {
            let mut runs = Vec::new();
            if let Some(name) = signal {
                runs.push(Run::new(&format!("{}: ", words.signal(name)), SMALL.bold()));
            }
            runs.push(Run::new(&reason, SMALL));
            runs
        })
        .collect();
    let reasons_height = bullets_height(&reasons, WIDTH - 2.0 * PAD);
    let text_height = VERDICT.leading + meaning.iter().map(|line| line.leading).sum::<f32>();
    let upper = text_height.max(46.0);
    let height = PAD
        + upper
        + 10.0
        + 30.0
        + 7.0
        + about.iter().map(|line| line.leading).sum::<f32>()
        + if reasons.is_empty() { 0.0 } else { 5.0 + reasons_height }
        + PAD
        - 4.0;
    sheet.need(height);
    let top = sheet.y;
    ground(sheet, level, height);
    sheet.part(Role::Heading(2, words.level(level)), |sheet| {
        for line in wrap_at_most(&[Run::new(&words.level(level), VERDICT.colored(level_color(level)))], 300.0, 1) {
            sheet.line_at(text_x, top + PAD - 3.0, &line);
        }
    });
    sheet.artifact(|sheet| level_sign(sheet, level, (MARGIN + PAD, top + PAD), SIGN));
    sheet.part(Role::Paragraph, |sheet| {
        let mut y = top + PAD - 3.0 + VERDICT.leading;
        for line in &meaning {
            sheet.line_at(text_x, y, line);
            y += line.leading;
        }
    });
    estimate(sheet, score, words, (score_x, top + PAD - 3.0));
    sheet.y = top + PAD + upper + 10.0;
    scale(sheet, score, levels, words);
    sheet.y += 7.0;
    sheet.part(Role::Paragraph, |sheet| {
        sheet.say(&about_text);
        for line in &about {
            sheet.line_at(MARGIN + PAD, sheet.y, line);
            sheet.y += line.leading;
        }
    });
    if !reasons.is_empty() {
        sheet.y += 5.0;
        bullets(sheet, &reasons, MARGIN + PAD, WIDTH - 2.0 * PAD);
    }
    sheet.y = top + height + 12.0;
}

fn ground(sheet: &mut Sheet, level: Level, height: f32) {
    let top = sheet.y;
    sheet.artifact(|sheet| {
        sheet.fill(rounded(MARGIN, top, WIDTH, height, 5.0), level_tint(level));
        sheet.fill(rounded(MARGIN, top, 4.0, height, 2.0), level_color(level));
    });
}

fn empty_panel(sheet: &mut Sheet, words: Words) {
    let lines = wrap(&[Run::new(&words.get("nobody-why"), BODY)], WIDTH - 2.0 * PAD - SIGN - 11.0);
    let height = 2.0 * PAD + VERDICT.leading + lines.iter().map(|line| line.leading).sum::<f32>() - 4.0;
    sheet.need(height);
    let (top, x) = (sheet.y, MARGIN + PAD + SIGN + 11.0);
    ground(sheet, Level::Inconclusive, height);
    sheet.artifact(|sheet| level_sign(sheet, Level::Inconclusive, (MARGIN + PAD, top + PAD), SIGN));
    let title = words.get("nobody");
    sheet.y = top + PAD - 3.0;
    sheet.part(Role::Heading(2, title.clone()), |sheet| {
        sheet.flow(&[Run::new(&title, VERDICT.colored(level_color(Level::Inconclusive)))], x, WIDTH);
    });
    sheet.part(Role::Paragraph, |sheet| {
        for line in &lines {
            sheet.line_at(x, sheet.y, line);
            sheet.y += line.leading;
        }
    });
    sheet.y = top + height + 12.0;
}

/// The score as figures, or that there is none.
fn estimate(sheet: &mut Sheet, score: &Score, words: Words, (x, top): (f32, f32)) {
    let (figure, below) = match score.authenticity {
        Some(Authenticity { value, low, high }) => {
            let ends = [("low", words.ratio(low).into()), ("high", words.ratio(high).into())];
            (words.ratio(value), words.with("score-interval", &ends))
        }
        None => ("–".to_owned(), words.get("score-none-why")),
    };
    let label = if score.authenticity.is_some() { words.get("score") } else { words.get("score-none") };
    sheet.part(Role::Paragraph, |sheet| {
        let mut y = top;
        for (text, style) in [(label, LABEL), (figure, TITLE), (below, TINY)] {
            for line in wrap_at_most(&[Run::new(&text, style)], 132.0, 2) {
                sheet.line_at(x + 132.0 - line.width, y, &line);
                y += line.leading;
            }
        }
    });
}

/// The score on a scale from 0 to 1.
fn scale(sheet: &mut Sheet, score: &Score, levels: Option<LevelThresholds>, words: Words) {
    const HEIGHT: f32 = 9.0;
    let (x, y, width) = (MARGIN + PAD, sheet.y + 4.0, WIDTH - 2.0 * PAD);
    let color = level_color(score.level);
    let alt = match score.authenticity {
        Some(Authenticity { value, low, high }) => words.with(
            "score-alt",
            &[
                ("value", words.ratio(value).into()),
                ("low", words.ratio(low).into()),
                ("high", words.ratio(high).into()),
            ],
        ),
        None => words.get("score-none-alt"),
    };
    let alt = levels.map_or_else(|| alt.clone(), |levels| format!("{alt} {}.", words.thresholds(levels)));
    sheet.part(Role::Figure(alt), |sheet| {
        sheet.content(|sheet| {
            sheet.fill(rounded(x, y, width, HEIGHT, 2.0), WHITE);
            for tick in [0.25, 0.5, 0.75] {
                let tick_x = x + tick * width;
                sheet.stroke(polyline(&[(tick_x, y), (tick_x, y + HEIGHT)]), Color(0xd0, 0xd6, 0xdd), 0.5);
            }
            if let Some(Authenticity { value, low, high }) = score.authenticity
                && value.is_finite()
                && low.is_finite()
                && high.is_finite()
            {
                let at = |ratio: f64| x + super::points(width, ratio.clamp(0.0, 1.0));
                sheet.fill(rect(at(low), y, (at(high) - at(low)).max(1.0), HEIGHT), blend(color, 0.38));
                let marker = at(value);
                sheet.fill(rect(marker - 1.25, y - 3.0, 2.5, HEIGHT + 6.0), color);
                sheet.fill(polygon(&[(marker - 4.0, y - 6.0), (marker + 4.0, y - 6.0), (marker, y - 1.0)]), color);
            }
            for threshold in levels.into_iter().flat_map(thresholds) {
                dashes(sheet, x + super::points(width, threshold.clamp(0.0, 1.0)), (y - 2.0, y + HEIGHT + 2.0));
            }
            let line = |text: String| wrap_at_most(&[Run::new(&text, TINY)], width, 1);
            for line in line(words.get("score-low-end")) {
                sheet.text_at(x, y + HEIGHT + 4.0, &line);
            }
            for line in line(words.get("score-high-end")) {
                sheet.text_at(x + width - line.width, y + HEIGHT + 4.0, &line);
            }
        });
    });
    sheet.y += 30.0;
}

const fn thresholds(LevelThresholds { clear_from, suspicious_below, alert_below }: LevelThresholds) -> [f64; 3] {
    [clear_from, suspicious_below, alert_below]
}

/// A dashed line from top to bottom.
fn dashes(sheet: &mut Sheet, x: f32, (top, bottom): (f32, f32)) {
    const DASH: f32 = 2.0;
    let mut y = top;
    while y < bottom {
        sheet.stroke(polyline(&[(x, y), (x, (y + DASH).min(bottom))]), MUTED, 0.8);
        y += 2.0 * DASH;
    }
}

/// A colour over white.
fn blend(Color(red, green, blue): Color, share: f32) -> Color {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    let mix = |channel: u8| (255.0 - (255.0 - f32::from(channel)) * share).round().clamp(0.0, 255.0) as u8;
    Color(mix(red), mix(green), mix(blue))
}

/// What it says and what it does not, side by side.
fn meaning(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let (says, says_not) = words.statements(content.n_segments);
    let width = (WIDTH - GUTTER) / 2.0;
    let runs = |texts: [String; 3]| texts.map(|text| vec![Run::new(&text, SMALL)]);
    let columns = [("says", runs(says)), ("says-not", runs(says_not))];
    let tallest = columns.iter().map(|(_, texts)| bullets_height(texts, width)).fold(0.0, f32::max);
    sheet.need(SUBHEADING.leading + 2.0 + tallest);
    let (top, mut bottom) = (sheet.y, sheet.y);
    for (number, (heading, texts)) in (0_u8..).zip(columns) {
        let x = MARGIN + f32::from(number) * (width + GUTTER);
        sheet.y = top;
        let title = words.get(heading);
        sheet.part(Role::Heading(2, title.clone()), |sheet| {
            sheet.flow(&[Run::new(&title, SUBHEADING)], x, width);
        });
        sheet.y += 2.0;
        bullets(sheet, &texts, x, width);
        bottom = sheet.y.max(bottom);
    }
    sheet.y = bottom;
    sheet.skip(10.0);
}

/// Where the review stands, and the last decision.
fn outcome(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let review = &content.review;
    sheet.need(SUBHEADING.leading + 2.0 + 3.0 * BODY.leading);
    let title = words.get("outcome");
    sheet.part(Role::Heading(2, title.clone()), |sheet| {
        sheet.flow(&[Run::new(&title, SUBHEADING)], MARGIN, WIDTH);
    });
    sheet.y += 2.0;
    let mut runs = vec![Run::new(&words.state(review.summary.state), BODY)];
    if let Some(last) = review.decisions.last() {
        let by = [("who", words.actor(&last.by).into()), ("time", words.time(last.time).into())];
        runs.push(Run::new(" ", BODY));
        runs.push(Run::new(&format!("{}: ", words.decision(last.kind)), BODY.bold()));
        runs.push(Run::new(&format!("{}. ", words.decision_meaning(last.kind)), BODY));
        runs.push(Run::new(&format!("({})", words.with("decided-by", &by)), BODY.colored(MUTED)));
    }
    sheet.part(Role::Paragraph, |sheet| sheet.flow(&runs, MARGIN, WIDTH));
}
