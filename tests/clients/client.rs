//! The clients, and where they are installed.

use std::path::PathBuf;

use crate::stage::clients;
use crate::worker::Language;

/// A client, and the package that its version is that of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) package: Option<&'static str>,
}

/// What runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// The name by which a worker knows the SDK.
    Sdk(Language, &'static str),
    ClaudeCode,
    Codex,
    GeminiCli,
    Curl,
}

const fn sdk(name: &'static str, language: Language, sdk: &'static str, package: &'static str) -> Client {
    Client { name, program: Program::Sdk(language, sdk), package: Some(package) }
}

const fn program(name: &'static str, program: Program, package: &'static str) -> Client {
    Client { name, program, package: Some(package) }
}

pub(crate) const CLAUDE_CODE: Client = program("Claude Code", Program::ClaudeCode, "@anthropic-ai/claude-code");
pub(crate) const ANTHROPIC_PYTHON: Client = sdk("Anthropic SDK, Python", Language::Python, "anthropic", "anthropic");
pub(crate) const ANTHROPIC_NODE: Client =
    sdk("Anthropic SDK, TypeScript", Language::Node, "anthropic", "@anthropic-ai/sdk");
pub(crate) const OPENAI_PYTHON: Client = sdk("OpenAI SDK, Python", Language::Python, "openai", "openai");
pub(crate) const OPENAI_NODE: Client = sdk("OpenAI SDK, Node", Language::Node, "openai", "openai");
pub(crate) const AZURE: Client = sdk("Azure OpenAI, Python", Language::Python, "azure", "openai");
pub(crate) const GENAI: Client = sdk("google-genai, Python", Language::Python, "gemini", "google-genai");
pub(crate) const CODEX: Client = program("Codex", Program::Codex, "@openai/codex");
pub(crate) const GEMINI_CLI: Client = program("Gemini CLI", Program::GeminiCli, "@google/gemini-cli");
pub(crate) const CURL: Client = Client { name: "curl, HTTP/2", program: Program::Curl, package: None };

/// Where npm puts commands.
pub(crate) fn bin(name: &str) -> PathBuf {
    clients().join("node_modules/.bin").join(name)
}

/// The directory of the pinned Node's binary.
pub(crate) fn node() -> PathBuf {
    platform("node-linux-").join("bin")
}

/// Claude Code's binary; the script of its package only looks for it.
pub(crate) fn claude_code() -> PathBuf {
    platform("@anthropic-ai/claude-code-linux-").join("claude")
}

/// The package for this machine among those for several.
fn platform(prefix: &str) -> PathBuf {
    let name = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    clients().join("node_modules").join(format!("{prefix}{name}"))
}
