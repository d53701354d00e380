//! Safe calls to Envoy: slices in, slices out.
#![expect(unsafe_code, reason = "Envoy's ABI passes pointers")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{from_mut, null, null_mut};
use std::time::Duration;

use byok_core::{RequestHeaders, Secret};

use crate::abi::{self, Buffer, Header};

/// Envoy did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct HostError;

/// Log levels: `envoy_dynamic_module_type_log_level`.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Debug = 1,
    Warn = 3,
    Error = 4,
}

/// Writes a line to Envoy's log; the text is only made if somebody reads it.
pub(crate) fn log(level: Level, text: impl FnOnce() -> String) {
    // SAFETY: the call has no precondition.
    if unsafe { abi::envoy_dynamic_module_callback_log_enabled(level as u32) } {
        let text = text();
        // SAFETY: the buffer is a live slice, which Envoy only reads.
        unsafe { abi::envoy_dynamic_module_callback_log(level as u32, text.as_bytes().into()) };
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), size: bytes.len() }
    }
}

impl Buffer {
    pub(crate) const NULL: Self = Self { data: null(), size: 0 };

    /// # Safety
    /// The bytes must be alive and unchanged for as long as the result is used.
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: Envoy's buffers have that many bytes; the caller vouches for their life.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }
}

/// Reads a buffer that a call returns if it succeeds.
///
/// # Safety
/// The call must write a buffer where it returns true, whose bytes live for as long as the result is used.
unsafe fn returned<'a>(call: impl FnOnce(*mut Buffer) -> bool) -> Option<&'a [u8]> {
    let mut buffer = Buffer::NULL;
    // SAFETY: passed on to the caller.
    call(from_mut(&mut buffer)).then(|| unsafe { buffer.bytes() })
}

fn done(result: bool) -> Result<(), HostError> {
    if result { Ok(()) } else { Err(HostError) }
}

fn header(name: &[u8], value: &[u8]) -> Header {
    Header { name: name.into(), value: value.into() }
}

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

/// Posts events to the main thread, from any thread.
pub(crate) struct ConfigScheduler(abi::SchedulerPointer);

// SAFETY: Envoy allows these calls from any thread, and does not change the object in them.
unsafe impl Send for ConfigScheduler {}
// SAFETY: as above.
unsafe impl Sync for ConfigScheduler {}

impl ConfigScheduler {
    pub(crate) fn commit(&self) {
        // SAFETY: the object is alive until it is dropped.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_config_scheduler_commit(self.0, 0) };
    }
}

impl Drop for ConfigScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_config_scheduler_delete(self.0) };
    }
}

/// Envoy's configuration of the filter. It lives longer than the module's.
#[derive(Clone, Copy)]
pub(crate) struct Config(abi::ConfigPointer);

// SAFETY: counters are Envoy's, which any thread may increment; `call` is for the main thread.
unsafe impl Send for Config {}
// SAFETY: as above.
unsafe impl Sync for Config {}

/// Identifies a counter.
#[derive(Clone, Copy)]
pub(crate) struct Counter(usize);

/// Identifies a secret that Envoy delivers.
#[derive(Clone, Copy)]
pub(crate) struct SecretId(usize);

impl Config {
    /// # Safety
    /// The pointer must be the one that Envoy has passed to `…_config_new`, and the result be used before
    /// `…_config_destroy` returns.
    pub(crate) unsafe fn new(config: abi::ConfigPointer) -> Self {
        Self(config)
    }

    /// Defines a counter; only possible while the configuration is loaded.
    pub(crate) fn define_counter(self, name: &str, labels: &[&str]) -> Result<Counter, HostError> {
        let labels: Vec<Buffer> = labels.iter().map(|label| label.as_bytes().into()).collect();
        let mut id = 0;
        // SAFETY: the pointers and sizes are those of live slices, and the id is valid for a write.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_define_counter(
                self.0,
                name.as_bytes().into(),
                labels.as_ptr(),
                labels.len(),
                from_mut(&mut id),
            )
        };
        done(result == abi::SUCCESS)?;
        Ok(Counter(id))
    }

    /// Subscribes to a secret, from a `ConfigSource` in JSON or, if that is empty, of the bootstrap; only possible while the
    /// configuration is loaded.
    pub(crate) fn subscribe_to_secret(self, name: &str, source: &str) -> Option<SecretId> {
        // SAFETY: the buffers are live slices, which Envoy copies.
        let id = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_generic_secret_subscribe(
                self.0,
                name.as_bytes().into(),
                source.as_bytes().into(),
            )
        };
        (id != 0).then_some(SecretId(id))
    }

    /// Returns what the thread that asks knows of a secret, without surrounding whitespace: nothing if there is no text.
    pub(crate) fn secret(self, id: SecretId) -> Option<Secret> {
        // SAFETY: the bytes live until this thread handles its next event, and are copied before.
        let value = unsafe {
            returned(|value| {
                abi::envoy_dynamic_module_callback_http_filter_config_get_generic_secret(self.0, id.0, value)
            })
        };
        let value = std::str::from_utf8(value?).ok()?.trim();
        (!value.is_empty()).then(|| Secret::new(value))
    }

    /// Adds to a counter, with as many label values as it has labels.
    pub(crate) fn increment<const LABELS: usize>(self, counter: Counter, values: [&str; LABELS], count: u64) {
        let values = values.map(|value| Buffer::from(value.as_bytes()));
        // SAFETY: the pointer and size are those of a live array. A request that is not counted goes on.
        unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_increment_counter(
                self.0,
                counter.0,
                values.as_ptr(),
                values.len(),
                count,
            );
        }
    }

    /// Returns what posts events to the main thread.
    pub(crate) fn scheduler(self) -> Result<ConfigScheduler, HostError> {
        // SAFETY: the pointer is Envoy's.
        let scheduler = unsafe { abi::envoy_dynamic_module_callback_http_filter_config_scheduler_new(self.0) };
        done(!scheduler.is_null())?;
        Ok(ConfigScheduler(scheduler))
    }

    /// Starts an HTTP call and returns its id; for the main thread alone.
    pub(crate) fn call(self, cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Result<u64, HostError> {
        let headers: Vec<Header> =
            headers.iter().map(|(name, value)| header(name.as_bytes(), value.as_bytes())).collect();
        let mut id = 0;
        // SAFETY: the pointers and sizes are those of live slices, which Envoy copies, and the id is valid for a write.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_http_callout(
                self.0,
                from_mut(&mut id),
                cluster.as_bytes().into(),
                headers.as_ptr(),
                headers.len(),
                Buffer::NULL,
                u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            )
        };
        done(result == abi::SUCCESS)?;
        Ok(id)
    }
}

/// A pointer that owns a value, for Envoy to keep.
pub(crate) fn give_away<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// What a hook returns where it has nothing to give.
pub(crate) const NOTHING: *mut c_void = null_mut();
