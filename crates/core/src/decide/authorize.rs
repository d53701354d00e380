//! What a caller may do.

use super::authenticate::Caller;
use super::{Step, Trace};
use crate::model::{Consumer, DenyReason, RoutePolicy};

/// A caller who may use the route and its provider: the permit without which no credential is selected.
pub(super) struct Authorized<'a> {
    caller: Caller<'a>,
    route: &'a RoutePolicy,
}

impl<'a> Authorized<'a> {
    pub(super) fn caller(&self) -> &Caller<'a> {
        &self.caller
    }

    pub(super) fn route(&self) -> &'a RoutePolicy {
        self.route
    }

    /// Returns the consumer: of a verified caller, or the one that stands for anonymous callers.
    pub(super) fn consumer(&self) -> Option<&'a Consumer> {
        self.caller.consumer
    }
}

/// # Errors
/// The route is for other consumers, or the consumer may not use the route's provider.
pub(super) fn authorize<'a, T: Trace<'a>>(
    caller: Caller<'a>,
    route: &'a RoutePolicy,
    trace: &mut T,
) -> Result<Authorized<'a>, DenyReason> {
    let authorized = Authorized { caller, route };
    let result = check(&authorized);
    trace.record(|| Step::Authorization(result));
    result.map(|()| authorized)
}

fn check(authorized: &Authorized<'_>) -> Result<(), DenyReason> {
    let (route, consumer) = (authorized.route, authorized.consumer());
    if !route.consumers.allows(consumer.map(|consumer| consumer.name.as_bytes())) {
        return Err(DenyReason::ConsumerNotAllowed);
    }
    if consumer.is_some_and(|consumer| !consumer.providers.allows(Some(route.provider.name.as_bytes()))) {
        return Err(DenyReason::ProviderNotAllowed);
    }
    Ok(())
}
