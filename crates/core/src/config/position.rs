//! From a position in the JSON text to the path of the value there. The text is read again only if something is wrong.

use super::path::Shown;

/// A step from a value into one of its parts.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// To the item of an array with that number.
    Item(usize),
    /// To the field of an object with that number and name.
    Field(usize, String),
}

/// A container that the text is inside of.
enum Container<'a> {
    /// With the number of the item.
    Array(usize),
    /// With the number of the field, and its name as it is written, in its quotes; empty where it is still to come.
    Object(usize, &'a [u8]),
}

/// Returns the way to the value or name that ends or is about to begin at that line and column, both as `serde_json`
/// counts them; empty for the document as a whole.
///
/// The text up to there must be JSON.
pub(super) fn steps_to(json: &[u8], line: usize, column: usize) -> Vec<Step> {
    let mut inside: Vec<Container<'_>> = Vec::new();
    let mut rest = before(json, line, column);
    while let Some((byte, after)) = rest.split_first() {
        let (token, after) = if *byte == b'"' { split_string(rest) } else { (&[][..], after) };
        rest = after;
        match (byte, inside.last_mut()) {
            (b'{', _) => inside.push(Container::Object(0, &[])),
            (b'[', _) => inside.push(Container::Array(0)),
            (b'}' | b']', _) => {
                inside.pop();
            }
            (b',', Some(Container::Array(item))) => *item += 1,
            (b',', Some(Container::Object(field, name))) => (*field, *name) = (*field + 1, &[]),
            (b'"', Some(Container::Object(_, name))) if name.is_empty() => *name = token,
            _ => {}
        }
    }
    let step = |container| match container {
        Container::Array(item) => Some(Step::Item(item)),
        Container::Object(_, []) => None,
        Container::Object(field, name) => Some(Step::Field(field, unescaped(name))),
    };
    inside.into_iter().filter_map(step).collect()
}

/// Writes the path, as in `consumers[1].keys[0]`.
pub(super) fn path(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |path, step| match step {
        Step::Item(item) => format!("{path}[{item}]"),
        Step::Field(_, name) if path.is_empty() => Shown(name).to_string(),
        Step::Field(_, name) => format!("{path}.{}", Shown(name)),
    })
}

/// Returns the text before a line and column; columns are bytes and count from 1, those before the place included.
fn before(json: &[u8], line: usize, column: usize) -> &[u8] {
    let lines = json.split(|byte| *byte == b'\n').take(line.saturating_sub(1));
    let start: usize = lines.map(|line| line.len() + 1).sum();
    json.get(..start.saturating_add(column)).unwrap_or(json)
}

/// Splits after the string that begins here.
fn split_string(text: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    end.and_then(|end| text.split_at_checked(end + 2)).unwrap_or((text, &[]))
}

fn unescaped(name: &[u8]) -> String {
    serde_json::from_slice(name).unwrap_or_else(|_| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::wire::Configuration;
    use super::*;

    fn path_at(json: &[u8], line: usize, column: usize) -> String {
        path(&steps_to(json, line, column))
    }

    #[test]
    fn a_value_has_the_path_to_it() {
        let json = br#"{"a": [{"b,}\"": 1, "c\u0041": [2, 3]}, 4], "": "d", "e": 6}"#;
        let path = |until: &str| {
            let text = std::str::from_utf8(json).unwrap();
            path_at(json, 1, text.find(until).unwrap() + until.len())
        };
        assert_eq!(path(": 1"), r#"a[0]."b,}\"""#);
        assert_eq!(path(r#""c\u0041""#), "a[0].cA");
        assert_eq!(path("[2"), "a[0].cA[0]");
        assert_eq!(path(", 3"), "a[0].cA[1]");
        assert_eq!(path("3]"), "a[0].cA");
        assert_eq!(path("3]}"), "a[0]");
        assert_eq!(path("}, 4"), "a[1]");
        assert_eq!(path("4]"), "a");
        assert_eq!(path(r#""d""#), r#""""#);
        assert_eq!(path(r#""e": "#), "e");
        assert_eq!(path("6}"), "");
        let steps = steps_to(json, 1, json.len() - 1);
        assert_eq!(steps, [Step::Field(2, "e".to_owned())]);
        assert_eq!(path_at(json, 1, 0), "");
        assert_eq!(path_at(json, 9, 9), "");
    }

    #[test]
    fn lines_are_counted_from_one() {
        let json = b"{\n  \"a\":\n  [\n1,\n2]}";
        assert_eq!(path_at(json, 2, 5), "a");
        assert_eq!(path_at(json, 4, 1), "a[0]");
        assert_eq!(path_at(json, 5, 1), "a[1]");
    }

    /// Wherever a value is of the wrong form, or a field too many, the path is that of a library which keeps one all along.
    #[test]
    fn the_path_is_the_one_that_was_taken() {
        let configuration = json!({
            "mode": "on",
            "key_sources": [{ "header": "authorization", "scheme": "Bearer" }, { "query": "key" }],
            "consumers": [{
                "name": "team-a", "providers": ["a"], "byok": "off", "deployment_keys": { "a": { "value": "x" } },
                "keys": [{ "id": "1", "sha256": "0", "disabled": true }, { "id": "2", "value": "x" }],
            }],
            "verification_service": {
                "cluster": "c", "path": "/", "send_as": { "header": "x" }, "timeout": "2s", "max_in_flight": 1,
            },
            "providers": { "a": { "api": "openai", "clusters": ["c"], "deployment_key": { "value": "x" } } },
            "routes": [{ "match": { "path": "/a", "methods": ["GET"] }, "consumers": ["team-a"] }],
            "identity_headers": { "consumer": "x-\"a\\" },
        });
        let mut places = vec![String::new()];
        pointers(&configuration, "", &mut places);
        let mut mistakes = 0;
        for place in &places {
            for wrong in [json!(null), json!(true), json!(1.5), json!("x"), json!([]), json!({ "x": { "y": [1] } })] {
                let mut configuration = configuration.clone();
                *configuration.pointer_mut(place).unwrap() = wrong;
                for text in [configuration.to_string(), serde_json::to_string_pretty(&configuration).unwrap()] {
                    mistakes += usize::from(has_mistake_where_it_should(&text));
                }
            }
        }
        assert!(mistakes > 400, "{mistakes} mistakes in {} places", places.len());
    }

    fn has_mistake_where_it_should(text: &str) -> bool {
        let Err(error) = serde_json::from_str::<Configuration>(text) else { return false };
        let read = &mut serde_json::Deserializer::from_str(text);
        let kept = serde_path_to_error::deserialize::<_, Configuration>(read).err().unwrap().path().to_string();
        let kept = if kept == "." { String::new() } else { kept };
        assert_eq!(path_at(text.as_bytes(), error.line(), error.column()), kept, "{error} in {text}");
        true
    }

    fn pointers(value: &Value, to: &str, places: &mut Vec<String>) {
        let parts: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, part)| (format!("{to}/{name}"), part)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(at, part)| (format!("{to}/{at}"), part)).collect(),
            _ => return,
        };
        for (place, part) in parts {
            pointers(part, &place, places);
            places.push(place);
        }
    }
}
