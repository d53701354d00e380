//! [CVE-2026-59822](https://nvd.nist.gov/vuln/detail/CVE-2026-59822): a made-up `authorization` that LiteLLM before 1.84.0
//! took for a token of an MCP server, and its caller for somebody whom it knew.

use byok_testkit::site::PROXY_KEY;

use crate::stage::{Refused, Stage};

const MCP: [&str; 8] = [
    "POST /mcp",
    "POST /mcp/",
    "GET /mcp",
    "POST /mcp/github",
    "POST /github/mcp",
    "GET /sse",
    "POST /mcp-rest/tools/call",
    "POST /mcp-rest/test/tools/list",
];

const AUTHORIZATIONS: [&str; 7] = [
    "authorization: Bearer sk-EXAMPLE-fabricated",
    "authorization: Bearer fabricated",
    "authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJFWEFNUExFIn0.",
    "authorization: Bearer sk-ant-oat01-EXAMPLE-fabricated",
    "authorization: Basic RVhBTVBMRTpFWEFNUExF",
    "authorization: fabricated",
    // An empty header is an absent one, not a key that LiteLLM may check instead.
    "x-litellm-api-key:\nauthorization: Bearer fabricated",
];

/// Headers by which LiteLLM's MCP gateway chooses servers and is given their tokens.
const OF_MCP: &str = "accept: application/json, text/event-stream\ncontent-type: application/json\nmcp-protocol-version: 2025-11-25
mcp-session-id: fabricated\nx-mcp-servers: github\nx-mcp-auth: Bearer fabricated\nx-mcp-github-authorization: Bearer fabricated";

#[test]
fn a_fabricated_authorization_does_not_reach_an_mcp_endpoint() {
    let stage = Stage::start();
    for endpoint in MCP {
        for authorization in AUTHORIZATIONS {
            let request = format!("{endpoint}\n{authorization}\n{OF_MCP}");
            assert_eq!(stage.refused(&request), [Refused::ByTheFilter(401); 2], "{request}");
            stage.reaches_with_a_key(&request);
        }
    }
}

/// The same releases took any URL with `.well-known` in it for metadata, which everybody may read.
#[test]
fn the_name_of_public_metadata_somewhere_in_a_url_opens_nothing() {
    let stage = Stage::start();
    for path in [
        "/mcp?/.well-known/oauth-protected-resource",
        "/mcp?x=.well-known",
        "/mcp/.well-known/oauth-protected-resource",
        "/github/mcp/.well-known",
        "/mcp/.well-known%2Foauth-protected-resource",
    ] {
        let request = format!("POST {path}\nauthorization: Bearer fabricated");
        stage.refused_by_filter(&request);
        stage.reaches_with_a_key(&request);
    }
    // Of these, one reader takes the open route and another one does not.
    for path in [
        "/.well-known/../mcp",
        "/.well-known/..%2Fmcp",
        "/.well-known/%2e%2e/mcp",
        "/.well-known/..;/mcp",
        "/.well-known\\..\\mcp",
    ] {
        for key in ["authorization: Bearer fabricated".to_owned(), format!("x-litellm-api-key: {PROXY_KEY}")] {
            stage.refused_by_filter(&format!("POST {path}\n{key}"));
        }
    }
}
