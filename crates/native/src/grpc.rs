//! The status of a gRPC reply. Envoy derives it for its other filters, but takes that of a dynamic module for OK.

/// Returns what an HTTP status stands for in gRPC
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>).
pub(crate) fn status(http: u16) -> &'static str {
    match http {
        400 => "13",
        401 => "16",
        403 => "7",
        404 => "12",
        429 | 502..=504 => "14",
        _ => "2",
    }
}
