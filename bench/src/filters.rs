//! Envoy's configuration of the filters that are compared.

use std::path::Path;

use serde_json::{Value, json};

use crate::keys::{DEPLOYMENT_VARIABLE, proxy_key};

/// The secret in which Envoy keeps the deployment key, for its own injector.
pub(super) const DEPLOYMENT_SECRET: &str = "deployment-key";

/// Envoy's own check of keys; it removes the header that carries the key.
pub(super) fn api_key_auth(keys: usize) -> Value {
    let credentials: Vec<Value> =
        (0..keys).map(|number| json!({ "key": proxy_key(number), "client": format!("client-{number}") })).collect();
    filter(
        "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        json!({
            "credentials": credentials,
            "key_sources": [{ "header": "x-litellm-api-key" }],
            "forwarding": { "hide_credentials": true },
        }),
    )
}

/// Removes the credential headers other than those of the proxy key and the provider.
pub(super) fn header_mutation() -> Value {
    const REMOVED: [&str; 7] = [
        "authorization",
        "api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
        "litellm_user_api_key",
        "proxy-authorization",
        "x-amz-security-token",
    ];
    filter(
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        json!({ "mutations": { "request_mutations": REMOVED.map(|name| json!({ "remove": name })) } }),
    )
}

/// Sets the deployment key where the client sends no key of its own.
pub(super) fn credential_injector() -> Value {
    filter(
        "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        json!({
            "overwrite": false,
            "credential": {
                "name": "generic",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
                    "credential": { "name": DEPLOYMENT_SECRET },
                    "header": "x-api-key",
                },
            },
        }),
    )
}

/// A script that knows one key and removes two headers.
pub(super) fn lua() -> Value {
    let script = format!(
        r#"
        function envoy_on_request(handle)
          local headers = handle:headers()
          if headers:get("x-litellm-api-key") ~= "{}" then
            handle:respond({{ [":status"] = "401" }}, "unknown key")
            return
          end
          headers:remove("x-litellm-api-key")
          headers:remove("authorization")
        end
        "#,
        proxy_key(0)
    );
    filter("envoy.extensions.filters.http.lua.v3.Lua", json!({ "default_source_code": { "inline_string": script } }))
}

/// A module in a VM of its own, so that no two of them share memory.
pub(super) fn wasm(vm_id: &str, module: &Path, configuration: &str) -> Value {
    filter(
        "envoy.extensions.filters.http.wasm.v3.Wasm",
        json!({
            "config": {
                "name": vm_id,
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": vm_id,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                    "environment_variables": { "host_env_keys": [DEPLOYMENT_VARIABLE] },
                },
                "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
            },
        }),
    )
}

pub(super) fn router() -> Value {
    filter("envoy.extensions.filters.http.router.v3.Router", json!({}))
}

fn filter(message: &str, mut configuration: Value) -> Value {
    if let Some(fields) = configuration.as_object_mut() {
        fields.insert("@type".to_owned(), json!(format!("type.googleapis.com/{message}")));
    }
    json!({ "name": message, "typed_config": configuration })
}
