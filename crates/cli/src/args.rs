//! The arguments of every command, and their help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks configurations of byok-filter and explains its decisions, using the filter's own code.
#[derive(Parser)]
#[command(name = "byok", version, long_version = long_version(), arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Check(Check),
    Explain(Explain),
    /// Prints the SHA-256 of a key and its entry for the configuration
    ///
    /// Reads the key from a prompt without echo or from standard input, and ignores white space around it. The key can't
    /// be passed as an argument, since other users can read the command line.
    #[command(after_help = "\
Examples:
  byok hash --consumer team-a --id 2026-q4
  printf %s \"$KEY\" | byok hash")]
    Hash(Entry),
    Generate(Generate),
    /// Prints the JSON schema of the configuration (draft 2020-12)
    Schema,
    /// Converts a configuration of LiteLLM
    ///
    /// Prints the configuration to standard output, and differences from LiteLLM and settings that could not be converted
    /// to standard error. Keys in clear text become digests or environment variables that you have to set. Reads the files
    /// that the configuration includes, and finds it in a Kubernetes ConfigMap or the values of a Helm chart.
    #[command(after_help = "\
Exit status: 0 if the filter accepts the configuration, 1 if it has to be completed, 2 if arguments are invalid.

Example:
  byok import-litellm config.yaml > byok.json")]
    ImportLitellm {
        /// LiteLLM's config.yaml; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Prints completions for a shell
    #[command(after_help = "\
Example:
  byok completions bash > ~/.local/share/bash-completion/completions/byok")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the man page of byok or of one of its commands
    #[command(after_help = "\
Examples:
  byok man | man -l -
  byok man explain > byok-explain.1")]
    Man {
        /// The command
        command: Option<String>,
    },
}

/// Checks configurations, on their own or embedded in documents of Envoy, Istio or Envoy Gateway.
///
/// Finds the filter's configuration in an Envoy bootstrap or listener, an Istio WasmPlugin or TrafficExtension, and an
/// Envoy Gateway EnvoyExtensionPolicy, in JSON or in YAML with any number of documents. Reports all errors at once, and
/// warns of settings that are valid but probably not what you intended. An environment variable that is not set here is
/// a warning; a file without a configuration is a note, and an error if no file has one. Values are never printed: the
/// lines of a file are shown with `…` in place of them.
#[derive(Args)]
#[command(after_help = "\
Exit status: 0 if there are no errors, 1 if there are (or warnings, with --deny-warnings), 2 if arguments are invalid.

Examples:
  byok check envoy/envoy.yaml
  byok check --deny-warnings --format json gateway/*.yaml
  kubectl get wasmplugin byok -o yaml | byok check -")]
pub(crate) struct Check {
    /// The files to check; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The output format: text, or one JSON object per line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Exit with 1 if there are warnings, too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Explains what the filter decides about a request: who is calling, which credential is used, what goes upstream, and why.
///
/// Nothing is sent. Credentials are identified by the first 8 hex digits of their SHA-256. Environment variables that are
/// not set here get placeholders. Describe the request with options, or with a curl command line after `--`.
#[derive(Args)]
#[command(after_help = "\
Exit status: 0 on success, 1 if the configuration is invalid, 2 if arguments are invalid.

Examples:
  byok explain -c envoy/envoy.yaml -H 'x-litellm-api-key: byok-demo-team-a' -H 'x-api-key: dummy'
  byok explain -c envoy/jwt/envoy.yaml --identity jwt=alice@example.com -H 'x-api-key: …'
  byok explain -c byok.json --method GET --path /v1/models --at 2027-02-01T00:00:00Z -H 'authorization: Bearer …'
  byok explain -c byok.json -- curl https://llm.example.com/v1/messages -H 'x-api-key: …' -d '{}'")]
pub(crate) struct Explain {
    /// The configuration, on its own or embedded in a document; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Which configuration of the file to use, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) nth: usize,
    /// The method
    #[arg(short = 'X', long, default_value = "POST", conflicts_with = "curl")]
    pub(crate) method: String,
    /// The host
    #[arg(long, default_value = "localhost", conflicts_with = "curl")]
    pub(crate) host: OsString,
    /// The path, with the query string if there is one
    #[arg(long, default_value = "/v1/messages", conflicts_with = "curl")]
    pub(crate) path: OsString,
    /// A header; can be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", conflicts_with = "curl")]
    pub(crate) headers: Vec<OsString>,
    /// A value of an identity, as Envoy would have found it; can be given several times
    #[arg(long = "identity", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) identities: Vec<(String, String)>,
    /// The time of the request; default: now
    #[arg(long, value_name = "RFC 3339")]
    pub(crate) at: Option<String>,
    /// The cluster that Envoy selects, or `none`; default: the first one that the provider allows
    #[arg(long)]
    pub(crate) cluster: Option<String>,
    /// The response of the verification service to every lookup: a status, and a body after a space
    #[arg(long, value_name = "STATUS [BODY]")]
    pub(crate) service_answer: Option<String>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// A curl command line
    #[arg(last = true, value_name = "curl …")]
    pub(crate) curl: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct Entry {
    /// The consumer that the key belongs to; prints the consumer's entry instead of the key's
    #[arg(long, value_name = "NAME")]
    pub(crate) consumer: Option<String>,
    /// The id of the key, which appears in logs
    #[arg(long, default_value = "1")]
    pub(crate) id: String,
    /// When the key expires
    #[arg(long, value_name = "RFC 3339")]
    pub(crate) expires_at: Option<String>,
    /// A label of the consumer; can be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", requires = "consumer", value_parser = name_and_value)]
    pub(crate) labels: Vec<(String, String)>,
}

/// Generates a strong key and prints it, once, with its entry for the configuration
#[derive(Args)]
#[command(after_help = "\
Example:
  byok generate --consumer team-a --id 2027-q1 --expires-at 2027-07-01T00:00:00Z")]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) entry: Entry,
    /// The prefix of the key
    #[arg(long, default_value = "byok-")]
    pub(crate) prefix: String,
}

/// Reads `NAME=VALUE`; the error does not repeat what was given.
fn name_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected a name, = and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Returns the version and, in a tool of a release, which module was released with it.
fn long_version() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    let lines = [
        ("revision", option_env!("BYOK_REVISION")),
        ("module digest", option_env!("BYOK_MODULE_DIGEST")),
        ("module sha256", option_env!("BYOK_MODULE_SHA256")),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            text += &format!("\n{name:<13} {value}");
        }
    }
    text
}
