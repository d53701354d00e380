//! An Envoy for tests that remembers what it was told, and offers nothing else.
#![expect(unsafe_code, reason = "it stands for Envoy's C functions")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

use crate::abi::{Buffer, ConfigPointer, FilterPointer, Header};
use crate::host::Config;

thread_local! {
    /// Status and details of each local reply.
    pub(crate) static REPLIES: RefCell<Vec<(u32, String)>> = const { RefCell::new(Vec::new()) };
    /// The names of the counters, by their ids.
    static COUNTERS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// The names of the counters that were incremented, each as often as it was.
    pub(crate) static COUNTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A configuration of this Envoy's.
pub(crate) fn config() -> Config {
    // SAFETY: no function here uses the pointer.
    unsafe { Config::new(null_mut()) }
}

fn text(buffer: Buffer) -> String {
    // SAFETY: the bytes live for as long as the call that they are passed to.
    String::from_utf8_lossy(unsafe { buffer.bytes() }).into_owned()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_log_enabled(_level: u32) -> bool {
    false
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_config_define_counter(
    _config: ConfigPointer,
    name: Buffer,
    _label_names: *const Buffer,
    _label_count: usize,
    id: *mut usize,
) -> u32 {
    COUNTERS.with_borrow_mut(|counters| {
        // SAFETY: the caller passes a place for the id.
        unsafe { *id = counters.len() };
        counters.push(text(name));
    });
    0
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_config_increment_counter(
    _config: ConfigPointer,
    id: usize,
    _label_values: *const Buffer,
    _label_count: usize,
    value: u64,
) -> u32 {
    let name = COUNTERS.with_borrow(|counters| counters.get(id).cloned());
    COUNTED.with_borrow_mut(|counted| (0..value).for_each(|_| counted.extend(name.clone())));
    0
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_get_headers_size(_filter: FilterPointer, _map: u32) -> usize {
    0
}

/// There are no headers to be had.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_get_headers(
    _filter: FilterPointer,
    _map: u32,
    _headers: *mut Header,
) -> bool {
    false
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_send_response(
    _filter: FilterPointer,
    status: u32,
    _headers: *const Header,
    _header_count: usize,
    _body: Buffer,
    details: Buffer,
) {
    REPLIES.with_borrow_mut(|replies| replies.push((status, text(details))));
}

/// Nobody is woken.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(_config: ConfigPointer) -> *mut c_void {
    NonNull::dangling().as_ptr()
}

/// Functions that no test needs; they do nothing, and return nothing.
macro_rules! absent {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> *mut c_void {
            null_mut()
        }
    )*};
}

absent! {
    envoy_dynamic_module_callback_http_clear_route_cache
    envoy_dynamic_module_callback_http_filter_config_generic_secret_subscribe
    envoy_dynamic_module_callback_http_filter_config_get_generic_secret
    envoy_dynamic_module_callback_http_filter_config_http_callout
    envoy_dynamic_module_callback_http_filter_config_scheduler_commit
    envoy_dynamic_module_callback_http_filter_config_scheduler_delete
    envoy_dynamic_module_callback_http_filter_continue_decoding
    envoy_dynamic_module_callback_http_filter_get_attribute_string
    envoy_dynamic_module_callback_http_filter_scheduler_commit
    envoy_dynamic_module_callback_http_filter_scheduler_delete
    envoy_dynamic_module_callback_http_filter_scheduler_new
    envoy_dynamic_module_callback_http_get_cluster_name
    envoy_dynamic_module_callback_http_get_filter_state_object
    envoy_dynamic_module_callback_http_get_filter_state_typed
    envoy_dynamic_module_callback_http_get_metadata_list_size
    envoy_dynamic_module_callback_http_get_metadata_list_string
    envoy_dynamic_module_callback_http_get_metadata_string
    envoy_dynamic_module_callback_http_set_filter_state_bytes
    envoy_dynamic_module_callback_http_set_filter_state_object
    envoy_dynamic_module_callback_http_set_header
    envoy_dynamic_module_callback_log
}
