//! The floor of the wasm module: a module that makes the host calls of one request, and nothing else.
//!
//! The calls are those that the built filter makes on the ABI host of the tests, so that the two can't come apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use byok_testkit::host::{Call, Context, Program, Vm};
use tempfile::NamedTempFile;

use crate::keys::{CLIENT_KEY, DEPLOYMENT_KEY, DEPLOYMENT_VARIABLE, configuration, proxy_key};
use crate::requests::{self, PATH};

/// The module, in a file that is removed with this value.
pub(super) struct Floor {
    file: NamedTempFile,
    calls: Vec<&'static str>,
}

impl Floor {
    /// Builds the module from the calls of the filter on the request of a client with a key of its own.
    ///
    /// # Errors
    /// The filter refuses the request, or makes a call that the floor does not know.
    pub(super) fn build(filter: &[u8]) -> Result<Self> {
        let recording = Recording::of(filter).map_err(|error| anyhow!(error))?;
        let file = tempfile::Builder::new().prefix("byok-bench-floor-").suffix(".wasm").tempfile()?;
        std::fs::write(file.path(), wat::parse_str(recording.module()?)?)?;
        Ok(Self { file, calls: recording.request.iter().map(|call| call.function).collect() })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the functions that a request calls, each with the number of its calls.
    pub(super) fn calls(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(call).or_default() += 1;
        }
        let counts: Vec<String> = counts.into_iter().map(|(call, count)| format!("{count} x {call}")).collect();
        counts.join(", ")
    }
}

/// What the filter calls.
struct Recording {
    /// Calls whose effect lasts: declarations when it is configured, counters when they are first needed.
    lasting: Vec<Call>,
    /// All calls of a request that is not the first one.
    request: Vec<Call>,
    /// The counters that the request increments, in the order of these calls.
    counters: Vec<String>,
}

impl Recording {
    fn of(filter: &[u8]) -> Result<Self, String> {
        let environment = BTreeMap::from([(DEPLOYMENT_VARIABLE.to_owned(), DEPLOYMENT_KEY.to_owned())]);
        let mut vm = Program::compile(filter).start(&environment)?;
        if !vm.configure(&configuration(1))? {
            return Err("the filter refuses its configuration".to_owned());
        }
        send(&mut vm)?;
        let lasts = |call: &Call| ["proxy_call_foreign_function", "proxy_define_metric"].contains(&call.function);
        let lasting = vm.take_calls_with_arguments().into_iter().filter(lasts).collect();
        vm.take_increments();
        send(&mut vm)?;
        let counters = vm.take_increments().into_iter().map(|(name, _)| name).collect();
        Ok(Self { lasting, request: vm.take_calls_with_arguments(), counters })
    }

    /// Returns the text of a module that makes these calls.
    fn module(&self) -> Result<String> {
        let mut memory = Memory::default();
        let mut counters = self.counters.iter();
        let mut functions = BTreeMap::new();
        let [mut configure, mut request_headers] = [String::new(), String::new()];
        for (calls, body) in [(&self.lasting, &mut configure), (&self.request, &mut request_headers)] {
            for call in calls {
                let operands = operands(call, &mut counters)?;
                let text: String = operands.iter().map(|operand| memory.operand(operand)).collect();
                let types: String = operands.iter().map(Operand::types).collect();
                functions.insert(call.function, types);
                writeln!(body, "(drop (call ${}{text}))", call.function)?;
            }
        }
        let undefined: Vec<_> = memory.used.difference(&memory.defined).collect();
        ensure!(undefined.is_empty(), "counters are incremented that were never defined: {undefined:?}");
        let imports: String = functions
            .iter()
            .map(|(name, types)| format!("(import \"env\" \"{name}\" (func ${name} (param{types}) (result i32)))\n"))
            .collect();
        let data: String = memory.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        Ok(format!(
            r#"(module
{imports}
(memory (export "memory") 4)
(data (i32.const {DATA}) "{data}")
(func (export "proxy_abi_version_0_2_1"))
(func (export "_initialize"))
(func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const {BUFFER}))
(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
(func (export "proxy_on_configure") (param i32 i32) (result i32) {configure} (i32.const 1))
(func (export "proxy_on_context_create") (param i32 i32))
(func (export "proxy_on_delete") (param i32))
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {request_headers} (i32.const 0)))
"#
        ))
    }
}

/// Sends the request that is measured.
fn send(vm: &mut Vm) -> Result<(), String> {
    let credentials = vec![("x-litellm-api-key", proxy_key(0)), ("x-api-key", CLIENT_KEY.to_owned())];
    let headers = requests::lines(PATH, &credentials);
    let headers = headers.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    let (continues, _) = vm.request(Context { headers, ..Context::default() })?;
    if continues { Ok(()) } else { Err("the filter refuses the request".to_owned()) }
}

/// An argument of a call.
enum Operand<'a> {
    Number(u32),
    /// Address and size of bytes.
    Bytes(&'a [u8]),
    /// An address that the host writes to.
    Output,
    /// The address that the identifier of a counter is written to.
    NewCounter(String),
    /// The identifier of a counter, and 1.
    Increment(String),
}

impl Operand<'_> {
    fn types(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Output | Self::NewCounter(_) => " i32",
            Self::Bytes(_) => " i32 i32",
            Self::Increment(_) => " i32 i64",
        }
    }
}

fn operands<'a>(call: &'a Call, counters: &mut impl Iterator<Item = &'a String>) -> Result<Vec<Operand<'a>>> {
    use Operand::{Bytes, Increment, NewCounter, Number, Output};
    const REQUEST_HEADERS: u32 = 0;
    const COUNTER: u32 = 0;

    let arguments: Vec<&[u8]> = call.arguments.iter().map(Vec::as_slice).collect();
    Ok(match (call.function, arguments.as_slice()) {
        ("proxy_get_header_map_pairs", []) => vec![Number(REQUEST_HEADERS), Output, Output],
        ("proxy_remove_header_map_value", [name]) => vec![Number(REQUEST_HEADERS), Bytes(name)],
        ("proxy_replace_header_map_value", [name, value]) => {
            vec![Number(REQUEST_HEADERS), Bytes(name), Bytes(value)]
        }
        ("proxy_get_property", [path]) => vec![Bytes(path), Output, Output],
        ("proxy_set_property", [path, value]) => vec![Bytes(path), Bytes(value)],
        ("proxy_get_current_time_nanoseconds", []) => vec![Output],
        ("proxy_define_metric", [name]) => {
            vec![Number(COUNTER), Bytes(name), NewCounter(String::from_utf8(name.to_vec())?)]
        }
        ("proxy_increment_metric", []) => vec![Increment(counters.next().context("an increment of nothing")?.clone())],
        ("proxy_call_foreign_function", [name, argument]) => vec![Bytes(name), Bytes(argument), Output, Output],
        (function, _) => bail!("the filter calls {function}, which bench/src/floor.rs can't repeat"),
    })
}

/// Where the host writes results of calls; nobody reads them.
const OUTPUT: u32 = 16;
/// The identifiers of counters.
const COUNTERS: u32 = 64;
const MAX_COUNTERS: usize = 64;
const DATA: u32 = 1024;
/// The one buffer that is handed out, again and again, in the second half of the memory.
const BUFFER: u32 = 2 << 16;

/// The memory of the module.
#[derive(Default)]
struct Memory {
    data: Vec<u8>,
    names: Vec<String>,
    defined: BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Memory {
    fn operand(&mut self, operand: &Operand<'_>) -> String {
        match operand {
            Operand::Number(number) => format!(" (i32.const {number})"),
            Operand::Bytes(bytes) => {
                let at = DATA as usize + self.data.len();
                self.data.extend_from_slice(bytes);
                format!(" (i32.const {at}) (i32.const {})", bytes.len())
            }
            Operand::Output => format!(" (i32.const {OUTPUT})"),
            Operand::NewCounter(name) => {
                self.defined.insert(name.clone());
                format!(" (i32.const {})", self.counter(name))
            }
            Operand::Increment(name) => {
                self.used.insert(name.clone());
                format!(" (i32.load (i32.const {})) (i64.const 1)", self.counter(name))
            }
        }
    }

    fn counter(&mut self, name: &str) -> usize {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        assert!(index < MAX_COUNTERS, "a request increments few counters");
        COUNTERS as usize + 4 * index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_makes_the_calls_that_it_was_made_of_and_no_others() {
        let filter = byok_testkit::module::bytes();
        let recording = Recording::of(&filter).unwrap();
        let floor = wat::parse_str(recording.module().unwrap()).unwrap();
        let repeated = Recording::of(&floor).unwrap();
        assert!(recording.request.len() > 3);
        assert_eq!(repeated.request, recording.request);
        assert_eq!(repeated.lasting, recording.lasting);
        assert_eq!(repeated.counters, recording.counters);
    }

    #[test]
    fn a_call_that_the_floor_does_not_know_is_an_error() {
        let call = Call { function: "proxy_set_effective_context", arguments: Vec::new() };
        let recording = Recording { lasting: Vec::new(), request: vec![call], counters: Vec::new() };
        assert!(recording.module().is_err());
    }
}
