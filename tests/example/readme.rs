//! The console block of an example's README: Envoy starts as it says, each command runs as it says, and prints what it shows.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use byok_testkit::carrier::Carrier;
use byok_testkit::certificates;
use byok_testkit::demo::DEPLOYMENT_KEY;
use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::root;
use byok_testkit::tools::envoy_binary;
use tempfile::TempDir;

/// Stands between what the commands print.
const END: &str = "=== end of a command";

/// The commands of one README, with what each prints.
pub(crate) struct Session {
    /// The folder of the example, such as `envoy/jwt`.
    folder: String,
    server: Server,
    steps: Vec<Step>,
}

/// Where the servers of a README listen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// On ports that are free.
    #[allow(dead_code, reason = "each test that includes this file uses one of the two")]
    Free,
    /// As the README says: the test has all ports for itself.
    #[allow(dead_code, reason = "each test that includes this file uses one of the two")]
    AsWritten,
}

/// What the README starts.
struct Server {
    config: String,
    carrier: Carrier,
    environment: Vec<(String, String)>,
}

struct Step {
    command: String,
    output: String,
}

/// The folders under `envoy/` with a README, in order.
pub(crate) fn folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("envoy")).expect("a readable folder");
    let names = entries.map(|entry| entry.expect("a folder entry").file_name().into_string().expect("UTF-8"));
    let mut folders: Vec<String> = names.map(|name| format!("envoy/{name}")).collect();
    folders.retain(|folder| root().join(folder).join("README.md").exists());
    folders.sort();
    folders
}

impl Session {
    /// Reads the README of a folder; `None` if it starts no Envoy of its own.
    pub(crate) fn read(folder: &str) -> Option<Self> {
        let readme = fs::read_to_string(root().join(folder).join("README.md")).expect("a README");
        let (_, block) = readme.split_once("```console\n")?;
        let (block, _) = block.split_once("```").expect("the end of the block");
        let mut steps: Vec<Step> = Vec::new();
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), output: String::new() }),
                (None, Some(step)) => step.output = format!("{}{line}\n", step.output),
                (None, None) => panic!("{folder}: `{line}` is printed by no command"),
            }
        }
        let at = steps.iter().position(|step| Server::parse(&step.command).is_some())?;
        let server = Server::parse(&steps.remove(at).command)?;
        let (made, steps): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| step.command.starts_with("make "));
        for Step { command, .. } in made {
            match command.as_str() {
                "make build" => {}
                "make certificates" => certificates::write_example(&root().join("dist/mtls")).expect("certificates"),
                other => panic!("{folder}: `{other}`: the test does not know it"),
            }
        }
        assert!(steps.iter().any(|step| !step.output.is_empty()), "{folder}: no expected output");
        Some(Self { folder: folder.to_owned(), server, steps })
    }

    /// Whether commands start servers of their own.
    pub(crate) fn needs_services(&self) -> bool {
        self.steps.iter().any(|step| step.command.ends_with(" &"))
    }

    /// Runs the commands before an Envoy of their own, and returns those that printed something else.
    pub(crate) fn failures(&self, ports: Ports) -> Vec<String> {
        let place = Place::new(&self.folder, &self.server.config, ports);
        let mut environment = self.server.carrier.environment(&[]);
        environment.push(("ANTHROPIC_API_KEY".to_owned(), DEPLOYMENT_KEY.into()));
        environment.extend(self.server.environment.iter().map(|(name, value)| (name.clone(), value.into())));
        let binary = envoy_binary().expect("an Envoy");
        let options = Options { environment, ..Options::default() };
        let envoy = Envoy::start(&binary, &place.config, &options);
        let envoy = envoy.unwrap_or_else(|error| panic!("{}: {error:#}", self.folder));
        // Whoever types the commands is slower than a server that starts.
        let pause = |step: &Step| if step.command.ends_with(" &") { "sleep 2\n" } else { "" };
        let command = |step: &Step| format!("{}\n{}echo\necho '{END}'\n", place.here(&step.command), pause(step));
        let commands = self.steps.iter().map(command);
        // The servers end with the shell.
        let script: String =
            std::iter::once("trap 'kill $(jobs -p) 2> /dev/null' EXIT\n".to_owned()).chain(commands).collect();
        let output = Command::new("bash").arg("-c").arg(script).current_dir(root()).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let printed: Vec<&str> = printed.split(END).collect();
        assert_eq!(printed.len(), self.steps.len() + 1, "{}: {printed:?}", self.folder);
        let differs = |(step, printed): (&Step, &str)| {
            (without_blanks(printed) != without_blanks(&step.output)).then(|| {
                let errors = String::from_utf8_lossy(&output.stderr);
                let (folder, command, log) = (&self.folder, &step.command, envoy.log_end());
                format!("{folder}: {command}\nprints {printed:?}\n{errors}\n{log}")
            })
        };
        self.steps.iter().zip(printed).filter_map(differs).collect()
    }
}

/// The lines of an output, without trailing whitespace.
fn without_blanks(output: &str) -> Vec<&str> {
    output.trim().lines().map(str::trim_end).collect()
}

impl Server {
    /// Reads `make serve [NATIVE=1] CONFIG=file` and `NAME=value … func-e run -c file`.
    fn parse(command: &str) -> Option<Self> {
        let mut server = Self { config: String::new(), carrier: Carrier::Wasm, environment: Vec::new() };
        let mut words = command.split(' ');
        let mut serves = false;
        while let Some(word) = words.next() {
            match word.split_once('=') {
                Some(("CONFIG", file)) => server.config = file.to_owned(),
                Some(("NATIVE", "1")) => server.carrier = Carrier::Native,
                Some((name, value)) => server.environment.push((name.to_owned(), value.to_owned())),
                None if word == "-c" => server.config = words.next()?.to_owned(),
                None => serves |= ["serve", "func-e"].contains(&word),
            }
        }
        (serves && !server.config.is_empty()).then_some(server)
    }
}

/// A copy of the example, on ports that are free.
struct Place {
    /// The example's text, and the copy's.
    replacements: Vec<(String, String)>,
    config: String,
    _copy: TempDir,
}

impl Place {
    fn new(folder: &str, file: &str, ports: Ports) -> Self {
        let copy = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        for entry in fs::read_dir(root().join(folder)).expect("a readable folder") {
            let path = entry.expect("a folder entry").path();
            let name = path.file_name().expect("a name");
            if path.is_file() {
                fs::copy(&path, copy.path().join(name)).expect("a copy");
            }
        }
        let here = copy.path().to_str().expect("UTF-8");
        let config = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut replacements =
            vec![(format!("{folder}/"), format!("{here}/")), (format!("path: {folder} "), format!("path: {here} "))];
        for port in numbers(&config).into_iter().filter(|_| ports == Ports::Free) {
            let free = free_port();
            replacements.push((format!("port_value: {port} "), format!("port_value: {free} ")));
            replacements.push((format!("localhost:{port}"), format!("localhost:{free}")));
        }
        let mut place = Self { replacements, config: String::new(), _copy: copy };
        place.config = place.here(&config);
        place
    }

    fn here(&self, text: &str) -> String {
        self.replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// The ports of this machine that a bootstrap names.
fn numbers(config: &str) -> Vec<u16> {
    const LOOPBACK: &str = "address: 127.0.0.1, port_value: ";
    let digits = config.split(LOOPBACK).skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
    let mut ports: Vec<u16> = digits.map(|digits| digits.collect::<String>().parse().expect("a port")).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
