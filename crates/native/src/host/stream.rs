//! Calls for one request.
#![expect(unsafe_code, reason = "Envoy's ABI passes pointers")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::from_mut;

use byok_core::RequestHeaders;

use super::{HostError, done, header, returned};
use crate::abi::{self, Buffer, Header};

/// One request, in a call of Envoy's for it.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'hook>(abi::FilterPointer, PhantomData<&'hook ()>);

/// Lines for which the table of pointers is kept on the stack.
const FEW_LINES: usize = 64;

impl<'hook> Stream<'hook> {
    /// # Safety
    /// The pointer must be the one that Envoy has passed to the hook that runs; the result is for that hook alone.
    pub(crate) unsafe fn new(filter: abi::FilterPointer) -> Self {
        Self(filter, PhantomData)
    }

    /// Reads all request headers, and passes them on. The bytes are Envoy's: they are not to be used once a header has been
    /// set.
    pub(crate) fn with_headers<T>(self, use_headers: impl FnOnce(RequestHeaders<'_>) -> T) -> Result<T, HostError> {
        const EMPTY: Header = Header { name: Buffer::NULL, value: Buffer::NULL };
        // SAFETY: the pointer is Envoy's.
        let count = unsafe { abi::envoy_dynamic_module_callback_http_get_headers_size(self.0, abi::REQUEST_HEADERS) };
        let (mut few, mut many) = ([EMPTY; FEW_LINES], Vec::new());
        let table = match few.get_mut(..count) {
            Some(few) => few,
            None => {
                many.resize(count, EMPTY);
                &mut many[..]
            }
        };
        // SAFETY: the table has room for all lines.
        done(unsafe {
            abi::envoy_dynamic_module_callback_http_get_headers(self.0, abi::REQUEST_HEADERS, table.as_mut_ptr())
        })?;
        // SAFETY: the bytes live until a header is set.
        let lines = table.iter().map(|line| unsafe { (line.name.bytes(), line.value.bytes()) });
        Ok(use_headers(RequestHeaders::from_lines(lines)))
    }

    /// Makes `value` the only line of a request header, or removes all lines of it.
    pub(crate) fn set_request_header(self, name: &[u8], value: Option<&[u8]>) -> Result<(), HostError> {
        let value = value.map_or(Buffer::NULL, Buffer::from);
        // SAFETY: the buffers are live slices, which Envoy copies.
        done(unsafe {
            abi::envoy_dynamic_module_callback_http_set_header(self.0, abi::REQUEST_HEADERS, name.into(), value)
        })
    }

    /// Makes Envoy choose the route again.
    pub(crate) fn clear_route_cache(self) {
        // SAFETY: the pointer is Envoy's.
        unsafe { abi::envoy_dynamic_module_callback_http_clear_route_cache(self.0) };
    }

    /// Answers the request; `details` is what Envoy logs as `%RESPONSE_CODE_DETAILS%`.
    pub(crate) fn send_response(self, status: u16, headers: &[(&str, String)], body: &[u8], details: &str) {
        let headers: Vec<Header> =
            headers.iter().map(|(name, value)| header(name.as_bytes(), value.as_bytes())).collect();
        // SAFETY: the pointers and sizes are those of live slices, which Envoy only reads.
        unsafe {
            abi::envoy_dynamic_module_callback_http_send_response(
                self.0,
                u32::from(status),
                headers.as_ptr(),
                headers.len(),
                body.into(),
                details.as_bytes().into(),
            );
        }
    }

    /// Lets a request that waits go on.
    pub(crate) fn continue_decoding(self) {
        // SAFETY: the pointer is Envoy's.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_continue_decoding(self.0) };
    }

    /// Returns the cluster of the route that Envoy has chosen.
    pub(crate) fn cluster(self) -> Option<&'hook [u8]> {
        // SAFETY: the bytes live until the route changes, which only this filter can make it do in this call.
        unsafe { returned(|name| abi::envoy_dynamic_module_callback_http_get_cluster_name(self.0, name)) }
    }

    /// Sets text in the filter state of the filter chain.
    pub(crate) fn set_filter_state(self, name: &str, value: &[u8]) -> Result<(), HostError> {
        // SAFETY: the buffers are live slices, which Envoy copies.
        done(unsafe {
            abi::envoy_dynamic_module_callback_http_set_filter_state_bytes(self.0, name.as_bytes().into(), value.into())
        })
    }

    /// Returns what any filter has set in the filter state, as text.
    pub(crate) fn filter_state(self, name: &str) -> Option<&'hook [u8]> {
        let name = name.as_bytes().into();
        // SAFETY: the bytes live until the end of the hook.
        unsafe { returned(|value| abi::envoy_dynamic_module_callback_http_get_filter_state_typed(self.0, name, value)) }
    }

    /// Keeps bytes for the whole downstream request, internal redirects included.
    pub(crate) fn keep(self, name: &str, bytes: Vec<u8>) -> Result<(), HostError> {
        let object = Box::into_raw(Box::new(bytes)).cast();
        // SAFETY: Envoy calls `forget` with the object once, also where it returns false.
        done(unsafe {
            abi::envoy_dynamic_module_callback_http_set_filter_state_object(
                self.0,
                name.as_bytes().into(),
                object,
                forget,
                abi::LIFE_SPAN_REQUEST,
            )
        })
    }

    /// Returns what was kept under a name.
    pub(crate) fn kept(self, name: &str) -> Option<&'hook [u8]> {
        // SAFETY: an object of that name is one of `keep`, since the name has the digest of the configuration in it; it lives
        // until it is replaced.
        let object = unsafe {
            abi::envoy_dynamic_module_callback_http_get_filter_state_object(self.0, name.as_bytes().into())
                .cast::<Vec<u8>>()
                .as_ref()
        };
        object.map(Vec::as_slice)
    }

    /// Returns an attribute that is text.
    pub(crate) fn attribute(self, attribute: u32) -> Option<&'hook [u8]> {
        // SAFETY: the bytes live until the end of the hook.
        unsafe {
            returned(|value| {
                abi::envoy_dynamic_module_callback_http_filter_get_attribute_string(self.0, attribute, value)
            })
        }
    }

    /// Returns dynamic metadata that is text, or the items of a list that are.
    pub(crate) fn metadata(self, namespace: &str, key: &str) -> Vec<&'hook [u8]> {
        let (namespace, key) = (namespace.as_bytes().into(), key.as_bytes().into());
        let source = abi::DYNAMIC_METADATA;
        // SAFETY: the bytes live until metadata is set, which this filter does not do.
        let item = |index| unsafe {
            returned(|value| {
                abi::envoy_dynamic_module_callback_http_get_metadata_list_string(
                    self.0, source, namespace, key, index, value,
                )
            })
        };
        let mut size = 0;
        // SAFETY: the pointer to the size is valid for a write.
        let is_list = unsafe {
            abi::envoy_dynamic_module_callback_http_get_metadata_list_size(
                self.0,
                source,
                namespace,
                key,
                from_mut(&mut size),
            )
        };
        if is_list {
            return (0..size.min(MAX_ITEMS)).filter_map(item).collect();
        }
        // SAFETY: as above.
        let text = unsafe {
            returned(|value| {
                abi::envoy_dynamic_module_callback_http_get_metadata_string(self.0, source, namespace, key, value)
            })
        };
        text.into_iter().collect()
    }

    /// Returns what posts events to this request's thread.
    pub(crate) fn scheduler(self) -> Option<StreamScheduler> {
        // SAFETY: the pointer is Envoy's.
        let scheduler = unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_new(self.0) };
        (!scheduler.is_null()).then_some(StreamScheduler(scheduler))
    }
}

/// Further items of a list are not read.
const MAX_ITEMS: usize = 100;

/// Drops an object of [`Stream::keep`].
unsafe extern "C" fn forget(object: *mut c_void) {
    // SAFETY: it is the box that `keep` has given away.
    drop(unsafe { Box::from_raw(object.cast::<Vec<u8>>()) });
}

/// Posts events to the thread of one request, from any thread; one for a request that has gone does nothing.
pub(crate) struct StreamScheduler(abi::SchedulerPointer);

// SAFETY: Envoy allows these calls from any thread.
unsafe impl Send for StreamScheduler {}

impl StreamScheduler {
    pub(crate) fn commit(&self) {
        // SAFETY: the object is alive until it is dropped.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_commit(self.0, 0) };
    }
}

impl Drop for StreamScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_delete(self.0) };
    }
}
