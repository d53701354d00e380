//! Tokens that `jwt_authn` checks: signed with a shared secret (RFC 7519, RFC 7515, RFC 7518 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const ISSUER: &str = "https://sso.example.com";
const SECRET: &[u8] = b"EXAMPLE-secret-of-32-bytes-or-more";

/// Returns a token that the issuer has signed.
pub(crate) fn signed(claims: Value) -> String {
    signed_with(SECRET, claims)
}

/// Returns a token that somebody else has signed.
pub(crate) fn forged(claims: Value) -> String {
    signed_with(b"EXAMPLE-secret-of-somebody-else-altogether", claims)
}

fn signed_with(secret: &[u8], mut claims: Value) -> String {
    claims["iss"] = ISSUER.into();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let content = format!("{}.{}", part(json!({ "alg": "HS256", "kid": "1", "typ": "JWT" })), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a secret of any length");
    mac.update(content.as_bytes());
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Returns the issuer's keys as `jwt_authn` takes them.
pub(crate) fn jwks() -> String {
    json!({ "keys": [ { "kty": "oct", "alg": "HS256", "kid": "1", "k": URL_SAFE_NO_PAD.encode(SECRET) } ] }).to_string()
}
