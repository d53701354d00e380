//! From the module as cargo built it to the module that is deployed.

use anyhow::{Context, Result, ensure};
use walrus::{ExportItem, Module, ModuleConfig};

/// What the deployed module exports, all of it.
///
/// The SDK exports every callback of the ABI, and Envoy enters the VM for each that is there, on every
/// request: without the unused ones a filter that does nothing costs half as much.
const EXPORTS: &[Export] = &[
    Export::same("memory"),
    Export::same("_initialize"),
    Export::same("proxy_abi_version_0_2_1"),
    Export::same("proxy_on_memory_allocate"),
    Export::same("proxy_on_vm_start"),
    Export::same("proxy_on_configure"),
    Export::same("proxy_on_context_create"),
    Export::same("proxy_on_delete"),
    // The SDK knows no answer that makes the body wait too; the filter's own export wraps the SDK's.
    Export { name: "proxy_on_request_headers", built_as: "byok_on_request_headers" },
    Export::same("proxy_on_tick"),
    Export::same("proxy_on_http_call_response"),
];

/// The modules of Envoy's that a filter can import from; with any other one Envoy refuses it.
const IMPORT_MODULES: &[&str] = &["env", "wasi_snapshot_preview1"];

struct Export {
    /// The name in the deployed module.
    name: &'static str,
    /// The name in the module as it was built.
    built_as: &'static str,
}

impl Export {
    const fn same(name: &'static str) -> Self {
        Self { name, built_as: name }
    }
}

/// Returns the deployable module: only the exports that the filter needs, and the code that they reach.
///
/// # Errors
/// The module lacks one of them, or imports what Envoy does not offer.
pub fn package(built: &[u8]) -> Result<Vec<u8>> {
    package_exports(built, EXPORTS)
}

fn package_exports(built: &[u8], exports: &[Export]) -> Result<Vec<u8>> {
    // The names of functions are a seventh of the module and serve backtraces alone.
    let mut configuration = ModuleConfig::new();
    let configuration = configuration.generate_name_section(false);
    let mut module = configuration.parse(built).context("this is no WebAssembly module")?;
    keep_exports(&mut module, exports)?;
    walrus::passes::gc::run(&mut module);
    check_imports(&module)?;
    Ok(module.emit_wasm())
}

fn keep_exports(module: &mut Module, exports: &[Export]) -> Result<()> {
    let built: Vec<_> = module.exports.iter().map(|export| (export.id(), export.name.clone(), export.item)).collect();
    let item_of = |wanted: &str| -> Option<ExportItem> {
        built.iter().find(|(_, name, _)| name == wanted).map(|(_, _, item)| *item)
    };
    let missing: Vec<_> = exports.iter().map(|export| export.built_as).filter(|name| item_of(name).is_none()).collect();
    ensure!(missing.is_empty(), "the module does not export {}", missing.join(", "));

    let kept: Vec<_> = exports.iter().filter_map(|export| Some((export.name, item_of(export.built_as)?))).collect();
    for (id, _, _) in &built {
        module.exports.delete(*id);
    }
    for (name, item) in kept {
        module.exports.add(name, item);
    }
    Ok(())
}

fn check_imports(module: &Module) -> Result<()> {
    let foreign: Vec<_> = module
        .imports
        .iter()
        .filter(|import| !IMPORT_MODULES.contains(&import.module.as_str()))
        .map(|import| format!("{}.{}", import.module, import.name))
        .collect();
    ensure!(
        foreign.is_empty(),
        "the module imports {}, but Envoy offers only {}",
        foreign.join(", "),
        IMPORT_MODULES.join(" and ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[Export] =
        &[Export::same("memory"), Export { name: "proxy_on_request_headers", built_as: "byok_on_request_headers" }];

    fn packaged(text: &str) -> Result<Module> {
        Module::from_buffer(&package_exports(&wat::parse_str(text).unwrap(), TWO)?)
    }

    fn error(text: &str) -> String {
        packaged(text).unwrap_err().to_string()
    }

    #[test]
    fn exports_outside_the_table_go_with_their_code() {
        let module = packaged(
            r#"(module
                (import "env" "proxy_log" (func $log))
                (import "env" "unused" (func $unused))
                (memory (export "memory") 1)
                (func (export "byok_on_request_headers") call $log)
                (func (export "proxy_on_log") call $unused))"#,
        )
        .unwrap();
        let exports: Vec<_> = module.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, ["memory", "proxy_on_request_headers"]);
        let imports: Vec<_> = module.imports.iter().map(|import| import.name.as_str()).collect();
        assert_eq!(imports, ["proxy_log"]);
        assert_eq!(module.funcs.iter().count(), 2);
    }

    #[test]
    fn a_renamed_export_replaces_the_one_of_that_name() {
        let module = packaged(
            r#"(module
                (import "env" "ours" (func $ours))
                (import "env" "sdk" (func $sdk))
                (memory (export "memory") 1)
                (func (export "proxy_on_request_headers") call $sdk)
                (func (export "byok_on_request_headers") call $ours))"#,
        )
        .unwrap();
        let imports: Vec<_> = module.imports.iter().map(|import| import.name.as_str()).collect();
        assert_eq!(imports, ["ours"]);
    }

    #[test]
    fn a_missing_export_is_named() {
        assert_eq!(
            error(r#"(module (memory (export "memory") 1) (func (export "proxy_on_request_headers")))"#),
            "the module does not export byok_on_request_headers"
        );
    }

    #[test]
    fn imports_that_envoy_does_not_offer_are_named() {
        let text = r#"(module
            (import "env" "proxy_log" (func $log))
            (import "wasi_snapshot_preview1" "fd_write" (func $write))
            (import "__wbindgen_placeholder__" "__wbindgen_describe" (func $describe))
            (memory (export "memory") 1)
            (func (export "byok_on_request_headers") call $log call $write call $describe))"#;
        assert_eq!(
            error(text),
            "the module imports __wbindgen_placeholder__.__wbindgen_describe, \
             but Envoy offers only env and wasi_snapshot_preview1"
        );
    }

    #[test]
    fn bytes_that_are_no_module_are_refused() {
        assert_eq!(package(b"MZ").unwrap_err().to_string(), "this is no WebAssembly module");
    }
}
