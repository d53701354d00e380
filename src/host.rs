//! Calls to the host that the SDK does not offer in a form fit for use: bytes in, bytes out, no panic on a
//! status, response code details with a local reply.
#![expect(unsafe_code, reason = "the proxy-wasm ABI passes pointers")]

use std::ptr::null_mut;

use proxy_wasm::types::MapType;

/// `WasmResult::Ok` of the ABI.
const OK: u32 = 0;
const REQUEST_HEADERS: u32 = MapType::HttpRequestHeaders as u32;
/// Lets Envoy derive the gRPC status from the HTTP status.
const NO_GRPC_STATUS: i32 = -1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// The host did not do what it was asked for.
pub(crate) struct HostError;

/// Returns all request headers as the ABI serialises them.
pub(crate) fn request_headers() -> Result<Vec<u8>, HostError> {
    header_map(MapType::HttpRequestHeaders)
}

/// Returns all headers of a map as the ABI serialises them.
pub(crate) fn header_map(map: MapType) -> Result<Vec<u8>, HostError> {
    // SAFETY: both pointers are valid for a write; see `returned` for the buffer.
    unsafe { returned(|data, size| proxy_get_header_map_pairs(map as u32, data, size)) }
}

/// Makes `value` the only line of a request header.
pub(crate) fn set_request_header(name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the pointers and sizes are those of live slices, which the host only reads.
    done(unsafe {
        proxy_replace_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes all lines of a request header.
pub(crate) fn remove_request_header(name: &[u8]) -> Result<(), HostError> {
    // SAFETY: the pointer and size are those of a live slice, which the host only reads.
    done(unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) })
}

/// Returns a property of the stream; the parts of its path are joined by NUL.
pub(crate) fn property(path: &str) -> Option<Vec<u8>> {
    // SAFETY: as for `request_headers`, and the path is a live slice, which the host only reads.
    unsafe { returned(|data, size| proxy_get_property(path.as_ptr(), path.len(), data, size)) }.ok()
}

/// Returns a property that is text, or the items of one that is a list; none if it is absent or something else.
pub(crate) fn text_values(path: &[Box<str>]) -> Vec<Vec<u8>> {
    let mut path = path.join("\0");
    let Some(value) = property(&path) else { return Vec::new() };
    if !value.contains(&0) {
        return vec![value];
    }
    // A list is written with NULs, as a map of its items to nothing. Text that only looks like one has no items to ask for.
    let length = path.len();
    let item = |index: usize| {
        path.truncate(length);
        path.push('\0');
        path.push_str(&index.to_string());
        property(&path)
    };
    (0..MAX_ITEMS).map_while(item).collect()
}

/// Further items of a list are not read.
const MAX_ITEMS: usize = 100;

/// Sets a property of the stream: Envoy keeps it as filter state `wasm.<path>`.
pub(crate) fn set_property(path: &str, value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the pointers and sizes are those of live slices, which the host only reads.
    done(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// Answers the request; `details` is what Envoy logs as `%RESPONSE_CODE_DETAILS%`.
pub(crate) fn send_local_response(
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
    details: &str,
) -> Result<(), HostError> {
    let headers = serialized(headers);
    // SAFETY: the pointers and sizes are those of live slices, which the host only reads.
    done(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

fn done(status: u32) -> Result<(), HostError> {
    if status == OK { Ok(()) } else { Err(HostError) }
}

/// Takes over the buffer that a call returns.
///
/// # Safety
/// The call must be one of the ABI that, where it succeeds, writes a buffer from
/// `proxy_on_memory_allocate` and its size.
unsafe fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (null_mut(), 0);
    done(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: `proxy_on_memory_allocate` hands out boxed slices of exactly the size asked for, and the
    // host gives this one up.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Writes headers as the ABI reads them: a count, two sizes each, then names and values, each followed by a NUL.
fn serialized(headers: &[(&str, String)]) -> Vec<u8> {
    // No local reply comes near 4 GiB.
    let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
    let mut map = size(headers.len()).to_vec();
    for (name, value) in headers {
        map.extend(size(name.len()));
        map.extend(size(value.len()));
    }
    for part in headers.iter().flat_map(|(name, value)| [name, value.as_str()]) {
        map.extend(part.as_bytes());
        map.push(0);
    }
    map
}
