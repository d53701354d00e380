//! The requests of the benchmarks: those of an Anthropic SDK.

/// The path that is measured.
pub const PATH: &str = "/v1/messages?beta=true";

/// What a request carries besides its credentials.
///
/// There is no body: Envoy answers in the upstream's place before a body has been read, and then
/// closes an HTTP/1.1 connection.
pub const OTHER_HEADERS: [(&str, &str); 15] = [
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "*"),
    ("anthropic-beta", "interleaved-thinking-2025-05-14,context-management-2025-06-27"),
    ("anthropic-version", "2023-06-01"),
    ("content-length", "0"),
    ("content-type", "application/json"),
    ("user-agent", "example-cli/2.1.0 (external, cli)"),
    ("x-app", "cli"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-lang", "js"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-package-version", "0.70.0"),
    ("x-stainless-runtime", "node"),
    ("x-stainless-runtime-version", "v22.20.0"),
];

/// A request's credential headers.
pub type Credentials = Vec<(&'static str, String)>;

/// Returns the lines that Envoy hands to a filter for `http1`'s request.
pub fn lines<'a>(path: &'a str, credentials: &'a [(&str, String)]) -> Vec<(&'a [u8], &'a [u8])> {
    let own = [(":authority", "llm.example.com"), (":path", path), (":method", "POST"), (":scheme", "http")];
    let added = [("x-forwarded-proto", "http"), ("x-request-id", "0b0e2b52-6e1c-4d0a-8f0e-5f2f2f3a9d7c")];
    let credentials = credentials.iter().map(|(name, value)| (*name, &**value));
    let lines = own.into_iter().chain(OTHER_HEADERS).chain(credentials).chain(added);
    lines.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// Returns a request for that path as HTTP/1.1 writes it.
pub(super) fn http1(path: &str, credentials: &Credentials) -> Vec<u8> {
    let credentials = credentials.iter().map(|(name, value)| (*name, &**value));
    let lines: String =
        OTHER_HEADERS.into_iter().chain(credentials).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST {path} HTTP/1.1\r\nhost: llm.example.com\r\n{lines}\r\n").into_bytes()
}
