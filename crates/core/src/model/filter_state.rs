//! Which parts of a decision are set as filter state. Each is a call into Envoy on every request.

/// The parts, as filter state names them after `wasm.byok.`; labels come besides.
pub(crate) const PARTS: [&str; 7] =
    ["decision", "reason", "auth_source", "consumer", "key_id", "provider", "credential_source"];

/// The parts that are set.
#[derive(Debug, Default)]
pub(crate) enum FilterStateParts {
    #[default]
    All,
    Only(Vec<Box<str>>),
}

impl FilterStateParts {
    /// Whether a property is set, by its name with `byok.` before the part.
    pub(crate) fn contains(&self, property: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(parts) => parts.iter().any(|part| property.strip_prefix("byok.") == Some(&**part)),
        }
    }
}
