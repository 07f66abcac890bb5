//! A recording decoded on a thread of its own, a few frames ahead of who looks at them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::media::{MediaError, Recording, VideoFrame};
use crate::service::ServiceError;

/// Frames that are decoded and wait: enough that neither side stands still for a slow frame of the other.
const MAX_AHEAD: usize = 16;

/// Frames in presentation order; after an error nothing comes.
pub(super) struct Frames {
    decoded: Receiver<Result<VideoFrame, MediaError>>,
}

impl Frames {
    /// The next frame; `None` at the end.
    pub(super) fn next(&self) -> Result<Option<VideoFrame>, MediaError> {
        self.decoded.recv().ok().transpose()
    }
}

/// Lets `look` take the recording's frames while the next ones are decoded; decoding ends when `look` does.
///
/// # Errors
/// Those of `look`; [`ServiceError::Internal`] when no thread can be started.
pub(super) fn read_ahead<T>(
    recording: &mut Recording,
    look: impl FnOnce(Frames) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let (to_look, decoded) = sync_channel(MAX_AHEAD);
    thread::scope(|scope| {
        let decode = move || {
            while let Some(frame) = recording.next_frame().transpose() {
                // Nobody looks any more.
                if to_look.send(frame).is_err() {
                    break;
                }
            }
        };
        let started = thread::Builder::new().name("decode".to_owned()).spawn_scoped(scope, decode);
        started.map_err(|source| ServiceError::Internal { problem: format!("no thread to decode on: {source}") })?;
        look(Frames { decoded })
    })
}
