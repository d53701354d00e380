//! The check of a request, and the gRPC service around it: what tonic's code generator would write, for one method.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;

use crate::messages::{
    CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption, HttpStatus, OkHttpResponse, Status,
};

/// The method that Envoy calls.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// `google.rpc.Code.UNAUTHENTICATED`
const UNAUTHENTICATED: i32 = 16;

const PROXY_KEY_HEADER: &str = "x-litellm-api-key";
const PROVIDER_HEADER: &str = "x-api-key";

/// What never reaches the upstream; the provider's header does with a key of the client's.
const STRIPPED: [&str; 8] = [
    PROXY_KEY_HEADER,
    "authorization",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
];

/// What the service knows.
pub(crate) struct Table {
    pub(crate) keys: HashSet<String>,
    pub(crate) deployment_key: String,
}

impl Table {
    fn check(&self, headers: &HashMap<String, String>) -> CheckResponse {
        let header = |name: &str| headers.get(name).map(String::as_str);
        let bearer = header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        let candidates = [header(PROXY_KEY_HEADER), bearer, header(PROVIDER_HEADER)];
        if !candidates.into_iter().flatten().any(|key| self.keys.contains(key)) {
            return denied();
        }
        let client_key = header(PROVIDER_HEADER).filter(|key| !self.keys.contains(*key));
        let injected = client_key.is_none().then(|| set(PROVIDER_HEADER, &self.deployment_key));
        let removed = STRIPPED.into_iter().filter(|name| headers.contains_key(*name)).map(str::to_owned).collect();
        CheckResponse {
            status: Some(Status::default()),
            denied_response: None,
            ok_response: Some(OkHttpResponse { headers: injected.into_iter().collect(), headers_to_remove: removed }),
        }
    }
}

fn denied() -> CheckResponse {
    CheckResponse {
        status: Some(Status { code: UNAUTHENTICATED }),
        denied_response: Some(DeniedHttpResponse {
            status: Some(HttpStatus { code: 401 }),
            body: "unknown key".to_owned(),
        }),
        ok_response: None,
    }
}

fn set(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption { header: Some(HeaderValue { key: name.to_owned(), value: value.to_owned() }) }
}

/// The gRPC service.
#[derive(Clone)]
pub(crate) struct Authorization(Arc<Table>);

impl Authorization {
    pub(crate) fn new(table: Table) -> Self {
        Self(Arc::new(table))
    }
}

impl Service<http::Request<Body>> for Authorization {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let check = Check(Arc::clone(&self.0));
        Box::pin(async move {
            if request.uri().path() != CHECK {
                return Ok(tonic::Status::unimplemented("").into_http());
            }
            Ok(Grpc::new(ProstCodec::default()).unary(check, request).await)
        })
    }
}

struct Check(Arc<Table>);

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = Ready<Result<tonic::Response<CheckResponse>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let http = request.into_inner().attributes.and_then(|attributes| attributes.request?.http);
        let Some(http) = http else { return ready(Err(tonic::Status::invalid_argument("no request"))) };
        ready(Ok(tonic::Response::new(self.0.check(&http.headers))))
    }
}
