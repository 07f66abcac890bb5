//! Reasons as sentences, for people at a terminal.

use crate::signals::Reason;

/// Movement within the face, as a share of a talker's, below which it is worth asking for words.
const STILL_RATIO: f64 = 0.7;

/// The sentence of a reason; a code without one is shown with its numbers.
pub(super) fn sentence(reason: &Reason) -> String {
    let value = |key: &str| reason.values.get(key).copied().unwrap_or(f64::NAN);
    let secs = |key: &str| format!("{:.1} s", value(key));
    let percent = |key: &str| format!("{:.0} %", value(key) * 100.0);
    match reason.code.as_ref() {
        "evidence.too_little_face_time" => format!(
            "{} of usable face, {} needed: keep the face in view for longer",
            secs("usable_face_secs"),
            secs("secs_needed")
        ),
        "evidence.too_few_signals" => {
            format!("{:.0} of {:.0} independent kinds of evidence", value("families"), value("families_needed"))
        }
        "evidence.no_identity" => "the person could not be recognised: face the camera, in better light".to_owned(),
        "evidence.no_liveness" => {
            "no evidence of a living person before the camera: move back so that the surroundings show, and speak for \
             some seconds"
                .to_owned()
        }
        "quality.face_too_small" | "presentation.face_too_small" | "deepfake.face_too_small" => {
            format!("face {:.0} px high, {:.0} needed: move closer", value("face_px"), value("face_px_needed"))
        }
        "quality.too_dark" => "face too dark: turn on a light in front of it".to_owned(),
        "quality.too_bright" => "face too bright: turn away from the light".to_owned(),
        "quality.clipped" => "parts of the face black or white: softer light".to_owned(),
        "quality.face_cut_off" => "face cut off by the picture's edge: move to the middle".to_owned(),
        "quality.turned_away" => format!("face turned away by {:.0}°: look at the camera", value("yaw_deg").abs()),
        "quality.blurred" => "face blurred: clean the lens, hold still or send more bits".to_owned(),
        "score.undecided" => format!(
            "undecided at {:.2} ({:.2} to {:.2}): let it go on, and mind what follows",
            value("authenticity"),
            value("authenticity_low"),
            value("authenticity_high")
        ),
        "segment.worst" => format!("the stretch from {} to {} decides", secs("start_secs"), secs("end_secs")),
        "identity.consistency" => format!("similarity to the first seconds at least {:.2}", value("similarity")),
        "identity.changed" => {
            format!("another person from {} on, similarity {:.2}", secs("at_secs"), value("similarity"))
        }
        "identity.matches_reference" => format!("matches the reference, similarity {:.2}", value("similarity")),
        "identity.differs_from_reference" => {
            format!("not the person of the reference, similarity {:.2}", value("similarity"))
        }
        "identity.too_short" => "too few clear views of the face to compare".to_owned(),
        "presentation.model" => {
            format!("attack score {:.2} over {:.0} s", value("attack_score"), value("blocks"))
        }
        "presentation.no_surroundings" => "no surroundings around the face: move back".to_owned(),
        "presentation.too_short" => "too few seconds to judge photo or screen".to_owned(),
        "presentation.not_measured" => "photo or screen not judged".to_owned(),
        "deepfake.model" => {
            format!("swap or blend score {:.2} over {:.0} s", value("attack_score"), value("blocks"))
        }
        "deepfake.too_short" => "too few seconds to judge a swapped face".to_owned(),
        "deepfake.not_measured" => "swapped face not judged".to_owned(),
        "motion.within_face" => {
            let remedy = if value("of_typical_ratio") < STILL_RATIO { ": have the candidate speak" } else { "" };
            format!("the face moves {:.0} % as much as in talk{remedy}", value("of_typical_ratio") * 100.0)
        }
        "motion.too_short" => format!("{} of movement seen, {} needed", secs("secs"), secs("secs_needed")),
        "motion.face_too_small" => format!("face too small to see it move, {:.0} px needed", value("face_px_needed")),
        "presence.no_face" => format!("{} without a face", secs("secs")),
        "presence.black" => format!("{} of black picture", secs("secs")),
        "presence.frozen" => format!("{} of frozen picture", secs("secs")),
        "presence.missing" => format!("{} without video", secs("secs")),
        "presence.candidate" => format!(
            "the face that is scored: {:.0} % from the left, {:.0} % from the top",
            100.0 * value("center_x_ratio"),
            100.0 * value("center_y_ratio")
        ),
        "presence.second_face" => format!("{} with a second face", secs("secs")),
        "stream.loop" => {
            format!("repeats itself every {} from {} on", secs("period_secs"), secs("at_secs"))
        }
        "stream.duplicates" => format!("{} of pictures are exact copies of the one before", percent("duplicate_ratio")),
        "stream.virtual_camera" => "the device calls itself a virtual camera".to_owned(),
        "stream.frames_missing" => format!("{} of frames never came", percent("lost_ratio")),
        "stream.frames_shed" => format!("{} of frames dropped by the server", percent("lost_ratio")),
        "stream.clock" => format!("a frame every {:.0} ms", value("interval_millis")),
        "stream.clock_quantised" => format!("a frame every {:.1} ms to the dot", value("interval_millis")),
        "stream.clock_reversed" => format!("media time went back {:.0} times", value("times")),
        "stream.faster_than_live" => format!("came {:.1} times as fast as live", value("media_secs_a_second")),
        "stream.too_short" => "too few seconds to judge the stream".to_owned(),
        code => {
            let numbers: Vec<String> = reason.values.iter().map(|(key, value)| format!("{key} {value:.2}")).collect();
            format!("{code} {}", numbers.join(", ")).trim_end().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::signals::Reason;

    use super::sentence;

    #[test]
    fn reasons_name_their_numbers_and_the_remedy() {
        let reason = Reason::new("quality.face_too_small").with("face_px", 41.0).with("face_px_needed", 56.0);
        assert_eq!(sentence(&reason), "face 41 px high, 56 needed: move closer");
    }

    #[test]
    fn a_code_of_a_later_version_is_shown_as_it_is() {
        assert_eq!(sentence(&Reason::new("weather.rain").with("mm", 3.0)), "weather.rain mm 3.00");
    }
}
