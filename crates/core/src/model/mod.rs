//! The checked configuration and the words for a decision. A request finds nothing here that is still to be checked,
//! merged or defaulted.

mod filter_state;
mod headers;
mod identity;
mod key;
mod location;
mod lookup;
mod policy;
mod provider;
mod reason;
mod route;

pub(crate) use filter_state::{FilterStateParts, PARTS};
pub(crate) use headers::NameSet;
pub use headers::{CredentialLocations, IdentityHeaders, StripList};
pub(crate) use identity::ListedValues;
pub use identity::{AuthSource, Identity, RequestIdentities};
pub(crate) use key::KeyLimits;
pub use key::{Consumer, Key, KeyRing, Label};
pub(crate) use location::{Commas, after, subprotocols};
pub use location::{KeySource, Location, SingleValueLocation, UpstreamHeader};
pub use lookup::{Lookup, LookupResult, LookupResults, SendAs, VerificationService, is_service_name};
pub use policy::Policy;
pub use provider::{Beta, Byok, ClientCredentialPolicy, CredentialKind, CredentialRule, Dialect, Provider};
pub use reason::{CredentialSource, DecisionToken, DenyReason, Reason};
pub use route::{AllowList, HostMatch, Mode, PathMatch, ProxyKeyHandling, Route, RouteMatch, RoutePolicy};
