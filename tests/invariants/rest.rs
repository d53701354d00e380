//! What must hold of everything that is no credential.

use std::collections::BTreeMap;

use byok_testkit::corpus::Line;

use super::places::{self, is_oauth_token, secret_of};
use super::{Exchange, carries};

/// Without it Anthropic refuses an OAuth token.
const BETA: &[u8] = b"oauth-2025-04-20";

impl Exchange<'_> {
    /// What scopes a credential goes upstream with the client's own, and never without.
    pub(super) fn companions_go_with_the_clients_credential_alone(&self) -> Result<(), String> {
        let of_client = self.observed.part("credential_source").starts_with("client");
        let companions = |lines: &[Line]| {
            let own = lines.iter().filter(|(name, value)| self.is_companion(name) && !self.is_proxy_key(value));
            own.cloned().collect::<Vec<_>>()
        };
        let (before, after) = (companions(self.request), companions(self.upstream));
        match of_client {
            true if before != after => Err("what scopes the client's credential does not go with it".to_owned()),
            false if !after.is_empty() => Err("what scopes the client's credential goes without it".to_owned()),
            _ => Ok(()),
        }
    }

    fn is_companion(&self, name: &[u8]) -> bool {
        self.provider.api.companions.iter().any(|known| places::reads_like(name, known))
    }

    /// An OAuth token goes to Anthropic, the client's or the operator's, if and only if its beta does; the other betas
    /// stay.
    pub(super) fn the_beta_goes_with_an_oauth_token_alone(&self) -> Result<(), String> {
        let lines = places::values_at(self.upstream, "authorization");
        let has_token =
            self.provider.api.oauth && lines.iter().any(|value| secret_of(value).is_some_and(is_oauth_token));
        let betas = |lines: &[Line]| {
            let values = places::values_at(lines, "anthropic-beta");
            let values = values.iter().filter(|value| !self.is_proxy_key(value));
            let items =
                values.flat_map(|value| value.split(|byte| *byte == b',')).map(|item| item.trim_ascii().to_vec());
            items.filter(|item| !item.is_empty()).collect::<Vec<_>>()
        };
        let (before, after) = (betas(self.request), betas(self.upstream));
        let others = |items: &[Vec<u8>]| items.iter().filter(|item| *item != BETA).cloned().collect::<Vec<_>>();
        if after.iter().any(|item| item == BETA) != has_token {
            return Err(format!("an OAuth token goes upstream: {has_token}, its beta: {}", !has_token));
        }
        if others(&before) == others(&after) { Ok(()) } else { Err("other betas change".to_owned()) }
    }

    /// An inbound identity header never survives; what is set is true, and set for whom it is to be.
    pub(super) fn no_forged_identity(&self) -> Result<(), String> {
        let known = ["verified", "anonymous"].contains(&self.observed.part("reason"));
        for (name, value) in self.upstream.iter().filter(|(name, _)| self.facts.is_identity(name)) {
            let name = String::from_utf8_lossy(name).into_owned();
            let says = self.facts.identity_headers.iter().find(|(own, _)| *own == name).map(|(_, says)| *says);
            let Some(says) = says else { return Err(format!("{name} survives")) };
            if self.observed.part(says).as_bytes() != value.as_slice() {
                return Err(format!("{name} does not say the {says}"));
            }
            if !known && says != "provider" {
                return Err(format!("{name} is set for an unverified caller"));
            }
        }
        for (name, says) in &self.facts.identity_headers {
            let is_due = (known || *says == "provider") && self.observed.part(says) != "-";
            if is_due && places::values_at(self.upstream, name).len() != 1 {
                return Err(format!("{name} is not set"));
            }
        }
        Ok(())
    }

    /// What is no credential, no identity and not the proxy key passes byte for byte, in its order.
    pub(super) fn nothing_else_changes(&self) -> Result<(), String> {
        const PARTS: [&[u8]; 5] = [b":path", b"cookie", b"sec-websocket-protocol", b"anthropic-beta", b"connection"];
        let facts = self.facts;
        let is_listed = |name: &[u8]| facts.strip_list.iter().any(|listed| listed.as_bytes() == name);
        if self.upstream.iter().any(|(name, _)| is_listed(name)) {
            return Err("a header of the strip list goes upstream".to_owned());
        }
        let plain = |name: &[u8]| {
            let is_special = facts.is_place(name) || facts.is_identity(name) || self.is_companion(name);
            !is_special && !PARTS.contains(&name) && !is_listed(name)
        };
        fn others<'a>(lines: &'a [Line], is_other: impl Fn(&Line) -> bool + 'a) -> impl Iterator<Item = &'a Line> {
            lines.iter().filter(move |line| is_other(line))
        }
        let is_other = |(name, value): &Line| plain(name) && !self.is_proxy_key(value);
        let unchanged = || others(self.request, is_other).eq(others(self.upstream, is_other));
        let without_key =
            || others(self.request, |(name, value)| plain(name) && self.is_proxy_key(value)).next().is_none();
        if !(without_key() && unchanged()) {
            self.lines_change_beside_the_proxy_key_alone(&plain)?;
        }
        self.no_part_changes()
    }

    fn lines_change_beside_the_proxy_key_alone(&self, plain: &dyn Fn(&[u8]) -> bool) -> Result<(), String> {
        let by_name = |lines: &[Line]| {
            let mut names: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
            for (name, value) in lines.iter().filter(|(name, value)| plain(name) && !self.is_proxy_key(value)) {
                names.entry(name.clone()).or_default().push(value.clone());
            }
            names
        };
        let (mut before, mut after) = (by_name(self.request), by_name(self.upstream));
        // What is left of a header of which one line was the proxy key becomes one line.
        for (name, _) in self.request.iter().filter(|(name, value)| plain(name) && self.is_proxy_key(value)) {
            let words = |lines: Option<Vec<Vec<u8>>>| {
                let lines = lines.unwrap_or_default().join(&b","[..]);
                let words = lines.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>()
            };
            if words(before.remove(name)) != words(after.remove(name)) {
                return Err(format!("beside the proxy key {} changes", String::from_utf8_lossy(name)));
            }
        }
        if before != after {
            return Err(format!("other headers change: {before:?} became {after:?}"));
        }
        Ok(())
    }

    /// What the next hop may remove, and the parts of headers that are no credentials.
    fn no_part_changes(&self) -> Result<(), String> {
        let options = places::values_at(self.upstream, "connection");
        let mut options = options.iter().flat_map(|line| line.split(|byte| *byte == b','));
        if options.any(|option| !option.trim_ascii().eq_ignore_ascii_case(b"upgrade")) {
            return Err("the next hop is told to remove a header".to_owned());
        }
        for (what, parts) in [
            ("parameters", Self::other_parameters as fn(&Self, &[Line]) -> Vec<Line>),
            ("cookies", Self::other_cookies),
            ("subprotocols", Self::other_subprotocols),
        ] {
            let (before, after) = (parts(self, self.request), parts(self, self.upstream));
            if before != after {
                return Err(format!("other {what} change: {before:?} became {after:?}"));
            }
        }
        Ok(())
    }

    fn other_parameters(&self, lines: &[Line]) -> Vec<Line> {
        // A form reads a `+` as a space; the proxy key may have one.
        let spaced =
            |value: &[u8]| value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<_>>();
        let is_key = |value: &[u8]| {
            let key = self.caller.key.as_deref();
            key.is_some() && (key == Some(value) || key == Some(&*spaced(value)))
        };
        let mut others = places::parameters(lines);
        others.retain(|(name, value)| {
            let is_key = is_key(value) || value.is_empty() && is_key(name);
            !is_key && !places::is_credential_parameter(name, &self.facts.places)
        });
        others
    }

    fn other_cookies(&self, lines: &[Line]) -> Vec<Line> {
        let is_place = |name: &[u8]| {
            let mut configured = self.facts.places.iter().filter_map(|place| place.strip_prefix("cookie:"));
            configured.any(|place| place.as_bytes() == name)
        };
        let mut others = places::cookies(lines);
        others.retain(|(name, value)| {
            let is_key = self.caller.key.as_ref() == Some(value);
            !(is_key || is_place(name) || name.is_empty() && value.is_empty())
        });
        others
    }

    fn other_subprotocols(&self, lines: &[Line]) -> Vec<Line> {
        let is_key = |item: &[u8]| self.caller.key.as_deref().is_some_and(|key| carries(item, key));
        let mut others = places::subprotocols(lines);
        others.retain(|item| {
            !item.is_empty() && !is_key(item) && places::credential_prefix(item, &self.facts.places).is_none()
        });
        others.into_iter().map(|item| (Vec::new(), item)).collect()
    }
}
