//! Any other API: the configuration names its headers.

use super::{ClientPlace, Profile, Slot};
use crate::policy::Location;
use crate::refusal::Dialect;

/// Takes the headers, lower-case, each with its scheme; the deployment key goes into the first.
pub(crate) fn profile(first: (Box<str>, Option<Box<str>>), others: Vec<(Box<str>, Option<Box<str>>)>) -> Profile {
    let deployment_slot = Slot { header: first.0.clone(), scheme: first.1.clone() };
    let client_places = std::iter::once(first)
        .chain(others)
        .map(|(name, scheme)| ClientPlace { location: Location::Header(name), scheme, sent_as: None })
        .collect();
    Profile {
        client_places,
        oauth_places: Vec::new(),
        deployment_slot,
        deployment_key_beside_client: false,
        takes_anthropic_keys: true,
        client_key_prefixes: &[],
        dialect: Dialect::OpenAi,
    }
}
