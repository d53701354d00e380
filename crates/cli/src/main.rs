//! The command-line tool `byok`: checks configurations of byok-filter and explains its decisions, using the filter's own
//! code.

mod args;
mod check;
mod diagnostic;
mod document;
mod explain;
mod import;
mod keys;
mod output;
mod source;

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use byok_core::Timestamp;
use clap::{CommandFactory as _, Parser as _};

use crate::args::{Arguments, Command, Format};
use crate::diagnostic::{Diagnostic, Severity};
use crate::output::Text;
use crate::source::Source;

/// What the tool reads besides its arguments and files.
struct Environment {
    /// Returns the value of an environment variable, if it is set.
    variable: fn(&str) -> Option<String>,
    /// The current time.
    now: Timestamp,
}

/// The outcome of a command that ran to its end.
enum ExitCode {
    /// No errors: 0.
    Success,
    /// Errors, which have been printed: 1.
    Failure,
}

/// Why a command stopped before its end; printed as an error, exit status 1.
struct CliError(String);

/// Runs the tool with the arguments of the process.
///
/// The exit status is 0 on success, 1 if there are errors, and 2 if the arguments are invalid.
fn main() -> std::process::ExitCode {
    let environment = Environment { variable: |name| std::env::var(name).ok(), now: SystemTime::now().into() };
    match run(arguments().command, &environment) {
        Ok(ExitCode::Success) => std::process::ExitCode::SUCCESS,
        Ok(ExitCode::Failure) => std::process::ExitCode::from(1),
        Err(CliError(message)) => {
            // If standard error is closed, there is nowhere left to report to.
            let _ = error_line(&message).to_stderr();
            std::process::ExitCode::from(1)
        }
    }
}

/// Parses the arguments of the process; prints help or an error and exits if there is nothing to run.
fn arguments() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| {
        // Errors of clap quote arguments verbatim.
        let is_unsafe = |argument: std::ffi::OsString| argument.to_string_lossy().chars().any(output::is_unsafe);
        if error.use_stderr() && std::env::args_os().any(is_unsafe) {
            let _ = error_line("expected arguments without control characters").to_stderr();
            std::process::exit(2);
        }
        error.exit()
    })
}

fn error_line(message: &str) -> Text {
    let mut text = Text::default();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    text.styled(red, "error").add(&format!(": {message}")).end_line();
    text
}

fn run(command: Command, environment: &Environment) -> Result<ExitCode, CliError> {
    match command {
        Command::Check(arguments) => check_files(&arguments, environment),
        Command::Explain(arguments) => explain::command(&arguments, environment),
        Command::Hash(entry) => keys::hash(&entry),
        Command::Generate(arguments) => keys::generate(&arguments),
        Command::Schema => show(&format!("{:#}\n", byok_core::config::schema())),
        Command::ImportLitellm { file } => import::command(&file),
        Command::Completions { shell } => {
            let mut completions = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "byok", &mut completions);
            show(&String::from_utf8_lossy(&completions))
        }
        Command::Man { command } => man(command.as_deref()),
    }
}

fn check_files(arguments: &args::Check, environment: &Environment) -> Result<ExitCode, CliError> {
    let mut totals = Totals::default();
    let mut without: Vec<&Path> = Vec::new();
    for file in &arguments.files {
        let name = file.to_string_lossy();
        let source = read(file)?;
        let report = check::check(&name, &source, arguments.files.len() == 1, environment);
        if report.is_about_something_else {
            without.push(file);
        }
        totals.is_partial |= report.is_partial;
        show_diagnostics(&report.diagnostics, &name, &report.source(&source), arguments.format, &mut totals)?;
    }
    // Only now it is known whether another file has a configuration.
    let another_has_one = without.len() < arguments.files.len();
    for file in without {
        let nothing = Source::new("", &[], &[], std::iter::empty());
        let diagnostic = check::about_something_else(another_has_one);
        show_diagnostics(&[diagnostic], &file.to_string_lossy(), &nothing, arguments.format, &mut totals)?;
    }
    if arguments.format == Format::Text {
        let files = counted(arguments.files.len(), "file");
        Text::default().add(&format!("{files}: {}", totals.summary())).end_line().to_stdout()?;
    }
    let denied = totals.errors > 0 || (arguments.deny_warnings && totals.warnings > 0);
    Ok(if denied { ExitCode::Failure } else { ExitCode::Success })
}

/// What has been found in all files.
#[derive(Default)]
struct Totals {
    errors: usize,
    warnings: usize,
    is_partial: bool,
}

impl Totals {
    fn summary(&self) -> String {
        let found = match (self.errors, self.warnings) {
            (0, 0) => "no errors".to_owned(),
            (0, warnings) => counted(warnings, "warning"),
            (errors, 0) => counted(errors, "error"),
            (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        };
        found + if self.is_partial { "; more may show once these are corrected" } else { "" }
    }
}

fn show_diagnostics(
    diagnostics: &[Diagnostic],
    file: &str,
    source: &Source<'_>,
    format: Format,
    totals: &mut Totals,
) -> Result<(), CliError> {
    let (mut text, mut json) = (Text::default(), String::new());
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Error => totals.errors += 1,
            Severity::Warning => totals.warnings += 1,
            Severity::Note => {}
        }
        match format {
            Format::Text => diagnostic.render(file, source, &mut text),
            Format::Json => json.push_str(&(diagnostic.to_json(file) + "\n")),
        }
    }
    text.to_stdout()?;
    output::json_to_stdout(&json)?;
    Ok(())
}

fn man(command: Option<&str>) -> Result<ExitCode, CliError> {
    let mut whole = Arguments::command();
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).cloned();
            found.ok_or_else(|| CliError("expected the name of a command".to_owned()))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    show(&String::from_utf8_lossy(&text))
}

fn show(text: &str) -> Result<ExitCode, CliError> {
    output::verbatim_to_stdout(text)?;
    Ok(ExitCode::Success)
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Larger files are not read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Reads a file as text; `-` is standard input.
fn read(file: &Path) -> Result<String, CliError> {
    let read = if file.as_os_str() == "-" {
        read_bounded(std::io::stdin().lock())
    } else {
        std::fs::File::open(file).map_err(CliError::from).and_then(read_bounded)
    };
    read.map_err(|CliError(error)| CliError(format!("{}: {error}", file.display())))
}

/// Reads text to its end, up to [`LARGEST`] bytes.
fn read_bounded(source: impl std::io::Read) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(CliError(format!("expected at most {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| CliError("expected UTF-8".to_owned()))
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        // A reader that closed the pipe has seen what it needs.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        Self(error.to_string())
    }
}
