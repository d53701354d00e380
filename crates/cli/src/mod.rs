//! The command-line tool `byok`: checks a configuration and explains a request, by the filter's own code.

mod args;
mod check;
mod document;
mod explain;
mod finding;
mod import;
mod keys;
mod output;

use std::io::Read as _;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{CommandFactory as _, Parser as _};

pub use self::explain::{Answered, Explanation, Request};

use self::args::{Arguments, Command, Format};
use self::finding::Severity;
use self::output::Text;
use crate::timestamp::Timestamp;

/// What the tool reads besides its files.
struct World {
    /// Returns the value of a variable that is set.
    environment: fn(&str) -> Option<String>,
    now: Timestamp,
}

/// How a command ends.
enum End {
    /// All is in order.
    Good,
    /// There are errors, and they have been shown.
    Bad,
}

/// Why a command did not come to its end.
struct Failure(String);

/// Runs the tool with the arguments of the process.
///
/// It exits with 0, with 1 where there are errors, and with 2 where the arguments are wrong.
pub fn main() -> ExitCode {
    let world = World { environment: |name| std::env::var(name).ok(), now: SystemTime::now().into() };
    match run(arguments().command, &world) {
        Ok(End::Good) => ExitCode::SUCCESS,
        Ok(End::Bad) => ExitCode::from(1),
        Err(Failure(message)) => {
            // Nobody is left to tell where standard error is closed.
            let _ = error_line(&message).to_stderr();
            ExitCode::from(1)
        }
    }
}

/// Reads the arguments of the process, or ends it with help or with what is wrong with them.
fn arguments() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| {
        // What clap says quotes arguments as they are.
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

fn run(command: Command, world: &World) -> Result<End, Failure> {
    match command {
        Command::Check(arguments) => check_files(&arguments, world),
        Command::Explain(arguments) => explain::command(&arguments, world),
        Command::Hash(entry) => keys::hash(&entry),
        Command::Generate(arguments) => keys::generate(&arguments),
        Command::Schema => show(&format!("{:#}\n", crate::config::schema())),
        Command::ImportLitellm { file } => import::command(&file),
        Command::Completions { shell } => {
            let mut completions = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "byok", &mut completions);
            show(&String::from_utf8_lossy(&completions))
        }
        Command::Man { command } => man(command.as_deref()),
    }
}

fn check_files(arguments: &args::Check, world: &World) -> Result<End, Failure> {
    let (mut errors, mut warnings) = (0, 0);
    let mut more_may_follow = false;
    for file in &arguments.files {
        let name = file.to_string_lossy();
        let report = check::check(&name, &read(file)?, world);
        more_may_follow |= report.more_may_follow;
        let (mut text, mut json) = (Text::default(), String::new());
        for finding in &report.findings {
            match finding.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            match arguments.format {
                Format::Text => finding.render(&name, &mut text),
                Format::Json => json.push_str(&(finding.to_json(&name) + "\n")),
            }
        }
        text.to_stdout()?;
        output::json_to_stdout(&json)?;
    }
    if arguments.format == Format::Text {
        let files = counted(arguments.files.len(), "file");
        let found = match (errors, warnings) {
            (0, 0) => "in order".to_owned(),
            (0, warnings) => counted(warnings, "warning"),
            (errors, 0) => counted(errors, "error"),
            (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        };
        let more = if more_may_follow { "; more may show once these are corrected" } else { "" };
        let mut text = Text::default();
        text.add(&format!("{files}: {found}{more}")).end_line().to_stdout()?;
    }
    let denied = errors > 0 || (arguments.deny_warnings && warnings > 0);
    Ok(if denied { End::Bad } else { End::Good })
}

fn man(command: Option<&str>) -> Result<End, Failure> {
    let mut whole = Arguments::command();
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).cloned();
            found.ok_or_else(|| Failure("expected the name of a command".to_owned()))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    show(&String::from_utf8_lossy(&text))
}

fn show(text: &str) -> Result<End, Failure> {
    output::verbatim_to_stdout(text)?;
    Ok(End::Good)
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// No file that is read is larger.
const LARGEST: u64 = 64 << 20;

/// Reads a file as text; `-` is standard input.
fn read(file: &std::path::Path) -> Result<String, Failure> {
    let read = if file.as_os_str() == "-" {
        read_bounded(std::io::stdin().lock())
    } else {
        std::fs::File::open(file).map_err(Failure::from).and_then(read_bounded)
    };
    read.map_err(|Failure(error)| Failure(format!("{}: {error}", file.display())))
}

/// Reads text to its end, and no further than the limit.
fn read_bounded(source: impl std::io::Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure(format!("expected at most {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| Failure("expected UTF-8".to_owned()))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A reader that has seen enough is no failure worth words.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        Self(error.to_string())
    }
}
