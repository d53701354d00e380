//! The arguments of every command, and the help that goes with them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks configurations of byok-filter and explains its decisions, by the filter's own code.
#[derive(Parser)]
#[command(name = "byok", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Check(Check),
    Explain(Explain),
    /// Shows the SHA-256 of a key, and its entry for the configuration
    ///
    /// Reads the key from a prompt without echo, or from standard input; blanks and line ends around it do not count.
    /// There is no argument for it: others can read a command line.
    #[command(after_help = "\
Examples:
  byok hash --consumer team-a --id 2026-q4
  printf %s \"$KEY\" | byok hash")]
    Hash(Entry),
    Generate(Generate),
    /// Writes the JSON schema of the configuration (draft 2020-12)
    Schema,
    /// Makes a configuration of LiteLLM's
    ///
    /// The configuration goes to standard output; what differs from LiteLLM and what could not be carried over goes to
    /// standard error. Keys in clear text become digests, or variables for you to set.
    #[command(after_help = "\
Exit status: 0 the filter takes the configuration, 1 it is to be completed, 2 wrong arguments.

Example:
  byok import-litellm config.yaml > byok.json")]
    ImportLitellm {
        /// LiteLLM's config.yaml; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Writes the completions of a shell
    #[command(after_help = "\
Example:
  byok completions bash > ~/.local/share/bash-completion/completions/byok")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes a man page: of byok, or of one of its commands
    #[command(after_help = "\
Examples:
  byok man | man -l -
  byok man explain > byok-explain.1")]
    Man {
        /// The command
        command: Option<String>,
    },
}

/// Checks configurations: alone, or in documents of Envoy, Istio or Envoy Gateway.
///
/// Finds the filter's configuration in an Envoy bootstrap (or listener), an Istio WasmPlugin or TrafficExtension, and an
/// Envoy Gateway EnvoyExtensionPolicy; JSON, or YAML with any number of documents. Says what the filter would refuse, all
/// mistakes at once, and what is probably not meant. A variable that is not set here is taken for granted, with a
/// warning. No value that is found is ever shown.
#[derive(Args)]
#[command(after_help = "\
Exit status: 0 in order, 1 errors (or warnings, with --deny-warnings), 2 wrong arguments.

Examples:
  byok check envoy/envoy.yaml
  byok check --deny-warnings --format json gateway/*.yaml
  kubectl get wasmplugin byok -o yaml | byok check -")]
pub(crate) struct Check {
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How findings are written: as text, or one JSON object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Exit with 1 on warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Explains what would become of a request: who is calling, who pays, what goes upstream, and why.
///
/// Nothing is sent. Credentials are shown by the first 8 hex digits of their SHA-256. Variables that are not set here
/// are stood in for. The request is described by options, or by a curl command line behind `--`.
#[derive(Args)]
#[command(after_help = "\
Exit status: 0 explained, 1 the configuration does not hold, 2 wrong arguments.

Examples:
  byok explain -c envoy/envoy.yaml -H 'x-litellm-api-key: byok-demo-team-a' -H 'x-api-key: dummy'
  byok explain -c byok.json --method GET --path /v1/models --at 2027-02-01T00:00:00Z -H 'authorization: Bearer …'
  byok explain -c byok.json -- curl https://llm.example.com/v1/messages -H 'x-api-key: …' -d '{}'")]
pub(crate) struct Explain {
    /// The configuration, alone or in a document; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Which of several configurations in the file, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) nth: usize,
    /// The method
    #[arg(short = 'X', long, default_value = "POST", conflicts_with = "curl")]
    pub(crate) method: String,
    /// The host
    #[arg(long, default_value = "localhost", conflicts_with = "curl")]
    pub(crate) host: OsString,
    /// The path, with its query if it has one
    #[arg(long, default_value = "/v1/messages", conflicts_with = "curl")]
    pub(crate) path: OsString,
    /// A header, as often as there are any
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", conflicts_with = "curl")]
    pub(crate) headers: Vec<OsString>,
    /// The time of the request; now, if left out
    #[arg(long, value_name = "RFC 3339")]
    pub(crate) at: Option<String>,
    /// The cluster that Envoy chooses, `none` for no cluster; one that is allowed, if left out
    #[arg(long)]
    pub(crate) cluster: Option<String>,
    /// What the verification service answers, whatever key it is asked about: a status and, behind a blank, a body
    #[arg(long, value_name = "STATUS [BODY]")]
    pub(crate) service_answer: Option<String>,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// A curl command line
    #[arg(last = true, value_name = "curl …")]
    pub(crate) curl: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct Entry {
    /// The consumer that the key is for; the entry is then the consumer's
    #[arg(long, value_name = "NAME")]
    pub(crate) consumer: Option<String>,
    /// The key's id, which logs show
    #[arg(long, default_value = "1")]
    pub(crate) id: String,
    /// When the key ends
    #[arg(long, value_name = "RFC 3339")]
    pub(crate) expires_at: Option<String>,
}

/// Makes a strong key, shows it once, and its entry for the configuration
#[derive(Args)]
#[command(after_help = "\
Example:
  byok generate --consumer team-a --id 2027-q1 --expires-at 2027-07-01T00:00:00Z")]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) entry: Entry,
    /// What the key begins with
    #[arg(long, default_value = "byok-")]
    pub(crate) prefix: String,
}
