//! The other side of `/readyz`: asks a running server whether it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most bytes of an answer that are looked at.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// What a running server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It takes new work.
    Ready,
    /// It runs and takes no new work now.
    NotReady {
        /// What it said.
        answer: String,
    },
    /// Nobody answered in time.
    Unreachable {
        /// What went wrong.
        problem: String,
    },
}

/// Asks `/readyz` at `address`; an unspecified address (`0.0.0.0`, `::`) means this machine.
pub async fn probe_ready(address: SocketAddr, timeout: Duration) -> ProbeOutcome {
    match tokio::time::timeout(timeout, ask(reachable(address))).await {
        Ok(Ok(answer)) => interpret(&answer),
        Ok(Err(error)) => ProbeOutcome::Unreachable { problem: error.to_string() },
        Err(_elapsed) => ProbeOutcome::Unreachable { problem: format!("no answer within {} s", timeout.as_secs_f64()) },
    }
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn interpret(answer: &str) -> ProbeOutcome {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    match status {
        Some("200") => ProbeOutcome::Ready,
        Some(status) => {
            let said = body.trim();
            ProbeOutcome::NotReady {
                answer: if said.is_empty() { format!("status {status}") } else { said.to_owned() },
            }
        }
        None => {
            ProbeOutcome::Unreachable { problem: "the answer is not HTTP: is this the port of ops_listen?".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ProbeOutcome, interpret};

    #[test]
    fn only_a_good_status_means_ready() {
        let not_ready = |answer: &str| ProbeOutcome::NotReady { answer: answer.to_owned() };
        assert_eq!(interpret("HTTP/1.1 200 OK\r\n\r\nready\n"), ProbeOutcome::Ready);
        assert_eq!(interpret("HTTP/1.1 503 Service Unavailable\r\n\r\nnot ready: x\n"), not_ready("not ready: x"));
        assert_eq!(interpret("HTTP/1.1 404 Not Found\r\n\r\n"), not_ready("status 404"));
        for strange in ["", "HTTP/1.1 ", "SSH-2.0-x\r\n", "HTTP/1.1 \u{e9}\u{e9}"] {
            assert!(matches!(interpret(strange), ProbeOutcome::Unreachable { .. }), "{strange:?}");
        }
    }
}
