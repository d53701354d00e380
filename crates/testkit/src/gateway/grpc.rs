//! What Envoy makes of a local response to a gRPC request, read back.

/// The HTTP status that Envoy turned into this gRPC status.
pub fn http_status(grpc: &str) -> Option<u16> {
    match grpc {
        "13" => Some(400),
        "16" => Some(401),
        "7" => Some(403),
        "14" => Some(503),
        _ => None,
    }
}

/// The message, percent-decoded.
pub fn message(encoded: &str) -> Vec<u8> {
    let mut bytes = encoded.bytes();
    let mut message = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            message.push(byte);
            continue;
        }
        let digits = [bytes.next().unwrap_or_default(), bytes.next().unwrap_or_default()];
        let digits = std::str::from_utf8(&digits).unwrap_or_default();
        message.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
    }
    message
}
