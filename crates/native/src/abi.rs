//! The part of Envoy's C ABI for dynamic modules that is used, and nothing else: version 0.2, of Envoy 1.40.
//!
//! Written down from the declarations of
//! [`abi.h`](https://github.com/envoyproxy/envoy/blob/main/source/extensions/dynamic_modules/abi/abi.h). An Envoy that lacks
//! a callback does not load the module, and names the callback: the module is linked so that all are looked up at once.
#![expect(unsafe_code, reason = "declarations of foreign functions")]

use std::ffi::c_void;

/// What `envoy_dynamic_module_on_program_init` returns.
pub(crate) const VERSION: &std::ffi::CStr = c"v0.2.0";

/// Bytes of Envoy's or of the module's: `envoy_dynamic_module_type_envoy_buffer` and `…_module_buffer`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    pub(crate) data: *const u8,
    pub(crate) size: usize,
}

/// A header line: `envoy_dynamic_module_type_envoy_http_header` and `…_module_http_header`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) name: Buffer,
    pub(crate) value: Buffer,
}

/// Envoy's configuration of the filter, one of its filters, and an object that posts events to either.
pub(crate) type ConfigPointer = *mut c_void;
pub(crate) type FilterPointer = *mut c_void;
pub(crate) type SchedulerPointer = *mut c_void;

/// `envoy_dynamic_module_type_http_header_type`.
pub(crate) const REQUEST_HEADERS: u32 = 0;
/// `envoy_dynamic_module_type_metadata_source`.
pub(crate) const DYNAMIC_METADATA: u32 = 0;
/// `envoy_dynamic_module_type_filter_state_life_span`: the downstream request, internal redirects included.
pub(crate) const LIFE_SPAN_REQUEST: u32 = 1;
/// `envoy_dynamic_module_type_metrics_result`, `…_http_callout_init_result` and `…_http_callout_result`.
pub(crate) const SUCCESS: u32 = 0;

/// `envoy_dynamic_module_type_attribute_id`.
pub(crate) const CONNECTION_SUBJECT_PEER_CERTIFICATE: u32 = 33;
pub(crate) const CONNECTION_DNS_SAN_PEER_CERTIFICATE: u32 = 35;
pub(crate) const CONNECTION_URI_SAN_PEER_CERTIFICATE: u32 = 37;
pub(crate) const CONNECTION_SHA256_PEER_CERTIFICATE_DIGEST: u32 = 38;

/// `envoy_dynamic_module_type_on_http_filter_request_headers_status`, and those of bodies and trailers where they agree.
pub(crate) const CONTINUE: u32 = 0;
pub(crate) const STOP_ITERATION: u32 = 1;
/// Body and trailers wait too, with back-pressure.
pub(crate) const STOP_ALL_ITERATION_AND_WATERMARK: u32 = 4;

unsafe extern "C" {
    // Logging.
    pub(crate) fn envoy_dynamic_module_callback_log(level: u32, message: Buffer);
    pub(crate) fn envoy_dynamic_module_callback_log_enabled(level: u32) -> bool;

    // The configuration.
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_define_counter(
        config: ConfigPointer,
        name: Buffer,
        label_names: *const Buffer,
        label_count: usize,
        id: *mut usize,
    ) -> u32;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_increment_counter(
        config: ConfigPointer,
        id: usize,
        label_values: *const Buffer,
        label_count: usize,
        value: u64,
    ) -> u32;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_http_callout(
        config: ConfigPointer,
        id: *mut u64,
        cluster: Buffer,
        headers: *const Header,
        header_count: usize,
        body: Buffer,
        timeout_milliseconds: u64,
    ) -> u32;
    /// Returns the id of the secret, or 0. An empty `source` means a static secret of the bootstrap.
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_generic_secret_subscribe(
        config: ConfigPointer,
        name: Buffer,
        source: Buffer,
    ) -> usize;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_get_generic_secret(
        config: ConfigPointer,
        id: usize,
        value: *mut Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(
        config: ConfigPointer,
    ) -> SchedulerPointer;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(
        scheduler: SchedulerPointer,
        event: u64,
    );
    pub(crate) fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: SchedulerPointer);

    // One request.
    pub(crate) fn envoy_dynamic_module_callback_http_get_headers_size(filter: FilterPointer, map: u32) -> usize;
    pub(crate) fn envoy_dynamic_module_callback_http_get_headers(
        filter: FilterPointer,
        map: u32,
        headers: *mut Header,
    ) -> bool;
    /// A null `value` removes the header.
    pub(crate) fn envoy_dynamic_module_callback_http_set_header(
        filter: FilterPointer,
        map: u32,
        name: Buffer,
        value: Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_send_response(
        filter: FilterPointer,
        status: u32,
        headers: *const Header,
        header_count: usize,
        body: Buffer,
        details: Buffer,
    );
    pub(crate) fn envoy_dynamic_module_callback_http_set_filter_state_bytes(
        filter: FilterPointer,
        name: Buffer,
        value: Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_get_filter_state_typed(
        filter: FilterPointer,
        name: Buffer,
        value: *mut Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_set_filter_state_object(
        filter: FilterPointer,
        name: Buffer,
        object: *mut c_void,
        destructor: unsafe extern "C" fn(object: *mut c_void),
        life_span: u32,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_get_filter_state_object(
        filter: FilterPointer,
        name: Buffer,
    ) -> *mut c_void;
    pub(crate) fn envoy_dynamic_module_callback_http_get_cluster_name(filter: FilterPointer, name: *mut Buffer)
    -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
        filter: FilterPointer,
        attribute: u32,
        value: *mut Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_get_metadata_string(
        filter: FilterPointer,
        source: u32,
        namespace: Buffer,
        key: Buffer,
        value: *mut Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_get_metadata_list_size(
        filter: FilterPointer,
        source: u32,
        namespace: Buffer,
        key: Buffer,
        size: *mut usize,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_get_metadata_list_string(
        filter: FilterPointer,
        source: u32,
        namespace: Buffer,
        key: Buffer,
        index: usize,
        value: *mut Buffer,
    ) -> bool;
    pub(crate) fn envoy_dynamic_module_callback_http_clear_route_cache(filter: FilterPointer);
    pub(crate) fn envoy_dynamic_module_callback_http_filter_continue_decoding(filter: FilterPointer);
    pub(crate) fn envoy_dynamic_module_callback_http_filter_scheduler_new(filter: FilterPointer) -> SchedulerPointer;
    pub(crate) fn envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: SchedulerPointer, event: u64);
    pub(crate) fn envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: SchedulerPointer);
}
