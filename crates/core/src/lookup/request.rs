//! The HTTP request of a lookup.

use crate::model::{Lookup, SendAs, VerificationService};

/// The headers of a request to the verification service, pseudo-headers included. They may contain a secret.
#[derive(PartialEq, Eq)]
pub struct LookupRequest(Vec<(Box<str>, Box<str>)>);

impl LookupRequest {
    /// Returns the request that asks about a key.
    pub fn new(service: &VerificationService, lookup: &Lookup<'_>) -> Self {
        let mut path = service.path.to_string();
        let mut headers: Vec<(Box<str>, Box<str>)> = Vec::with_capacity(6);
        match &service.send_as {
            SendAs::Sha256Query(parameter) => {
                path.push(if path.contains('?') { '&' } else { '?' });
                path.extend([parameter, "=", &lookup.digest.to_hex()]);
            }
            SendAs::Header(name, scheme) => {
                // The service is asked about visible ASCII only.
                let secret = String::from_utf8_lossy(&lookup.secret);
                let value = scheme.as_ref().map_or(secret.to_string(), |scheme| format!("{scheme} {secret}"));
                headers.push((name.clone(), value.into()));
            }
        }
        headers.extend(
            service.service_key.iter().map(|key| ("authorization".into(), format!("Bearer {}", key.expose()).into())),
        );
        headers.extend([
            (":method".into(), "GET".into()),
            (":path".into(), path.into()),
            (":authority".into(), service.authority.clone()),
            ("accept".into(), "application/json".into()),
        ]);
        Self(headers)
    }

    /// Returns names and values: for the service, never for a log.
    pub fn expose(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value)).collect()
    }
}

impl std::fmt::Debug for LookupRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
