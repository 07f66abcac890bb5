//! Flags of `bonafide serve`.

use std::net::SocketAddr;

use clap::Args;

/// Serves interviews over gRPC until it is told to stop.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address and port for gRPC; port 0 lets the system choose and is printed
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
}
