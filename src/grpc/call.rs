//! What every unary call goes through: admission, deadline, panics, status, count.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use crate::service::ServiceError;
use crate::telemetry::metrics::CallWatch;

use super::field::FieldError;
use super::options::{GrpcOptions, secs};
use super::status;

/// A caller who is refused should come back after this.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The request cannot be used.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The use case failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl CallError {
    /// What the caller gets.
    pub(super) fn to_status(&self) -> Status {
        match self {
            Self::Field(error) => status::of_field(error),
            Self::Service(error) => status::of_service(error),
        }
    }
}

/// The bounds of unary calls.
pub(super) struct Calls {
    permits: Semaphore,
    limit: u32,
    longest: Duration,
}

impl Calls {
    /// Bounds by `options`.
    pub(super) fn new(options: &GrpcOptions) -> Self {
        Self {
            permits: Semaphore::new(usize::try_from(options.max_concurrent_calls).unwrap_or(usize::MAX)),
            limit: options.max_concurrent_calls,
            longest: secs(options.call_deadline_secs),
        }
    }

    /// How long a call with these headers may take: the caller's `grpc-timeout` up to the server's own bound.
    pub(super) fn time_limit(&self, metadata: &MetadataMap) -> Duration {
        let asked = metadata.get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?));
        asked.map_or(self.longest, |asked| asked.min(self.longest))
    }

    /// Carries out one call of the method `rpc` (`Service/Method`).
    pub(super) async fn run<T>(
        &self,
        rpc: &'static str,
        metadata: &MetadataMap,
        work: impl Future<Output = Result<T, CallError>> + Send,
    ) -> Result<Response<T>, Status> {
        let watch = CallWatch::start(rpc);
        let answer = self.admit_and_run(rpc, metadata, work).await;
        let code = answer.as_ref().err().map_or(tonic::Code::Ok, Status::code);
        watch.end(code.into());
        tracing::debug!(rpc, code = ?code, "answered call");
        answer
    }

    async fn admit_and_run<T>(
        &self,
        rpc: &'static str,
        metadata: &MetadataMap,
        work: impl Future<Output = Result<T, CallError>> + Send,
    ) -> Result<Response<T>, Status> {
        let limit = self.time_limit(metadata);
        let Ok(_permit) = self.permits.try_acquire() else {
            let limit = u64::from(self.limit);
            let full = ServiceError::Overloaded { what: "concurrent calls", limit, retry_after: RETRY_AFTER };
            return Err(status::of_service(&full));
        };
        let outcome = tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await;
        match outcome {
            Ok(Ok(Ok(answer))) => Ok(Response::new(answer)),
            Ok(Ok(Err(error))) => Err(error.to_status()),
            Ok(Err(_panic)) => Err(status::of_panic(rpc)),
            Err(_elapsed) => {
                Err(status::of_service(&ServiceError::Timeout { what: rpc, limit_secs: limit.as_secs_f64() }))
            }
        }
    }
}

/// A `grpc-timeout` header: at most eight digits and a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;
    use tonic::metadata::MetadataMap;

    use super::{Calls, GrpcOptions, parse_timeout};
    use crate::grpc::field::FieldError;

    fn calls() -> Calls {
        Calls::new(&GrpcOptions { max_concurrent_calls: 1, call_deadline_secs: 5.0, ..GrpcOptions::default() })
    }

    #[test]
    fn timeouts_are_read_in_every_unit() {
        let cases = [("1H", 3_600_000), ("2M", 120_000), ("3S", 3_000), ("40m", 40), ("5000u", 5), ("6000000n", 6)];
        for (text, millis) in cases {
            assert_eq!(parse_timeout(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "S", "1", "-1S", "123456789S", "1x", "1ü", "+1S"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_servers_bound_wins_over_a_longer_one() {
        let mut metadata = MetadataMap::new();
        assert_eq!(calls().time_limit(&metadata), Duration::from_secs(5));
        metadata.insert("grpc-timeout", "2S".parse().expect("ascii"));
        assert_eq!(calls().time_limit(&metadata), Duration::from_secs(2));
        metadata.insert("grpc-timeout", "9H".parse().expect("ascii"));
        assert_eq!(calls().time_limit(&metadata), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn slow_failing_and_panicking_calls_get_their_codes() {
        let (calls, mut metadata) = (calls(), MetadataMap::new());
        metadata.insert("grpc-timeout", "20m".parse().expect("ascii"));
        let slow = calls.run::<()>("Slow", &metadata, std::future::pending());
        assert_eq!(slow.await.expect_err("late").code(), Code::DeadlineExceeded);
        metadata.clear();
        let refused =
            calls.run("Refused", &metadata, async { Err::<(), _>(FieldError::new("name", "is not set").into()) });
        assert_eq!(refused.await.expect_err("refused").code(), Code::InvalidArgument);
        let broken = calls.run::<()>("Broken", &metadata, async { panic!("as a test") });
        assert_eq!(broken.await.expect_err("broken").code(), Code::Internal);
        assert!(calls.run("Fine", &metadata, async { Ok(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn calls_past_the_limit_are_refused_at_once() {
        let (calls, metadata) = (calls(), MetadataMap::new());
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let first = calls.run("First", &metadata, async {
            released.await.ok();
            Ok(())
        });
        let second = async {
            let status = calls.run("Second", &metadata, async { Ok(()) }).await.expect_err("full");
            release.send(()).ok();
            status
        };
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok());
        assert_eq!(second.code(), Code::ResourceExhausted);
    }
}
