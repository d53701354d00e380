//! The arguments of every command, and the help that goes with them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks configurations of byok-filter and explains its decisions, by the filter's own code.
#[derive(Parser)]
#[command(name = "byok", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Check(Check),
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
pub(super) struct Check {
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How findings are written: as text, or one JSON object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Exit with 1 on warnings too
    #[arg(long)]
    pub(super) deny_warnings: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}
