//! The functions that Envoy calls. A panic never leaves them: the request is refused.
#![expect(unsafe_code, reason = "Envoy calls these functions with pointers")]

use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::{self, Buffer, ConfigPointer, FilterPointer, Header};
use crate::filter::{Filter, Flow, Request, fail_closed};
use crate::host::{Config, HostError, Level, NOTHING, Stream, give_away, log};
use crate::lookups::Response;

/// A request with the configuration that was valid when it came. Envoy keeps the configuration for as long.
struct Pair {
    filter: *const Filter,
    request: Request,
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    std::panic::set_hook(Box::new(|panic| {
        // The message may hold anything; the place does not.
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        log(Level::Error, || format!("byok: panicked at {place}"));
    }));
    abi::VERSION.as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    config: ConfigPointer,
    name: Buffer,
    json: Buffer,
) -> *const c_void {
    // SAFETY: Envoy's buffers live for as long as this call, and its configuration longer than ours.
    let (config, name, json) = unsafe { (Config::new(config), name.bytes(), json.bytes()) };
    let load = || Filter::load(config, String::from_utf8_lossy(name).into_owned(), json.to_vec());
    match catch_unwind(AssertUnwindSafe(load)) {
        Ok(Some(filter)) => give_away(filter).cast_const().cast(),
        Ok(None) | Err(_) => NOTHING,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(filter: *mut Filter) {
    if !filter.is_null() {
        // SAFETY: it is what `…_config_new` has returned, and no request uses it any more.
        let filter = unsafe { Box::from_raw(filter) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(filter)));
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(filter: *const Filter, _stream: FilterPointer) -> *const c_void {
    give_away(Pair { filter, request: Request::default() }).cast_const().cast()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(pair: *mut Pair) {
    // SAFETY: it is what `…_filter_new` has returned, and Envoy does not use it any more.
    let mut pair = unsafe { Box::from_raw(pair) };
    cancel(&mut pair);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(_stream: FilterPointer, pair: *mut Pair) {
    // SAFETY: Envoy passes what `…_filter_new` has returned, and runs one hook of a request at a time.
    cancel(unsafe { &mut *pair });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    stream: FilterPointer,
    pair: *mut Pair,
    _end_of_stream: bool,
) -> u32 {
    // SAFETY: as above.
    match unsafe { run(stream, pair, Filter::on_request) } {
        Flow::Continue => abi::CONTINUE,
        Flow::Replied => abi::STOP_ITERATION,
        Flow::Paused => abi::STOP_ALL_ITERATION_AND_WATERMARK,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    stream: FilterPointer,
    pair: *mut Pair,
    _event: u64,
) {
    // SAFETY: as above.
    if unsafe { run(stream, pair, Filter::on_woken) } == Flow::Continue {
        // SAFETY: as above.
        unsafe { Stream::new(stream) }.continue_decoding();
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    _config: ConfigPointer,
    filter: *const Filter,
    _event: u64,
) {
    // SAFETY: Envoy passes what `…_config_new` has returned.
    let filter = unsafe { &*filter };
    let _ = catch_unwind(AssertUnwindSafe(|| filter.on_main_thread()));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    _config: ConfigPointer,
    filter: *const Filter,
    id: u64,
    result: u32,
    headers: *const Header,
    header_count: usize,
    body: *const Buffer,
    chunk_count: usize,
) {
    // SAFETY: Envoy passes what `…_config_new` has returned, and arrays of that many elements, whose bytes live for as long
    // as this call.
    let (filter, headers, body) = unsafe { (&*filter, slice(headers, header_count), slice(body, chunk_count)) };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as above.
        let line = |line: &Header| unsafe { (line.name.bytes(), line.value.bytes()) };
        let headers: Vec<_> = headers.iter().map(line).collect();
        // SAFETY: as above.
        let body: Vec<_> = body.iter().map(|chunk| unsafe { chunk.bytes() }).collect();
        filter.on_response(id, (result == abi::SUCCESS).then_some(Response { headers: &headers, body: &body }));
    }));
}

/// Runs a step of a request. Whatever goes wrong refuses it.
///
/// # Safety
/// The pointers must be those that Envoy has passed to the hook that runs.
unsafe fn run(
    stream: FilterPointer,
    pair: *mut Pair,
    step: impl FnOnce(&Filter, &mut Request, Stream<'_>) -> Result<Flow, HostError>,
) -> Flow {
    // SAFETY: Envoy runs one hook of a request at a time, and keeps the configuration for as long as the request.
    let (stream, pair) = unsafe { (Stream::new(stream), &mut *pair) };
    // SAFETY: as above.
    let filter = unsafe { &*pair.filter };
    match catch_unwind(AssertUnwindSafe(|| step(filter, &mut pair.request, stream))) {
        Ok(Ok(flow)) => return flow,
        Ok(Err(HostError)) => fail_closed(stream),
        Err(_) => filter.on_panic(stream),
    }
    Flow::Replied
}

fn cancel(pair: &mut Pair) {
    // SAFETY: Envoy keeps the configuration for as long as the request.
    let filter = unsafe { &*pair.filter };
    let _ = catch_unwind(AssertUnwindSafe(|| filter.cancel(&mut pair.request)));
}

/// # Safety
/// The array must have that many elements, unless it is null.
unsafe fn slice<'a, T>(array: *const T, count: usize) -> &'a [T] {
    if array.is_null() {
        return &[];
    }
    // SAFETY: passed on to the caller.
    unsafe { std::slice::from_raw_parts(array, count) }
}

/// Hooks that Envoy demands and that have nothing to do here.
macro_rules! idle {
    ($($name:ident($($type:ty),*) $(-> $status:ty)?;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $type),*) $(-> $status)? {
            $(abi::CONTINUE as $status)?
        }
    )*};
}

idle! {
    envoy_dynamic_module_on_http_filter_request_body(FilterPointer, *mut Pair, bool) -> u32;
    envoy_dynamic_module_on_http_filter_request_trailers(FilterPointer, *mut Pair) -> u32;
    envoy_dynamic_module_on_http_filter_response_headers(FilterPointer, *mut Pair, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_body(FilterPointer, *mut Pair, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_trailers(FilterPointer, *mut Pair) -> u32;
    envoy_dynamic_module_on_http_filter_http_callout_done(
        FilterPointer, *mut Pair, u64, u32, *const Header, usize, *const Buffer, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(
        FilterPointer, *mut Pair, u64, *const Header, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(
        FilterPointer, *mut Pair, u64, *const Buffer, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(FilterPointer, *mut Pair, u64, *const Header, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(FilterPointer, *mut Pair, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(FilterPointer, *mut Pair, u64, u32);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(FilterPointer, *mut Pair);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(FilterPointer, *mut Pair);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::ptr::null_mut;

    use super::*;
    use crate::fake::{COUNTED, REPLIES, config};

    /// Runs a step of a request under a small configuration.
    fn run_step(step: impl FnOnce(&Filter, &mut Request, Stream<'_>) -> Result<Flow, HostError>) -> Flow {
        let json = br#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE" } ] } ] }"#;
        let filter = Filter::load(config(), "test".to_owned(), json.to_vec()).unwrap();
        let mut pair = Pair { filter: &raw const filter, request: Request::default() };
        // SAFETY: as above; the pair lives until the end of this function.
        unsafe { run(null_mut(), &raw mut pair, step) }
    }

    #[test]
    fn a_panic_stays_in_the_hook_and_refuses_the_request_and_is_counted() {
        assert!(run_step(|_, _, _| panic!("EXAMPLE")) == Flow::Replied);
        assert_eq!(REPLIES.take(), [(500, "byok_host_error".to_owned())]);
        assert_eq!(COUNTED.take(), ["byok.panics"]);
    }

    #[test]
    fn a_request_whose_headers_cannot_be_read_is_refused() {
        assert!(run_step(Filter::on_request) == Flow::Replied);
        assert_eq!(REPLIES.take(), [(500, "byok_host_error".to_owned())]);
        assert_eq!(COUNTED.take(), [""; 0]);
    }
}
