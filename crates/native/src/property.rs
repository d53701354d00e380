//! Where Envoy names a caller that it has authenticated: the properties of the identities, as far as a dynamic module can
//! read them.

use byok_core::Policy;

use crate::abi;
use crate::host::Stream;

/// A property that can be read.
pub(crate) enum Property {
    /// An attribute of the connection, by its id.
    Attribute(u32),
    /// A key of a filter's dynamic metadata.
    Metadata(Box<str>, Box<str>),
    FilterState(Box<str>),
}

impl Property {
    /// Returns the properties of all identities, in their order.
    ///
    /// # Errors
    /// The first that cannot be read, for the log.
    pub(crate) fn of_all(policy: &Policy) -> Result<Vec<Self>, String> {
        let properties = policy.identities.iter().enumerate().map(|(index, identity)| {
            let parts: Vec<&str> = identity.property.iter().map(|part| &**part).collect();
            Self::parse(&parts).ok_or_else(|| format!("identities[{index}].property: {UNREADABLE}"))
        });
        properties.collect()
    }

    fn parse(parts: &[&str]) -> Option<Self> {
        Some(match *parts {
            ["connection", attribute] => Self::Attribute(match attribute {
                "uri_san_peer_certificate" => abi::CONNECTION_URI_SAN_PEER_CERTIFICATE,
                "dns_san_peer_certificate" => abi::CONNECTION_DNS_SAN_PEER_CERTIFICATE,
                "subject_peer_certificate" => abi::CONNECTION_SUBJECT_PEER_CERTIFICATE,
                "sha256_peer_certificate_digest" => abi::CONNECTION_SHA256_PEER_CERTIFICATE_DIGEST,
                _ => return None,
            }),
            ["metadata", "filter_metadata", namespace, key] => Self::Metadata(namespace.into(), key.into()),
            ["filter_state", key] => Self::FilterState(key.into()),
            _ => return None,
        })
    }

    /// Returns the value, the items of a list, or nothing.
    pub(crate) fn values<'hook>(&self, stream: Stream<'hook>) -> Vec<&'hook [u8]> {
        match self {
            Self::Attribute(id) => stream.attribute(*id).into_iter().collect(),
            Self::Metadata(namespace, key) => stream.metadata(namespace, key),
            Self::FilterState(key) => stream.filter_state(key).into_iter().collect(),
        }
    }
}

const UNREADABLE: &str = "expected one that Envoy shows to a dynamic module: connection and an attribute of the client \
     certificate, metadata, filter_metadata, a filter and one key, or filter_state and one key";
