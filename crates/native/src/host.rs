//! Safe calls to Envoy: slices in, slices out.
#![expect(unsafe_code, reason = "Envoy's ABI passes pointers")]

mod config;
mod stream;

use std::ffi::c_void;
use std::ptr::{from_mut, null, null_mut};

use crate::abi::{self, Buffer, Header};

pub(crate) use config::{Config, ConfigScheduler, Counter, SecretId};
pub(crate) use stream::{Stream, StreamScheduler};

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

/// A pointer that owns a value, for Envoy to keep.
pub(crate) fn give_away<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// What a hook returns where it has nothing to give.
pub(crate) const NOTHING: *mut c_void = null_mut();
