//! Envoy's configuration of the filters that are compared.

use std::collections::BTreeMap;
use std::path::Path;

use byok_testkit::carrier::Carrier;
use serde_json::{Value, json};

use crate::ext_authz;
use crate::keys::{DEPLOYMENT_KEY, DEPLOYMENT_VARIABLE, proxy_key};

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

/// A script that does what the filter does for one provider, as far as a script can: clear-text keys, no hash and no date
/// of expiry, no check of repeated headers, no filter state.
pub(super) fn whole_job_lua(keys: usize) -> Value {
    let table: String = (0..keys).map(|number| format!("[\"{}\"] = true,\n", proxy_key(number))).collect();
    let script = format!(
        r#"
        local keys = {{ {table} }}
        local stripped = {{
          "x-litellm-api-key", "authorization", "api-key", "x-goog-api-key", "ocp-apim-subscription-key",
          "litellm_user_api_key", "proxy-authorization", "x-amz-security-token",
        }}

        function envoy_on_request(handle)
          local headers = handle:headers()
          local client = headers:get("x-api-key")
          local key = headers:get("x-litellm-api-key")
          local known = key and keys[key]
          if not known then
            local authorization = headers:get("authorization")
            local bearer = authorization and authorization:match("^[Bb]earer +(.*)$")
            known = bearer and keys[bearer]
          end
          if not known then
            known = client and keys[client]
          end
          if not known then
            handle:respond({{ [":status"] = "401" }}, "unknown key")
            return
          end
          for i = 1, #stripped do
            headers:remove(stripped[i])
          end
          if not client or keys[client] then
            headers:replace("x-api-key", "{DEPLOYMENT_KEY}")
          end
        end
        "#
    );
    filter("envoy.extensions.filters.http.lua.v3.Lua", json!({ "default_source_code": { "inline_string": script } }))
}

/// Asks a service beside Envoy about every request.
pub(super) fn ext_authz() -> Value {
    filter(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        json!({
            "transport_api_version": "V3",
            "grpc_service": { "envoy_grpc": { "cluster_name": ext_authz::CLUSTER }, "timeout": "5s" },
        }),
    )
}

/// The filter as a dynamic module.
pub(super) fn native(name: &str, configuration: &str) -> Value {
    json!({ "name": name, "typed_config": Carrier::Native.filter(name, configuration, &BTreeMap::new()) })
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
