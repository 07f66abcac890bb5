//! Flags of `bonafide score`.

use std::path::PathBuf;

use clap::Args;

/// Scores recordings on this machine, without a server.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// Recordings, in any container that FFmpeg reads
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object a file instead of a table
    #[arg(long)]
    pub json: bool,
    /// Picture of the person who should be in the interview (CV or identity photo)
    #[arg(long, value_name = "IMAGE")]
    pub reference: Option<PathBuf>,
    /// Scoring policy to use instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}
