//! A proxy-wasm host (ABI 0.2.1) as small as the filter needs it: what the filter must not use traps by its name.

mod guest;
mod map;
mod proxy;
mod state;
mod wasi;

use std::collections::BTreeMap;

use wasmi::{Caller, Engine, Error, ExternType, Instance, Linker, Module, Store, Val, WasmParams, WasmResults};

pub use state::{Call, Context, Level, Reply};

use state::State;

const ROOT_CONTEXT: i32 = 1;
const STREAM_CONTEXT: i32 = 2;
const CONTINUE: i32 = 0;

/// The compiled module, and what it may import.
pub struct Program {
    engine: Engine,
    module: Module,
}

impl Program {
    pub fn compile(bytes: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).expect("the module compiles");
        for import in module.imports() {
            let known = ["env", "wasi_snapshot_preview1"].contains(&import.module());
            assert!(known, "the module imports {}.{}, which Envoy refuses", import.module(), import.name());
        }
        Self { engine, module }
    }

    /// The names of what the module exports, sorted.
    pub fn exports(&self) -> Vec<String> {
        let mut names: Vec<String> = self.module.exports().map(|export| export.name().to_owned()).collect();
        names.sort();
        names
    }

    /// Starts a fresh virtual machine.
    pub fn start(&self, environment: &BTreeMap<String, String>) -> Result<Vm, String> {
        let mut store = Store::new(&self.engine, State::new(environment));
        let mut linker = Linker::new(&self.engine);
        // What is implemented replaces the trap of its name.
        linker.allow_shadowing(true);
        for import in self.module.imports() {
            let ExternType::Func(kind) = import.ty() else { panic!("{} is no function", import.name()) };
            let message = format!("{} is not implemented by the test's host", import.name());
            let trap = move |_: Caller<'_, State>, _: &[Val], _: &mut [Val]| Err(Error::new(message.clone()));
            linker.func_new(import.module(), import.name(), kind.clone(), trap).expect("a name of any kind");
        }
        proxy::define(&mut linker);
        wasi::define(&mut linker);
        let instance = linker.instantiate_and_start(&mut store, &self.module).map_err(|error| error.to_string())?;
        let mut vm = Vm { store, instance };
        vm.call::<(), ()>("_initialize", ())?;
        vm.call::<_, ()>("proxy_on_context_create", (ROOT_CONTEXT, 0))?;
        let started: i32 = vm.call("proxy_on_vm_start", (ROOT_CONTEXT, 0))?;
        if started == 1 { Ok(vm) } else { Err("proxy_on_vm_start returned false".to_owned()) }
    }
}

/// A running module with one root context.
pub struct Vm {
    store: Store<State>,
    instance: Instance,
}

impl Vm {
    /// Loads a configuration; tells whether the module takes it.
    pub fn configure(&mut self, json: &str) -> Result<bool, String> {
        self.store.data_mut().configuration = json.as_bytes().to_vec();
        let size = i32::try_from(json.len()).expect("a short configuration");
        let taken: i32 = self.call("proxy_on_configure", (ROOT_CONTEXT, size))?;
        Ok(taken == 1)
    }

    /// Sends the headers of one request through the filter; tells whether it lets them go on.
    pub fn request(&mut self, context: Context) -> Result<(bool, Context), String> {
        let size = i32::try_from(context.headers.len()).expect("few headers");
        self.store.data_mut().context = context;
        self.call::<_, ()>("proxy_on_context_create", (STREAM_CONTEXT, ROOT_CONTEXT))?;
        let action: i32 = self.call("proxy_on_request_headers", (STREAM_CONTEXT, size, 1))?;
        let context = std::mem::take(&mut self.store.data_mut().context);
        self.call::<_, ()>("proxy_on_delete", STREAM_CONTEXT)?;
        Ok((action == CONTINUE, context))
    }

    /// The log lines since the last call of this method.
    pub fn take_logs(&mut self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.store.data_mut().logs)
    }

    /// Counters and what was added to them since the last call of this method.
    pub fn take_increments(&mut self) -> Vec<(String, i64)> {
        let state = self.store.data_mut();
        let increments = std::mem::take(&mut state.increments);
        increments.into_iter().map(|(id, offset)| (state.metrics[id].clone(), offset)).collect()
    }

    /// Lets the time of a tick come.
    pub fn tick(&mut self) -> Result<(), String> {
        self.call("proxy_on_tick", ROOT_CONTEXT)
    }

    /// The functions of the host's that the module has called since the last call of this method, logging apart.
    pub fn take_calls(&mut self) -> Vec<&'static str> {
        self.take_calls_with_arguments().into_iter().map(|call| call.function).collect()
    }

    /// Does as [`Vm::take_calls`] does, with what the module has handed over.
    pub fn take_calls_with_arguments(&mut self) -> Vec<Call> {
        let calls = std::mem::take(&mut self.store.data_mut().calls);
        calls.into_iter().filter(|call| !matches!(call.function, "proxy_log" | "proxy_get_log_level")).collect()
    }

    /// The periods of ticks that the module has asked for since the last call of this method; 0 ends them.
    pub fn take_tick_periods(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.store.data_mut().tick_periods)
    }

    fn call<Params: WasmParams, Results: WasmResults>(
        &mut self,
        name: &str,
        params: Params,
    ) -> Result<Results, String> {
        let function = self
            .instance
            .get_typed_func::<Params, Results>(&self.store, name)
            .map_err(|error| format!("{name}: {error}"))?;
        function.call(&mut self.store, params).map_err(|error| {
            let logs: Vec<_> = self.store.data().logs.iter().map(|(_, line)| line.as_str()).collect();
            format!("{name} trapped: {error}; log: {logs:?}")
        })
    }
}
