//! Which files are evaluated, and what is true of them: a CSV file, or folders whose names say it.
//!
//! Columns: `path` (below the root), `label`, `identity` or `scene`, and if there `group` (what belongs together when independence
//! counts: person, video, capture set), `source` (capture set), `species` (kind of attack), any `group_...` (age, sex, light,
//! whatever error rates are to be told apart by), and `held_out` (the bona fide logit of a model that was trained without the
//! file, where the shipped one was trained with it). Others are ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::EvalError;

/// How columns begin whose values error rates are told apart by.
const GROUP_PREFIX: &str = "group_";
/// Entries of a folder that are looked at; more is a mistake in `--root`.
const MAX_FILES: usize = 1_000_000;
/// Ends of names that are media.
const MEDIA_EXTENSIONS: [&str; 10] = ["jpg", "jpeg", "png", "webp", "mp4", "mov", "mkv", "webm", "avi", "m4v"];
/// Labels that mean bona fide, beside the term itself: other data sets have other words.
const BONA_FIDE: [&str; 6] = ["bona_fide", "bonafide", "bona-fide", "genuine", "real", "live"];
/// Labels that mean an attack of some kind.
const ATTACK: [&str; 10] = [
    "attack",
    "presentation_attack",
    "injection_attack",
    "deepfake",
    "substitution",
    "spoof",
    "fake",
    "print",
    "replay",
    "mask",
];

/// What is true of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// A genuine person before the real camera.
    BonaFide,
    /// Anything else.
    Attack,
}

/// One file with what its label says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// As in the manifest, below the root.
    pub(super) path: String,
    /// Where it lies.
    pub(super) file: PathBuf,
    /// The label's own word, or the identity.
    pub(super) name: String,
    /// `source` column.
    pub(super) source: Option<String>,
    /// `species` column.
    pub(super) species: Option<String>,
    /// `group` column.
    pub(super) group: Option<String>,
    /// Columns that begin with `group_`, by the rest of their name: what error rates are told apart by.
    pub(super) groups: BTreeMap<String, String>,
    /// `held_out` column: takes the place of what the shipped model says.
    pub(super) held_out: Option<f64>,
}

impl Item {
    /// What the label means.
    pub(super) fn label(&self) -> Option<Label> {
        let name = self.name.to_ascii_lowercase();
        if BONA_FIDE.contains(&name.as_str()) {
            Some(Label::BonaFide)
        } else {
            ATTACK.contains(&name.as_str()).then_some(Label::Attack)
        }
    }

    /// The kind of attack that error rates are told apart by: `species`, else `source`, else the label's own word.
    pub(super) fn species(&self) -> &str {
        self.species.as_deref().or(self.source.as_deref()).unwrap_or(&self.name)
    }

    /// What it shares its errors with: `group`, else `source`, else nothing but itself.
    pub(super) fn group(&self) -> &str {
        self.group.as_deref().or(self.source.as_deref()).unwrap_or(&self.path)
    }
}

/// What the second column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// `label`: bona fide or attack.
    Label,
    /// `identity`: who it is.
    Identity,
    /// `scene`: where it is.
    Scene,
}

/// Reads the manifest, or the folders below the root when there is none, and checks every label.
pub(super) fn read(manifest: Option<&Path>, root: &Path, naming: Naming) -> Result<Vec<Item>, EvalError> {
    let items = match manifest {
        Some(path) => read_csv(path, root, naming)?,
        None => read_folders(root, naming)?,
    };
    if items.is_empty() {
        let place = manifest.unwrap_or(root).display();
        return Err(EvalError::TooFew { problem: format!("{place} names no file") });
    }
    Ok(items)
}

/// Checks before hours of work that every file is there: one that is not is a mistake in the manifest or the root, while one
/// that cannot be decoded is a non-response.
pub(super) fn check_files(items: &[Item]) -> Result<(), EvalError> {
    let missing: Vec<&Item> = items.iter().filter(|item| !item.file.is_file()).collect();
    match missing.first() {
        Some(item) => Err(EvalError::TooFew {
            problem: format!(
                "{} of {} files are not there, such as {}: is --root right?",
                missing.len(),
                items.len(),
                item.file.display()
            ),
        }),
        None => Ok(()),
    }
}

fn read_csv(manifest: &Path, root: &Path, naming: Naming) -> Result<Vec<Item>, EvalError> {
    let fail = |line: u64, problem: String| EvalError::Manifest { path: manifest.to_owned(), line, problem };
    let file = std::fs::File::open(manifest).map_err(EvalError::read(manifest))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|error| fail(1, error.to_string()))?.clone();
    let column = |names: &[&str]| headers.iter().position(|header| names.contains(&header));
    let wanted: &[&str] = match naming {
        Naming::Label => &["label"],
        Naming::Identity => &["identity", "person", "label"],
        Naming::Scene => &["scene", "place", "label"],
    };
    let missing = |what: &str| fail(1, format!("has no column {what}; it has {}", join(headers.iter())));
    let path_at = column(&["path"]).ok_or_else(|| missing("path"))?;
    let name_at = column(wanted).ok_or_else(|| missing(&join(wanted.iter().copied())))?;
    let (source_at, species_at, group_at) = (column(&["source"]), column(&["species"]), column(&["group"]));
    let held_out_at = column(&["held_out"]);
    let labelled: Vec<(String, usize)> = headers
        .iter()
        .enumerate()
        .filter_map(|(at, header)| Some((header.strip_prefix(GROUP_PREFIX)?.to_owned(), at)))
        .collect();
    let mut items = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            fail(line, error.to_string())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let value = |at: usize| record.get(at).filter(|value| !value.is_empty()).map(str::to_owned);
        let optional = |at: Option<usize>| at.and_then(value);
        let path = value(path_at).ok_or_else(|| fail(line, "path is empty".to_owned()))?;
        let item = Item {
            file: root.join(&path),
            path,
            name: value(name_at).ok_or_else(|| fail(line, "label is empty".to_owned()))?,
            source: optional(source_at),
            species: optional(species_at),
            group: optional(group_at),
            groups: labelled.iter().filter_map(|(name, at)| Some((name.clone(), value(*at)?))).collect(),
            held_out: optional(held_out_at)
                .map(|text| statistic(&text))
                .transpose()
                .map_err(|problem| fail(line, problem))?,
        };
        check(&item, naming).map_err(|problem| fail(line, problem))?;
        items.push(item);
    }
    Ok(items)
}

fn read_folders(root: &Path, naming: Naming) -> Result<Vec<Item>, EvalError> {
    let mut items = Vec::new();
    for folder in sorted_entries(root)? {
        if !folder.is_dir() {
            continue;
        }
        let name = file_name(&folder);
        for file in sorted_entries(&folder)? {
            let extension = file.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
            if !extension.is_some_and(|end| MEDIA_EXTENSIONS.contains(&end.as_str())) {
                continue;
            }
            let path = format!("{name}/{}", file_name(&file));
            let item = Item {
                path,
                file,
                name: name.clone(),
                source: None,
                species: None,
                group: None,
                groups: BTreeMap::new(),
                held_out: None,
            };
            check(&item, naming).map_err(|problem| EvalError::TooFew {
                problem: format!("folder {}: {problem}; or name the files in a manifest", folder.display()),
            })?;
            items.push(item);
        }
        if items.len() > MAX_FILES {
            return Err(EvalError::TooFew { problem: format!("more than {MAX_FILES} files below {}", root.display()) });
        }
    }
    Ok(items)
}

fn statistic(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("held_out {text:?} is not a number"))
}

fn check(item: &Item, naming: Naming) -> Result<(), String> {
    if naming == Naming::Label && item.label().is_none() {
        let (bona_fide, attack) = (join(BONA_FIDE.into_iter()), join(ATTACK.into_iter()));
        return Err(format!("label {:?} is neither bona fide ({bona_fide}) nor an attack ({attack})", item.name));
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let entries = std::fs::read_dir(folder).map_err(EvalError::read(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(EvalError::read(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Item, Label, Naming, read};

    fn items(text: &str, naming: Naming) -> Result<Vec<Item>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = folder.path().join("manifest.csv");
        std::fs::write(&manifest, text).expect("writes");
        read(Some(&manifest), Path::new("/data"), naming).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_found_by_name_and_others_are_ignored() {
        let text = "camera,label,path,source\nfront,bona_fide,a/1.jpg,lab\nback,deepfake,a/2.jpg,\n";
        let items = items(text, Naming::Label).expect("reads");
        assert_eq!((items[0].label(), items[1].label()), (Some(Label::BonaFide), Some(Label::Attack)));
        assert_eq!(items[0].file, Path::new("/data/a/1.jpg"));
        assert_eq!((items[0].species(), items[0].group()), ("lab", "lab"));
        assert_eq!((items[1].species(), items[1].group()), ("deepfake", "a/2.jpg"));
    }

    #[test]
    fn a_wrong_manifest_is_told_by_its_line() {
        let check = |text: &str, expected: &str| {
            let error = items(text, Naming::Label).expect_err(text);
            assert!(error.contains(expected), "{error}");
        };
        check("path,kind\na.jpg,attack\n", "no column label; it has path, kind");
        check("path,label\na.jpg,attack\nb.jpg,weather\n", "line 3: label \"weather\" is neither");
        check("path,label\n,attack\n", "line 2: path is empty");
        check("path,label,held_out\na.jpg,attack,-1.5\nb.jpg,attack,inf\n", "line 3: held_out \"inf\" is not a number");
        check("path,label\na.jpg,attack,more\n", "line 2");
        check("path,label\n", "names no file");
    }

    #[test]
    fn folders_name_labels_or_people() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["bona_fide/a.mp4", "deepfake/b.webm", "deepfake/notes.txt"] {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().expect("has one")).expect("makes");
            std::fs::write(file, "x").expect("writes");
        }
        let items = read(None, folder.path(), Naming::Label).expect("reads");
        let paths: Vec<&str> = items.iter().map(|item| item.path.as_str()).collect();
        assert_eq!(paths, ["bona_fide/a.mp4", "deepfake/b.webm"]);
        std::fs::create_dir(folder.path().join("Jane_Doe")).expect("makes");
        std::fs::write(folder.path().join("Jane_Doe/1.jpg"), "x").expect("writes");
        let error = read(None, folder.path(), Naming::Label).expect_err("no label").to_string();
        assert!(error.contains("Jane_Doe"), "{error}");
        assert_eq!(read(None, folder.path(), Naming::Identity).expect("reads").len(), 3);
    }
}
