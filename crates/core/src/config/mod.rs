//! From the configuration as it is written to a [`Policy`]: checked once, accepted whole or not at all.

mod compile;
mod de;
mod diagnostics;
mod lint;
mod lint_modes;
mod path;
mod position;
#[cfg(feature = "schema")]
mod schema;
#[cfg(test)]
mod sentinel;
mod wire;

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use serde_json::value::RawValue;

pub use diagnostics::{ConfigError, Warning};
pub use lint_modes::covers_path;
pub use path::Shown;
pub use position::Step;
#[cfg(feature = "schema")]
pub use schema::schema;

use compile::{Environment, NATIVE_ONLY};
use diagnostics::Diagnostics;
use path::Path;

use crate::http::starts_with_any;
use crate::model::Policy;
use crate::providers::NEVER_CANDIDATES;

/// A valid configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub policy: Policy,
    /// What is valid but probably not what the operator intended.
    pub warnings: Vec<Warning>,
}

/// Where the secrets are that a configuration names but does not contain.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// Returns the value of an environment variable, if it is set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// A carrier that cannot ask Envoy for secrets has no such function.
    pub sds_secret: Option<&'a SdsSecret<'a>>,
}

/// Returns the secret of that name, `None` if Envoy has no such secret. The second text is `sds_config` as it is written, in which
/// `{name}` stands for the name; empty without one.
pub type SdsSecret<'a> = dyn Fn(&str, &str) -> Option<String> + 'a;

impl Policy {
    /// Reads and checks a configuration; `environment` returns the value of an environment variable, if it is set.
    ///
    /// # Errors
    /// Returns everything that is wrong, in the order of the configuration's fields. A document that is not of the right
    /// form yields the first error only.
    ///
    /// ```
    /// use byok_core::Policy;
    ///
    /// let environment = |name: &str| (name == "PROXY_KEY").then(|| "proxy-EXAMPLE".to_owned());
    /// let json = r#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "environment_variable": "PROXY_KEY" } ] } ] }"#;
    /// assert!(Policy::from_json(json, &environment).is_ok());
    ///
    /// let errors = Policy::from_json(json, &|_| None).expect_err("the variable is not set");
    /// assert_eq!(errors[0].path, "consumers[0].keys[0].environment_variable");
    /// ```
    pub fn from_json(
        json: impl AsRef<[u8]>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, Vec<ConfigError>> {
        Self::load(json, Secrets { variable: environment, sds_secret: None })
    }

    /// Reads and checks a configuration whose secrets may come from Envoy too.
    ///
    /// # Errors
    /// As [`Policy::from_json`].
    pub fn load(json: impl AsRef<[u8]>, secrets: Secrets<'_>) -> Result<Loaded, Vec<ConfigError>> {
        let mut configuration = parse(json.as_ref()).map_err(|error| vec![error])?;
        let digest = RefCell::new(FixedState::default().build_hasher());
        digest.borrow_mut().write(json.as_ref());
        // If the text is handed over, its memory is free for what is made of it.
        drop(json);
        let mut diagnostics = Diagnostics::default();
        let sds_config = configuration.sds_config.take();
        if sds_config.is_some() && secrets.sds_secret.is_none() {
            diagnostics.error(Path::Top("sds_config"), NATIVE_ONLY);
        }
        let sds_config = sds_config.as_deref().map_or("", RawValue::get);
        let environment = Environment { secrets, sds_config, digest: &digest };
        let policy = compile::compile(configuration, environment, &mut diagnostics);
        match policy {
            Some(policy) if diagnostics.errors.is_empty() => Ok(Loaded { policy, warnings: diagnostics.warnings }),
            _ => Err(diagnostics.errors),
        }
    }
}

fn parse(json: &[u8]) -> Result<wire::Configuration, ConfigError> {
    serde_json::from_slice(json).map_err(|error| diagnostics::from_json(json, &error).0)
}

/// Whether a secret has the form of a provider credential that is never accepted as a proxy key.
pub fn is_never_proxy_key(secret: &[u8]) -> bool {
    starts_with_any(secret, NEVER_CANDIDATES)
}

/// Returns the first error of form, if the document is not of the right one, and the steps to where it is.
pub fn error_of_form(json: &[u8]) -> Option<(ConfigError, Vec<Step>)> {
    let error = serde_json::from_slice::<wire::Configuration>(json).err()?;
    Some(diagnostics::from_json(json, &error))
}
