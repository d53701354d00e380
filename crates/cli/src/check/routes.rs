//! Routes of the configuration that no request can reach.

use byok_core::Policy;
use byok_core::config::covers_path;
use byok_core::model::{HostMatch, RouteMatch};

/// A route is compared with at most as many earlier ones, so that the work does not grow with the square of their number.
const MOST_EARLIER: usize = 1_000;

/// Returns each route that matches nothing beyond an earlier one, with the first such route.
pub(crate) fn covered(policy: &Policy) -> Vec<(usize, usize)> {
    let matchers: Vec<&RouteMatch> = policy.routes.iter().map(|route| &route.matcher).collect();
    let by_earlier = |(index, later): (usize, &&RouteMatch)| {
        let earlier = matchers.iter().take(index.min(MOST_EARLIER)).position(|earlier| covers(earlier, later))?;
        Some((index, earlier))
    };
    matchers.iter().enumerate().filter_map(by_earlier).collect()
}

/// Whether the earlier one matches every request that the later one matches.
fn covers(earlier: &RouteMatch, later: &RouteMatch) -> bool {
    let path = covers_path(earlier.path.as_ref(), later.path.as_ref());
    let host = match (&earlier.host, &later.host) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(HostMatch::Exact(earlier)), Some(HostMatch::Exact(later))) => earlier == later,
        (Some(HostMatch::Exact(_)), Some(HostMatch::Below(_))) => false,
        (Some(HostMatch::Below(earlier)), Some(HostMatch::Exact(later))) => {
            later.len() > earlier.len() && later.ends_with(&**earlier)
        }
        (Some(HostMatch::Below(earlier)), Some(HostMatch::Below(later))) => later.ends_with(&**earlier),
    };
    let methods = match (&earlier.methods, &later.methods) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => {
            later.iter().all(|method| earlier.iter().any(|known| known.eq_ignore_ascii_case(method)))
        }
    };
    path && host && methods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered_in(routes: &str) -> Vec<(usize, usize)> {
        let json = format!("{{ \"mode\": \"off\", \"routes\": [{routes}] }}");
        covered(&Policy::from_json(json.as_bytes(), &|_| None).unwrap().policy)
    }

    #[test]
    fn only_what_an_earlier_route_matches_whole_is_covered() {
        let prefix = |text: &str| format!(r#"{{ "match": {{ "path_prefix": "{text}" }} }}"#);
        assert_eq!(covered_in(&[prefix("/v1"), prefix("/v1/messages")].join(",")), [(1, 0)]);
        assert_eq!(covered_in(&[prefix("/v1/messages"), prefix("/v1")].join(",")), []);
        assert_eq!(covered_in(&[prefix("/v1"), prefix("/v1x")].join(",")), []);
        assert_eq!(covered_in(&[prefix("/"), prefix("/v1")].join(",")), [(1, 0)]);
        let of = |matcher: &str| format!(r#"{{ "match": {matcher} }}"#);
        let any_host = of(r#"{ "host": "*.example.com" }"#);
        assert_eq!(
            covered_in(&[any_host.clone(), of(r#"{ "host": "a.b.example.com", "path": "/x" }"#)].join(",")),
            [(1, 0)]
        );
        assert_eq!(covered_in(&[any_host, of(r#"{ "host": "example.com" }"#)].join(",")), []);
        let post = of(r#"{ "path": "/x", "methods": ["POST"] }"#);
        assert_eq!(covered_in(&[post.clone(), of(r#"{ "path": "/x", "methods": ["POST", "GET"] }"#)].join(",")), []);
        assert_eq!(covered_in(&[post.clone(), post].join(",")), [(1, 0)]);
    }

    #[test]
    fn a_request_without_a_path_still_reaches_a_route_without_one() {
        let all_paths = r#"{ "match": { "path_prefix": "/" } }, { "match": { "methods": ["CONNECT"] } }"#;
        assert_eq!(covered_in(all_paths), []);
    }
}
