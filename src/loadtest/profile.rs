//! What a load is made of: pictures, plugins and interviews.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::InvalidOption;

use super::error::LoadError;

/// Largest profile that is read.
const MAX_PROFILE_BYTES: u64 = 4 * 1024 * 1024;
/// Recordings of one profile.
const MAX_INTERVIEWS: usize = 10_000;
/// Longest label in bytes.
const MAX_LABEL_BYTES: usize = 64;
/// Largest weight; the smallest is its inverse.
const MAX_WEIGHT: f64 = 1e6;
/// Longest run in seconds, a day.
const MAX_SECS: f64 = 86_400.0;

/// How a picture is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// A JPEG still.
    #[default]
    Jpeg,
    /// Planar YUV 4:2:0.
    I420,
}

impl PictureFormat {
    /// Its name in a profile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::I420 => "i420",
        }
    }
}

/// What a load is made of; `docs/loadtest.md` has every key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Most pixels a row of a picture; recordings are scaled into width and height and keep their shape.
    pub width: u32,
    /// Most rows of a picture.
    pub height: u32,
    /// Quality of JPEG stills, 1 to 100.
    pub quality: u8,
    /// How pictures are sent.
    pub format: PictureFormat,
    /// Whether plugins lower their rate to what the server asks for; they never raise it.
    pub follow_pacing: bool,
    /// Sessions that share a connection.
    pub sessions_per_connection: usize,
    /// Seconds over which the first sessions start.
    pub ramp_secs: f64,
    /// Decides the order of interviews; the same seed gives the same order.
    pub seed: u64,
    /// MiB of memory that the encoded pictures may take.
    pub max_media_mib: u32,
    /// What is played.
    pub interviews: Vec<InterviewProfile>,
}

/// One recording of a profile.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterviewProfile {
    /// The recording, in any container that FFmpeg reads; below the profile's folder unless absolute.
    pub file: PathBuf,
    /// What it is known to be, such as `bona_fide`; levels are counted by label.
    #[serde(default)]
    pub label: String,
    /// How often it is played, compared with the others.
    #[serde(default = "one")]
    pub weight: f64,
}

const fn one() -> f64 {
    1.0
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            width: 640,
            height: 480,
            quality: 80,
            format: PictureFormat::Jpeg,
            follow_pacing: false,
            sessions_per_connection: 1,
            ramp_secs: 1.0,
            seed: 1,
            max_media_mib: 1_024,
            interviews: Vec::new(),
        }
    }
}

impl Profile {
    /// Reads a profile; relative paths in it are below its folder.
    ///
    /// # Errors
    /// [`LoadError::UnreadableProfile`], or [`LoadError::Profile`] naming the key that is not known or of the wrong type.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::UnreadableProfile { path: path.to_owned(), source };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_PROFILE_BYTES).read_to_string(&mut text).map_err(unreadable)?;
        let mut profile: Self = serde_json::from_str(&text)
            .map_err(|error| LoadError::Profile { path: path.to_owned(), problem: error.to_string() })?;
        if let Some(folder) = path.parent() {
            for interview in &mut profile.interviews {
                interview.file = folder.join(&interview.file);
            }
        }
        Ok(profile)
    }

    /// Adds a recording without a label.
    pub fn add_file(&mut self, file: PathBuf) {
        self.interviews.push(InterviewProfile { file, label: String::new(), weight: one() });
    }

    /// Checks what the types do not; `secs` is how long the load lasts.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self, secs: f64) -> Result<(), InvalidOption> {
        let in_range = InvalidOption::unless_within::<u64>;
        InvalidOption::unless_within("--secs", secs, 1.0..=MAX_SECS)?;
        in_range("width", u64::from(self.width), 16..=4_096)?;
        in_range("height", u64::from(self.height), 16..=4_096)?;
        in_range("quality", u64::from(self.quality), 1..=100)?;
        in_range("sessions_per_connection", self.sessions_per_connection as u64, 1..=10_000)?;
        InvalidOption::unless_within("ramp_secs", self.ramp_secs, 0.0..=secs)?;
        in_range("max_media_mib", u64::from(self.max_media_mib), 1..=1_048_576)?;
        let problem = match self.interviews.len() {
            0 => "is empty: name recordings in the profile or after the flags".to_owned(),
            n @ 1..=MAX_INTERVIEWS => return self.validate_interviews(n),
            n => format!("has {n} entries, at most {MAX_INTERVIEWS} are taken"),
        };
        Err(InvalidOption { key: "interviews", problem })
    }

    fn validate_interviews(&self, n_interviews: usize) -> Result<(), InvalidOption> {
        for (interview, number) in self.interviews.iter().zip(1..=n_interviews) {
            let label = &interview.label;
            if label.len() > MAX_LABEL_BYTES || label.chars().any(char::is_control) {
                let problem =
                    format!("of interview {number} must be at most {MAX_LABEL_BYTES} bytes without control characters");
                return Err(InvalidOption { key: "label", problem });
            }
            InvalidOption::unless_within("weight", interview.weight, MAX_WEIGHT.recip()..=MAX_WEIGHT).map_err(
                |error| InvalidOption { problem: format!("of interview {number} {}", error.problem), ..error },
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{InterviewProfile, LoadError, PictureFormat, Profile};

    fn read(text: &str) -> Result<Profile, LoadError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("profile.json");
        std::fs::write(&path, text).expect("writes");
        let mut profile = Profile::read(&path)?;
        for interview in &mut profile.interviews {
            if let Ok(inside) = interview.file.strip_prefix(folder.path()) {
                interview.file = inside.to_owned();
            }
        }
        Ok(profile)
    }

    #[track_caller]
    fn refused(text: &str, parts: &[&str]) {
        let problem = match read(text) {
            Ok(profile) => profile.validate(60.0).expect_err(text).to_string(),
            Err(error) => error.to_string(),
        };
        assert!(parts.iter().all(|part| problem.contains(part)), "{problem:?} lacks one of {parts:?}");
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let profile =
            read(r#"{"interviews": [{"file": "a.mp4"}, {"file": "/b.mp4", "label": "deepfake", "weight": 2}]}"#);
        let expected = Profile {
            interviews: vec![
                InterviewProfile { file: PathBuf::from("a.mp4"), label: String::new(), weight: 1.0 },
                InterviewProfile { file: PathBuf::from("/b.mp4"), label: "deepfake".to_owned(), weight: 2.0 },
            ],
            ..Profile::default()
        };
        let profile = profile.expect("can be read");
        assert_eq!(profile, expected);
        profile.validate(60.0).expect("can be used");
        assert_eq!((profile.width, profile.height, profile.quality), (640, 480, 80));
    }

    #[test]
    fn the_shipped_example_can_be_used() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/loadtest-profile.json");
        let profile = Profile::read(&path).expect("can be read");
        profile.validate(60.0).expect("can be used");
        let folder = path.parent().expect("has one");
        assert!(profile.interviews.iter().all(|interview| interview.file.starts_with(folder)));
        let of_example = Profile { interviews: Vec::new(), ..profile };
        assert_eq!(of_example, Profile { format: PictureFormat::Jpeg, ..Profile::default() }, "it shows the defaults");
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        refused(r#"{"widht": 640}"#, &["profile.json", "`widht`", "`width`"]);
        refused(r#"{"interviews": [{"path": "a.mp4"}]}"#, &["`path`", "`file`"]);
        refused(r#"{"interviews": [{"label": "bona_fide"}]}"#, &["`file`"]);
        refused(r#"{"format": "png"}"#, &["`png`", "`jpeg`", "`i420`"]);
        refused(r#"{"quality": 300}"#, &["300", "u8"]);
        refused("{", &["line 1"]);
    }

    #[test]
    fn values_out_of_range_are_refused_with_what_is_allowed() {
        let with = |key: &str, value: &str| format!(r#"{{"{key}": {value}, "interviews": [{{"file": "a.mp4"}}]}}"#);
        for (key, value, allowed) in [
            ("width", "0", "16 to 4096"),
            ("height", "5000", "16 to 4096"),
            ("quality", "0", "1 to 100"),
            ("sessions_per_connection", "0", "1 to 10000"),
            ("ramp_secs", "-1", "0 to 60"),
            ("ramp_secs", "61", "0 to 60"),
            ("max_media_mib", "0", "1 to 1048576"),
        ] {
            refused(&with(key, value), &[key, value, allowed]);
        }
        refused(r#"{"interviews": []}"#, &["interviews is empty", "after the flags"]);
        let interviews =
            |rest: &str| format!(r#"{{"interviews": [{{"file": "a.mp4"}}, {{"file": "b.mp4", {rest}}}]}}"#);
        refused(&interviews(r#""weight": 0"#), &["weight of interview 2", "0.000001 to 1000000"]);
        refused(&interviews(r#""label": "a\nb""#), &["label of interview 2", "control"]);
        let profile = read(&with("width", "640")).expect("can be read");
        for secs in [0.0, f64::NAN, 90_000.0] {
            assert_eq!(profile.validate(secs).expect_err("too short, no number or too long").key, "--secs");
        }
    }
}
