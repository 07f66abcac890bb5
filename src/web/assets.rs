//! Stylesheet, scripts and icon: built in, named by their content, kept by browsers for good.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::error::Failure;
use super::hex::hex;

/// Where assets are.
pub(super) const PREFIX: &str = "/assets/";
/// What is named by its content never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// One asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asset {
    /// The look of every page.
    Style,
    /// What every page can do besides being read.
    Common,
    /// The cursor and the zoom of a timeline.
    Timeline,
    /// Following a session live.
    Live,
    /// The mark in the browser's tab.
    Icon,
}

impl Asset {
    const ALL: [Self; 5] = [Self::Style, Self::Common, Self::Timeline, Self::Live, Self::Icon];

    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Style => include_bytes!("assets/style.css"),
            Self::Common => include_bytes!("assets/common.js"),
            Self::Timeline => include_bytes!("assets/timeline.js"),
            Self::Live => include_bytes!("assets/live.js"),
            Self::Icon => include_bytes!("assets/icon.svg"),
        }
    }

    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Style => ("style", "css", "text/css; charset=utf-8"),
            Self::Common => ("common", "js", "text/javascript; charset=utf-8"),
            Self::Timeline => ("timeline", "js", "text/javascript; charset=utf-8"),
            Self::Live => ("live", "js", "text/javascript; charset=utf-8"),
            Self::Icon => ("icon", "svg", "image/svg+xml"),
        }
    }

    /// Its address.
    pub(super) fn path(self) -> &'static str {
        let known = paths().iter().find(|(asset, _)| *asset == self);
        known.map_or("", |(_, path)| path)
    }
}

/// The addresses of all assets, with the beginning of their digests.
fn paths() -> &'static [(Asset, String)] {
    static PATHS: OnceLock<Vec<(Asset, String)>> = OnceLock::new();
    PATHS.get_or_init(|| {
        let path = |asset: Asset| {
            let (name, end, _) = asset.parts();
            let digits = hex(Sha256::digest(asset.bytes()).get(..8).unwrap_or_default());
            (asset, format!("{PREFIX}{name}-{digits}.{end}"))
        };
        Asset::ALL.into_iter().map(path).collect()
    })
}

/// Serves an asset by its name; another version's name is not known.
pub(super) async fn show(Path(name): Path<String>) -> Response {
    let known = paths().iter().find(|(_, path)| path.strip_prefix(PREFIX) == Some(name.as_str()));
    match known {
        Some((asset, _)) => {
            let headers = [(header::CONTENT_TYPE, asset.parts().2), (header::CACHE_CONTROL, FOREVER)];
            (headers, asset.bytes()).into_response()
        }
        None => Failure::not_found().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::Asset;

    #[test]
    fn every_asset_is_named_by_its_content_and_needs_nobody_else() {
        for asset in Asset::ALL {
            assert!(asset.path().starts_with("/assets/") && asset.path().len() > 24, "{}", asset.path());
            let text = std::str::from_utf8(asset.bytes()).expect("is text");
            let allowed = "http://www.w3.org/2000/svg";
            assert!(!text.replace(allowed, "").contains("://"), "{asset:?} names another host");
            assert!(!text.contains("innerHTML") && !text.contains("eval("), "{asset:?} makes markup or code of text");
        }
    }

    #[test]
    fn assets_are_small() {
        let total: usize = Asset::ALL.iter().map(|asset| asset.bytes().len()).sum();
        assert!(total < 64 * 1024, "{total} bytes");
    }
}
