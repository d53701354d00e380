//! [CVE-2026-49468](https://nvd.nist.gov/vuln/detail/CVE-2026-49468): a `host` from which LiteLLM before 1.84.0 read the
//! path of another route, one that needs no key.

use crate::stage::{Refused, Stage};

/// With `/`, `?` or `#` these begin a path, query or fragment where a URL is made of them.
const ENDING_THE_AUTHORITY: [&str; 8] = [
    "localhost:4000/#@attacker.example",
    "localhost:4000/health/liveliness?",
    "localhost:4000/health/liveliness#",
    "localhost/?x=1",
    "localhost/",
    "localhost?",
    "localhost#",
    "localhost/.well-known/oauth-protected-resource?",
];

/// With user information; over HTTP/2 Envoy refuses these itself.
const WITH_USER: [&str; 3] =
    ["localhost:4000@attacker.example", "localhost%23@attacker.example", "user:password@localhost:4000"];

/// What Envoy takes for a host.
const ODD: [&str; 6] = [
    "localhost:4000",
    "localhost%2Fhealth%2Fliveliness%3F",
    "health.liveliness",
    "localhost:4000;health",
    "localhost:4000:health",
    "[::1]",
];

const PROTECTED: [&str; 5] = [
    "POST /key/generate",
    "GET /models",
    "POST /config/update",
    "POST /mcp-rest/test/connection",
    "POST /chat/completions",
];

/// Credentials that are none.
const CREDENTIALS: [&str; 3] =
    ["", "\nauthorization: Bearer sk-EXAMPLE-fabricated", "\nx-api-key: sk-EXAMPLE-fabricated"];

#[test]
fn no_host_makes_a_protected_route_an_open_one() {
    let stage = Stage::start();
    for route in PROTECTED {
        for credential in CREDENTIALS {
            for host in ENDING_THE_AUTHORITY {
                let request = format!("{route}\nhost: {host}{credential}");
                assert_eq!(stage.refused(&request), [Refused::ByEnvoy; 2], "{request}");
            }
            for host in WITH_USER {
                stage.refused(&format!("{route}\nhost: {host}{credential}"));
            }
            for host in ODD {
                stage.refused_by_filter(&format!("{route}\nhost: {host}{credential}"));
            }
        }
        for host in ODD {
            stage.reaches_with_a_key(&format!("{route}\nhost: {host}"));
        }
    }
}

/// Other headers, and the form of the target, from which a server may read host and path.
#[test]
fn nothing_else_that_tells_a_host_makes_a_protected_route_an_open_one() {
    let stage = Stage::start();
    for value in ENDING_THE_AUTHORITY.iter().chain(&ODD) {
        for name in ["x-forwarded-host", "x-host", "x-original-host", "forwarded: host=\"", "x-forwarded-server"] {
            let line = if name.ends_with('"') { format!("{name}{value}\"") } else { format!("{name}: {value}") };
            let request = format!("POST /key/generate\n{line}");
            stage.refused_by_filter(&request);
            stage.reaches_with_a_key(&request);
        }
    }
    for name in ["x-original-url", "x-rewrite-url", "x-envoy-original-path", "x-forwarded-prefix", "x-forwarded-uri"] {
        for path in ["/health/liveliness", "/.well-known/oauth-protected-resource"] {
            let request = format!("POST /key/generate\n{name}: {path}");
            stage.refused_by_filter(&request);
            stage.reaches_with_a_key(&request);
        }
    }
}
