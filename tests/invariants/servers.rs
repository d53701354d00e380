//! The paths that servers behind the filter may serve for one request: each decodes, resolves, merges and cuts as often
//! and in whichever order it likes. Written without the filter's code.

use std::collections::BTreeSet;

/// What one server does to a path.
type Step = fn(&[u8]) -> Vec<u8>;

/// More steps than any chain of servers takes with the paths of the tests.
const MAX_PATHS: usize = 2_000;

/// Returns every path that some chain of servers arrives at, the path as sent included.
pub(crate) fn served(path: &[u8]) -> BTreeSet<Vec<u8>> {
    let steps: [Step; 5] = [decode_once, resolve_dots, merge_slashes, cut_parameters, backslashes_to_slashes];
    let mut served = BTreeSet::from([path.to_vec()]);
    let mut new = vec![path.to_vec()];
    while let Some(path) = new.pop() {
        assert!(served.len() < MAX_PATHS, "{}", String::from_utf8_lossy(&path));
        for step in steps {
            let next = step(&path);
            if served.insert(next.clone()) {
                new.push(next);
            }
        }
    }
    served
}

/// Whether a path is below a prefix, by whole segments.
pub(crate) fn is_below(path: &[u8], prefix: &str) -> bool {
    path.strip_prefix(prefix.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn decode_once(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        match escape {
            Some(digits) => {
                let digits = std::str::from_utf8(digits).expect("hex digits");
                decoded.push(u8::from_str_radix(digits, 16).expect("two hex digits"));
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

/// RFC 3986, 5.2.4, of a path that may have empty segments.
fn resolve_dots(path: &[u8]) -> Vec<u8> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut ends_in_dots = false;
    for segment in path.split(|byte| *byte == b'/').skip(1) {
        ends_in_dots = matches!(segment, b"." | b"..");
        match segment {
            b"." => {}
            b".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    if ends_in_dots {
        segments.push(b"");
    }
    [b"/", segments.join(&b'/').as_slice()].concat()
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut merged: Vec<u8> = Vec::new();
    for byte in path {
        if *byte != b'/' || merged.last() != Some(&b'/') {
            merged.push(*byte);
        }
    }
    merged
}

fn cut_parameters(path: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> = path
        .split(|byte| *byte == b'/')
        .map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default())
        .collect();
    segments.join(&b'/')
}

fn backslashes_to_slashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}
