//! Content that nobody would write in good faith, and more of it than fits.

use bonafide::media::MediaTime;
use bonafide::scoring::{Authenticity, Level};
use bonafide::service::ports::{Decision, DecisionKind, Mark, MarkVerdict, TimelinePoint};
use bonafide::session::{Segment, SegmentState};
use bonafide::text::Language;
use proptest::prelude::*;

use crate::poppler::{flat_text, run};
use crate::{make, sample};

const HOSTILE: &str = "\u{202e}evil\u{202c} <script>alert(1)</script> \u{0}\u{1b}[2J \u{1f600}\u{1f468}\u{200d}\u{1f469} \u{5d0}\u{5d1}\u{5d2} \u{4e2d}\u{6587} \u{e000}\u{fffe} (paren\\) %PDF Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}a\u{300}lgo \u{fb01} \u{1100}\u{1161}";

#[test]
fn hostile_text_is_replaced_and_breaks_nothing() {
    let mut content = sample::content();
    content.session.display_name = format!("{HOSTILE} {}", "Donaudampfschifffahrtsgesellschaft".repeat(20));
    content.session.external_ref = "\u{5d0}\u{5d1}".to_owned();
    content.session.consent_reference = "x".repeat(2_000);
    content.session.labels = (0..64).map(|number| (format!("label-{number}"), HOSTILE.to_owned())).collect();
    content.review.marks[0].note = HOSTILE.repeat(20);
    content.review.marks[1].note = "W".repeat(4_000);
    content.review.decisions[0].note = "a\n".repeat(2_000);
    content.audit[0].event.details.insert("note\u{202e}".to_owned(), HOSTILE.repeat(50));
    for language in Language::ALL {
        let (report, path) = make("hostile", &content, language);
        let Some(text) = flat_text(&path) else { return };
        assert!(text.contains("evil <script>alert(1)</script> [2J"), "{text}");
        assert!(text.contains('□') && !text.contains('\u{202e}') && !text.contains('\u{0}'));
        let replaced = match language {
            Language::En => "Characters that the typeface lacks",
            Language::De => "Zeichen, die der Schrift fehlen",
        };
        assert!(text.contains(replaced));
        run("qpdf", &["--check", &path.to_string_lossy()]);
        let json: serde_json::Value = serde_json::from_slice(&report.json).expect("parses");
        assert_eq!(json["content"]["session"]["display_name"], content.session.display_name, "whole in the JSON");
        assert_eq!(json["content"]["review"]["decisions"][0]["note"], content.review.decisions[0].note);
    }
}

#[test]
fn what_is_no_number_is_a_dash_and_never_zero() {
    let mut content = sample::content();
    let score = &mut content.session.participants[0].score;
    score.authenticity = Some(Authenticity { value: f64::NAN, low: f64::NEG_INFINITY, high: f64::INFINITY });
    score.usable_face_secs = f64::NAN;
    score.window_end_secs = f64::INFINITY;
    for signal in &mut score.signals {
        signal.llr = Some(f64::NAN);
        signal.usable_ratio = f64::NAN;
    }
    let nothing = Authenticity { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    content.timelines[0].points = vec![
        TimelinePoint { at_secs: f64::NAN, level: Level::Clear, authenticity: None },
        TimelinePoint { at_secs: 1.0, level: Level::Clear, authenticity: Some(nothing) },
        TimelinePoint { at_secs: f64::INFINITY, level: Level::Clear, authenticity: Some(nothing) },
    ];
    content.segments.clear();
    content.n_segments = 0;
    let (report, path) = make("no-number", &content, Language::En);
    let json: serde_json::Value = serde_json::from_slice(&report.json).expect("parses");
    assert_eq!(json["content"]["participants"][0]["authenticity"]["value"], serde_json::Value::Null);
    let Some(text) = flat_text(&path) else { return };
    assert!(text.contains("Score – 95 % interval – to –"), "{text}");
    assert!(
        !text.contains("NaN") && !text.contains("inf ") && !text.contains(" 0 %") && !text.contains("0.00"),
        "{text}"
    );
    assert!(text.contains("not measured") && text.contains("No stretch of this interview stood out."));
}

#[test]
fn an_empty_session_has_a_report_that_says_so() {
    let mut content = sample::content();
    content.session.participants.clear();
    content.session.level = Level::Inconclusive;
    content.session.end_time = None;
    content.session.display_name.clear();
    content.session.candidate = None;
    content.timelines.clear();
    content.segments.clear();
    content.n_segments = 0;
    content.stills.clear();
    content.n_stills = 0;
    content.gaps.clear();
    content.review = bonafide::service::ports::Review::default();
    content.audit.clear();
    content.n_audit_rows = 0;
    for language in Language::ALL {
        let (_, path) = make("empty", &content, language);
        let Some(text) = flat_text(&path) else { return };
        let said = match language {
            Language::En => ["No participant was scored", "Nobody has decided.", "open when this report was made"],
            Language::De => {
                ["Niemand wurde bewertet", "Niemand hat entschieden.", "bei Erstellung des Berichts noch offen"]
            }
        };
        for sentence in said {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
    }
}

#[test]
fn more_than_fits_is_counted() {
    let mut content = sample::content();
    let segment = |ordinal: u32| Segment {
        ordinal,
        participant_id: sample::participant("candidate"),
        start: MediaTime::from_millis(i64::from(ordinal) * 250),
        end: MediaTime::from_millis(i64::from(ordinal) * 250 + 200),
        level: if ordinal.is_multiple_of(7) { Level::Alert } else { Level::Suspicious },
        state: SegmentState::Closed,
        signals: sample::suspicious_signals(),
    };
    content.segments = (1..=2_000).map(segment).collect();
    content.n_segments = 10_000;
    content.review.marks = (1_901..=2_000)
        .map(|ordinal| Mark {
            ordinal,
            verdict: MarkVerdict::Confirmed,
            note: "note ".repeat(800),
            by: "user:anna".to_owned(),
            time: sample::time(9),
        })
        .collect();
    content.review.decisions = (1..=100)
        .map(|ordinal| Decision {
            ordinal,
            kind: DecisionKind::Clarify,
            note: "why ".repeat(1_000),
            by: "user:anna".to_owned(),
            time: sample::time(10),
        })
        .collect();
    let row = content.audit[0].clone();
    content.audit = (1..=500).map(|sequence| bonafide::service::ports::AuditRow { sequence, ..row.clone() }).collect();
    content.n_audit_rows = 100_000;
    let started = std::time::Instant::now();
    let (report, path) = make("bounded", &content, Language::En);
    eprintln!("{} bytes of PDF, {} of JSON in {:?}", report.pdf.len(), report.json.len(), started.elapsed());
    assert!(report.pdf.len() < 4_000_000, "{}", report.pdf.len());
    let json: serde_json::Value = serde_json::from_slice(&report.json).expect("parses");
    assert_eq!(json["content"]["segments_left_out"], 8_000);
    assert_eq!(json["content"]["audit_left_out"], 99_500);
    let Some(text) = flat_text(&path) else { return };
    assert!(text.contains("9900 more stretches are left out here"), "says how many");
    assert!(text.contains("No. 1901 ") && text.contains("No. 2000 ") && !text.contains("No. 14 "), "those with a mark");
    assert!(text.contains("99880 older rows are left out."));
    run("qpdf", &["--check", &path.to_string_lossy()]);
}

#[test]
fn stills_that_are_no_pictures_say_so() {
    let mut content = sample::content();
    content.stills[0].frame.jpeg = b"no picture".to_vec();
    content.stills[1].frame.jpeg.clear();
    let half = content.stills[2].frame.jpeg.len() / 2;
    content.stills[2].frame.jpeg.truncate(half);
    content.stills[3].chip = Some(bonafide::service::ReportPicture::new(vec![0xff; 9]));
    content.stills[3].face_box = Some([f32::NAN, 9.0, -1.0, f32::INFINITY]);
    content.stills[4].deepfake_score = Some(f32::NAN);
    content.stills[4].outline = vec![vec![], vec![[f32::NAN, 0.5]; 5], vec![[7.0, -7.0]; 5]];
    let (_, path) = make("broken-stills", &content, Language::En);
    let Some(text) = flat_text(&path) else { return };
    assert!(text.contains("This still cannot be shown."), "{text}");
}

#[test]
fn every_character_of_the_basic_plane_can_stand_in_a_note() {
    let mut content = sample::content();
    content.review.decisions.clear();
    let characters: Vec<char> = (0..=0xffff).filter_map(char::from_u32).collect();
    for (ordinal, part) in (1..).zip(characters.chunks(1_200)) {
        let note = part.iter().flat_map(|character| ['a', *character, ' ']).collect();
        let (kind, by) = (DecisionKind::Proceed, "user:anna".to_owned());
        content.review.decisions.push(Decision { ordinal, kind, note, by, time: sample::time(9) });
    }
    make("characters", &content, Language::En);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_anywhere_makes_a_report(texts in prop::collection::vec(any::<String>(), 8)) {
        let mut content = sample::content();
        content.session.display_name.clone_from(&texts[0]);
        content.session.external_ref.clone_from(&texts[1]);
        content.session.consent_reference.clone_from(&texts[2]);
        content.session.labels.insert(texts[3].clone(), texts[4].clone());
        content.review.marks[0].note.clone_from(&texts[5]);
        content.review.decisions[0].note.clone_from(&texts[6]);
        content.audit[0].event.details.insert(texts[7].clone(), texts[0].clone());
        if let Ok(id) = bonafide::session::ParticipantId::new(&texts[7]) {
            content.session.participants[0].participant_id = id.clone();
            content.timelines[0].participant_id = id.clone();
            content.segments[0].participant_id = id.clone();
            content.stills[0].participant_id = id;
        }
        make("any-text", &content, Language::De);
    }
}
