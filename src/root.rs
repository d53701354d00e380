//! The root context: one per worker and configuration.

use std::rc::Rc;

use byok_core::{Loaded, Policy};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};

use crate::identity;
use crate::stream::Stream;
use crate::worker::Worker;

#[derive(Default)]
pub(crate) struct Root {
    /// `None` until a configuration is valid: without one every request is refused.
    worker: Option<Rc<Worker>>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _headers: usize, body_size: usize, _trailers: usize) {
        if let Some(worker) = &self.worker {
            worker.on_response(token, body_size);
        }
    }
}

impl RootContext for Root {
    fn on_vm_start(&mut self, _size: usize) -> bool {
        identity::log();
        true
    }

    /// Refuses a configuration that is not valid; Envoy then keeps the old one or does not start.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten().unwrap_or_default();
        match Policy::from_json(json, &|name| std::env::var(name).ok()) {
            Ok(Loaded { policy, warnings }) => {
                for warning in warnings {
                    log::warn!("{warning}");
                }
                let worker = Worker::new(policy);
                declare_redirect_state(worker.redirect_state_property());
                self.worker = Some(Rc::new(worker));
                true
            }
            Err(errors) => {
                for error in errors {
                    log::error!("{error}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.on_tick();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { context_id, worker: self.worker.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Makes Envoy keep that one property for the whole downstream request, internal redirects included.
fn declare_redirect_state(property: &str) {
    // `envoy.source.extensions.common.wasm.DeclarePropertyArguments`: 1 name, 3 type (1: string), 5 span (1:
    // downstream request). The name is shorter than 128 bytes, so its length is one byte.
    let mut arguments = vec![0x0a, property.len() as u8];
    arguments.extend(property.as_bytes());
    arguments.extend([0x18, 1, 0x28, 1]);
    // Refused where the root has declared it before, for an equal configuration.
    let _ = hostcalls::call_foreign_function("declare_property", Some(&arguments));
}
