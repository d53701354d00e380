//! The corpus through the built module in a small ABI host, one test per case.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use byok_testkit::corpus::{self, Case, Corpus, Message, Outcome, Refused, Verdict, trial};
use byok_testkit::host::{Context, Level, Program, Reply, Vm};
use byok_testkit::module;
use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let corpus = Corpus::load();
    let machines = Arc::new(Machines {
        program: Program::compile(&module::bytes()),
        corpus: corpus.clone(),
        idle: Mutex::default(),
    });
    let (for_cases, for_refused, for_warnings) = (Arc::clone(&machines), Arc::clone(&machines), machines);
    let mut trials = corpus::trials(
        &corpus,
        move |case| for_cases.outcome(case),
        move |refused| for_refused.load(&refused.json).map(drop),
        move |warning| for_warnings.load(&warning.json).map(|(_, warnings)| warnings),
    );
    trials.push(trial("whatever call the host refuses, no request passes that is not decided", || {
        no_request_passes_that_is_not_decided();
        None
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// Virtual machines with a configuration each, which serve one case after another.
struct Machines {
    program: Program,
    corpus: Corpus,
    idle: Mutex<BTreeMap<(String, String), Vec<Vm>>>,
}

impl Machines {
    fn outcome(&self, case: &Case) -> Result<Outcome, String> {
        let configuration = (case.configuration.file.clone(), case.configuration.name.clone());
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle_vm = idle().get_mut(&configuration).and_then(Vec::pop);
        let mut vm = match idle_vm {
            Some(vm) => vm,
            None => {
                let loaded = self.load(&case.configuration.json);
                loaded.map_err(|errors| format!("the configuration does not load: {errors:?}"))?.0
            }
        };
        let outcome = outcome(&mut vm, &self.corpus, case)?;
        // One that has trapped serves no further case.
        idle().entry(configuration).or_default().push(vm);
        Ok(outcome)
    }

    /// Returns the machine that has accepted the configuration and its warnings, or the errors.
    fn load(&self, json: &str) -> Result<(Vm, Vec<String>), Vec<String>> {
        load(&self.program, &self.corpus, json)
    }
}

/// One call after the other of those that a request takes is refused: the request passes as it would have, or is refused.
fn no_request_passes_that_is_not_decided() {
    // Without them the filter knows nothing of clusters and earlier passes, or counts nothing.
    const DISPENSABLE: [&str; 2] = ["proxy_get_property", "proxy_increment_metric"];
    // In Envoy these never fail, and the SDK has no other answer to that than a panic.
    const NEVER_REFUSED: [&str; 2] = ["proxy_get_current_time_nanoseconds", "proxy_define_metric"];
    let configuration = r#"{
        "forward_llm_provider_auth_headers": true,
        "consumers": [ { "name": "team-a", "keys": [
            { "id": "1", "value": "proxy-EXAMPLE-a", "expires_at": "2999-01-01T00:00:00Z" } ] } ],
        "providers": { "anthropic": { "clusters": ["upstream"] } },
        "identity_headers": { "consumer": "x-consumer-username" } }"#;
    let program = Program::compile(&module::bytes());
    for (key, passes) in [("Bearer proxy-EXAMPLE-a", true), ("Bearer guess", false)] {
        let request = |vm: &mut Vm, refuses| {
            let lines = [
                (":method", "POST"),
                (":path", "/v1/messages?access_token=proxy-EXAMPLE-a"),
                ("authorization", key),
                ("x-api-key", "sk-ant-api03-EXAMPLE-client"),
                ("x-consumer-username", "forged"),
            ];
            let headers = lines.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec();
            let properties = BTreeMap::from([("xds.cluster_name".to_owned(), b"upstream".to_vec())]);
            vm.take_calls();
            let outcome = vm.request(Context { headers, properties, refuses, ..Context::default() }).expect("no trap");
            (outcome, vm.take_calls())
        };
        let start = || {
            let mut vm = program.start(&BTreeMap::new()).expect("the module starts");
            assert_eq!(vm.configure(configuration), Ok(true), "{:?}", vm.take_logs());
            vm
        };
        let ((goes_on, undisturbed), calls) = request(&mut start(), None);
        assert_eq!(goes_on, passes, "{key}: {:?}", undisturbed.reply);
        let mut before: BTreeMap<&'static str, usize> = BTreeMap::new();
        for function in calls.into_iter().filter(|function| !NEVER_REFUSED.contains(function)) {
            let nth = *before.entry(function).and_modify(|count| *count += 1).or_default();
            let ((goes_on, context), _) = request(&mut start(), Some((function, nth)));
            let case = format!("{key}: {function} refused after {nth} calls");
            if goes_on {
                assert!(passes && DISPENSABLE.contains(&function), "{case}");
                assert_eq!(context.headers, undisturbed.headers, "{case}");
                continue;
            }
            let reply = context.reply.unwrap_or_else(|| panic!("{case}: neither passed nor refused"));
            if !DISPENSABLE.contains(&function) {
                assert_eq!((reply.status, &*reply.details), (500, &b"byok_host_error"[..]), "{case}");
            }
        }
    }
}

fn load(program: &Program, corpus: &Corpus, json: &str) -> Result<(Vm, Vec<String>), Vec<String>> {
    let mut vm = program.start(&corpus.environment).map_err(|error| vec![error])?;
    let taken = vm.configure(json).map_err(|error| vec![error])?;
    let logs = vm.take_logs();
    let secrets = corpus::clear_text_of(corpus, json);
    corpus::assert_no_secret_in(logs.iter().map(|(_, line)| line.as_str()), &secrets, json);
    let at = |level: Level| logs.iter().filter(move |(own, _)| *own == level).map(|(_, line)| line.clone()).collect();
    if taken { Ok((vm, at(Level::Warn))) } else { Err(at(Level::Error)) }
}

fn outcome(vm: &mut Vm, corpus: &Corpus, case: &Case) -> Result<Outcome, String> {
    let mut context = Context { headers: case.as_filters_see(), ..Context::default() };
    if let Some(cluster) = &case.cluster {
        context.properties.insert("xds.cluster_name".to_owned(), cluster.as_bytes().to_vec());
    }
    context.properties.extend(case.identity_properties().into_iter().map(|(path, value)| (path.join("."), value)));
    let (goes_on, context) = vm.request(context)?;
    let logs = vm.take_logs();
    let secrets = corpus::secrets_of(corpus, case);
    corpus::assert_no_secret_in(logs.iter().map(|(_, line)| line.as_str()), &secrets, &case.name);
    if context.bulk_reads > 1 {
        return Err(format!("the headers were read {} times", context.bulk_reads));
    }
    if goes_on == context.reply.is_some() {
        return Err(format!("goes on: {goes_on}, reply: {:?}", context.reply));
    }
    let record = record(&context);
    let increments = vm.take_increments();
    let [(counter, 1)] = &increments[..] else { return Err(format!("expected one increment, got {increments:?}")) };
    if let Some(expected) = corpus::counter(&record).filter(|expected| expected != counter) {
        return Err(format!("expected an increment of {expected}, got {counter}"));
    }
    let verdict = match context.reply {
        Some(reply) => {
            let logged_path = Message::from_map(context.headers).path;
            Verdict::Refused(Refused { logged_path, ..refused(case, reply) })
        }
        None => Verdict::Passed(Message::from_map(context.headers)),
    };
    Ok(Outcome { verdict, record })
}

fn record(context: &Context) -> BTreeMap<String, String> {
    context
        .filter_state
        .iter()
        .filter_map(|(name, value)| {
            let part = name.strip_prefix("byok.")?;
            Some((part.to_owned(), String::from_utf8_lossy(value).into_owned()))
        })
        .filter(|(part, _)| corpus::is_record_part(part))
        .collect()
}

fn refused(case: &Case, reply: Reply) -> Refused {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Refused {
        status: u16::try_from(reply.status).expect("a status"),
        headers: reply.headers.into_iter().map(|(name, value)| (text(name), text(value))).collect(),
        // Envoy drops the body of an answer to HEAD.
        body: if case.request.method == b"HEAD" { Vec::new() } else { reply.body },
        details: text(reply.details),
        logged_path: None,
    }
}
