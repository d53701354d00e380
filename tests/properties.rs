//! Invariants over arbitrary requests under arbitrary configurations.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod arbitrary;
mod edits;
mod invariants;
mod observe;

use std::collections::BTreeMap;

use byok_core::{Policy, RequestHeaders};
use byok_testkit::corpus::Line;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use arbitrary::{Setting, identity, lines, request, setting};
use observe::{observe, observe_identified};

/// The same requests in every run, unless `PROPTEST_RNG_SEED` says otherwise; `PROPTEST_CASES` makes them more.
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let rng_seed = if given.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { given.rng_seed };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { 8_192 };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn invariants_hold(setting in setting(), request in request(), identity in identity()) {
        let policy = policy(&setting);
        let observed = observe_identified(&policy, &request, identity);
        let broken = setting.facts.check(&request, identity, &observed);
        prop_assert_eq!(broken, Ok(()), "{}\n{:?}", byok_testkit::corpus::Message::from_map(request), observed.record);
    }

    #[test]
    fn the_order_of_names_changes_nothing(setting in setting(), (request, other) in two_orders()) {
        let policy = policy(&setting);
        let (one, two) = (observe(&policy, &request), observe(&policy, &other));
        prop_assert_eq!(&one.record, &two.record);
        prop_assert_eq!(&one.told, &two.told);
        prop_assert_eq!(one.upstream.map(by_name), two.upstream.map(by_name));
    }

    #[test]
    fn the_same_request_gives_the_same_decision(setting in setting(), request in request()) {
        let (one, two) = (observe(&policy(&setting), &request), observe(&policy(&setting), &request));
        prop_assert_eq!(one.record, two.record);
        prop_assert_eq!(one.upstream, two.upstream);
    }

    #[test]
    fn any_bytes_get_a_decision(setting in setting(), lines in lines()) {
        let observed = observe(&policy(&setting), &lines);
        prop_assert!(!observed.record.is_empty());
    }

    #[test]
    fn any_bytes_are_a_header_map_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(RequestHeaders::from_map(&bytes));
    }

    #[test]
    fn any_bytes_are_a_configuration_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Policy::from_json(&bytes, &|_| None));
    }

    #[test]
    fn a_damaged_configuration_loads_or_is_refused(setting in setting(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = setting.json.to_string().into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        if let Err(errors) = Policy::from_json(&json, &|_| None) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                let text = error.to_string();
                prop_assert!(!text.contains("EXAMPLE"), "{}", text);
            }
        }
    }
}

fn policy(setting: &Setting) -> Policy {
    let loaded = Policy::from_json(setting.json.to_string().as_bytes(), &|_| None);
    loaded.unwrap_or_else(|errors| panic!("{:#}: {errors:?}", setting.json)).policy
}

/// A request in two orders of its names; the lines of one name keep theirs.
fn two_orders() -> impl Strategy<Value = (Vec<Line>, Vec<Line>)> {
    request().prop_flat_map(|request| {
        let names: Vec<Vec<u8>> = by_name(request.clone()).into_keys().collect();
        (Just(request), Just(names).prop_shuffle()).prop_map(|(request, names)| {
            let of_name = |name: &Vec<u8>| request.iter().filter(|(own, _)| own == name).cloned().collect::<Vec<_>>();
            let other = names.iter().flat_map(of_name).collect();
            (request, other)
        })
    })
}

fn by_name(lines: Vec<Line>) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut names: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in lines {
        names.entry(name).or_default().push(value);
    }
    names
}
