//! The export that Envoy calls with the request's headers, in place of the SDK's.
#![expect(unsafe_code, reason = "the SDK's export is called by its symbol")]

/// `FilterHeadersStatus::StopIteration`, the pause that the SDK knows: Envoy may send the body on.
const PAUSE: u32 = 1;
/// `FilterHeadersStatus::StopAllIterationAndWatermark`: body and trailers wait too, with back-pressure.
const PAUSE_ALL: u32 = 4;

unsafe extern "C" {
    fn proxy_on_request_headers(context_id: u32, headers: usize, end_of_stream: bool) -> u32;
}

/// Does what the SDK's export does, but pauses the whole request where that one pauses the headers only.
///
/// Packaging the module gives it the name of the SDK's export.
#[unsafe(no_mangle)]
extern "C" fn byok_on_request_headers(context_id: u32, headers: usize, end_of_stream: bool) -> u32 {
    // SAFETY: the SDK defines this function, with the signature that the ABI gives it.
    match unsafe { proxy_on_request_headers(context_id, headers, end_of_stream) } {
        PAUSE => PAUSE_ALL,
        other => other,
    }
}
