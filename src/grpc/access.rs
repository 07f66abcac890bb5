//! Who may call: `authorization: Bearer KEY` or `x-api-key: KEY`, checked before a message is read.
//!
//! Health stays open, because load balancers have no key; reflection needs one like everything else.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use tonic::Status;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::audit::{Actor, ActorKind};
use crate::error::ErrorKind;
use crate::service::Caller;
use crate::session::TenantId;

use super::options::{ApiKey, GrpcError, Scope};
use super::status;

const OPEN_PREFIX: &str = "/grpc.health.v1.Health/";
/// Longer credentials are refused unread.
const MAX_KEY_BYTES: usize = 512;

/// The keys that open the services.
#[derive(Clone)]
pub(super) struct AccessLayer {
    keys: Arc<[(Arc<Caller>, [u8; 32])]>,
    anyone: Arc<Caller>,
}

impl AccessLayer {
    /// A layer that lets in who holds one of `keys`, or everyone without any.
    pub(super) fn new(keys: &[ApiKey]) -> Result<Self, GrpcError> {
        let keys = keys.iter().map(|key| Ok((Arc::new(key.caller()?), key.digest()?)));
        Ok(Self { keys: keys.collect::<Result<_, GrpcError>>()?, anyone: Arc::new(anyone()) })
    }

    /// Who calls, or why the call is refused. Takes the same time whichever key matches, and whether any does.
    fn identify(&self, path: &str, headers: &http::HeaderMap) -> Result<Arc<Caller>, Status> {
        if self.keys.is_empty() || path.starts_with(OPEN_PREFIX) {
            return Ok(Arc::clone(&self.anyone));
        }
        let refused =
            || Status::unauthenticated("no known API key: send it as 'authorization: Bearer KEY' or 'x-api-key: KEY'");
        let key = presented(headers).filter(|key| key.len() <= MAX_KEY_BYTES).ok_or_else(refused)?;
        let digest = <[u8; 32]>::from(Sha256::digest(key));
        let mut found = u64::MAX;
        for (position, (_, known)) in (0_u64..).zip(self.keys.iter()) {
            found.conditional_assign(&position, known.ct_eq(&digest));
        }
        let position = usize::try_from(found).map_err(|_| refused())?;
        self.keys.get(position).map(|(caller, _)| Arc::clone(caller)).ok_or_else(refused)
    }
}

/// Whoever calls a server without keys: all that concerns sessions, and nothing for which somebody must be told apart.
fn anyone() -> Caller {
    let scopes = [Scope::Sessions, Scope::Review];
    Caller {
        tenant: TenantId::default(),
        actor: Actor { kind: ActorKind::ApiKey, name: "anyone".to_owned() },
        permissions: scopes.iter().flat_map(|scope| scope.permissions()).copied().collect(),
    }
}

/// Who makes a call that the layer let in.
pub(super) fn caller(extensions: &tonic::Extensions) -> Result<Arc<Caller>, Status> {
    let caller = extensions.get::<Arc<Caller>>().cloned();
    caller.ok_or_else(|| status::of_kind(ErrorKind::Internal, "the call did not pass the access check"))
}

fn presented(headers: &http::HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.as_bytes());
    }
    let (scheme, key) = headers.get(http::header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii())
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { layer: self.clone(), inner }
    }
}

/// A service behind [`AccessLayer`].
#[derive(Clone)]
pub(super) struct Access<S> {
    layer: AccessLayer,
    inner: S,
}

impl<S> Service<http::Request<Body>> for Access<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<S::Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        match self.layer.identify(request.uri().path(), request.headers()) {
            Ok(caller) => {
                tracing::debug!(caller = %caller.actor, rpc = request.uri().path(), "let in");
                request.extensions_mut().insert(caller);
                Either::Right(self.inner.call(request))
            }
            Err(status) => Either::Left(ready(Ok(status.into_http()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use sha2::{Digest as _, Sha256};

    use super::{AccessLayer, ApiKey, Scope};

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }

    const RPC: &str = "/bonafide.v1.SessionService/GetSession";

    fn layer() -> AccessLayer {
        let key = |name: &str, text: &str| {
            let digest = <[u8; 32]>::from(Sha256::digest(text));
            ApiKey { name: name.into(), sha256: hex(&digest), tenant: "default".into(), scopes: vec![Scope::Sessions] }
        };
        AccessLayer::new(&[key("first", "alpha"), key("second", "beta")]).expect("valid keys")
    }

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).expect("printable"))])
    }

    #[test]
    fn either_header_and_either_key_open() {
        let cases = [
            ("authorization", "Bearer alpha", "first"),
            ("authorization", "bearer beta", "second"),
            ("x-api-key", "beta", "second"),
        ];
        for (name, value, caller) in cases {
            let found = layer().identify(RPC, &headers(name, value)).expect("known");
            assert_eq!(found.actor.name, caller);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "x".repeat(600);
        let cases = [
            ("authorization", "Bearer gamma"),
            ("authorization", "Basic alpha"),
            ("authorization", "alpha"),
            ("authorization", ""),
            ("x-api-key", ""),
            ("x-api-key", "alphabeta"),
            ("x-api-key", &long),
            ("cookie", "alpha"),
        ];
        for (name, value) in cases {
            let status = layer().identify(RPC, &headers(name, value)).expect_err(value);
            assert_eq!(status.code(), tonic::Code::Unauthenticated);
        }
        let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        assert!(layer().identify(reflection, &HeaderMap::new()).is_err());
    }

    #[test]
    fn health_is_open_and_so_is_a_server_without_keys() {
        assert!(layer().identify("/grpc.health.v1.Health/Check", &HeaderMap::new()).is_ok());
        assert!(AccessLayer::new(&[]).expect("valid").identify(RPC, &HeaderMap::new()).is_ok());
    }
}
