//! Calls for a configuration of the filter.
#![expect(unsafe_code, reason = "Envoy's ABI passes pointers")]

use std::ptr::from_mut;
use std::time::Duration;

use byok_core::Secret;

use super::{HostError, done, header, returned};
use crate::abi::{self, Buffer, Header};

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
