//! Runner 2: the corpus through the built module, in a small ABI host.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod corpus;
mod host;
mod module;

use std::collections::BTreeMap;

use corpus::{Case, Configuration, Corpus, Message, Outcome, Refused, Tally, Verdict};
use host::{Context, Level, Program, Reply, Vm};

#[test]
fn corpus_through_the_module() {
    let corpus = Corpus::load();
    let program = Program::compile(&module::bytes());
    let mut tally = Tally::new("wasm");
    for configuration in &corpus.configurations {
        let mut vm = loaded(&program, &corpus, configuration);
        for case in corpus.cases_of(configuration) {
            let outcome = vm.as_mut().map_err(|error| error.clone()).and_then(|vm| outcome(vm, &corpus, case));
            let trapped = outcome.is_err();
            tally.case(case, outcome);
            if trapped {
                vm = loaded(&program, &corpus, configuration);
            }
        }
    }
    for refused in &corpus.refused {
        tally.refused(refused, load(&program, &corpus, &refused.json).map(|_| ()));
    }
    for doubtful in &corpus.doubtful {
        tally.doubtful(doubtful, load(&program, &corpus, &doubtful.json).map(|(_, warnings)| warnings));
    }
    tally.finish(&corpus);
}

/// One call after the other of those that a request takes is refused: the request passes as it would have, or is refused.
#[test]
fn what_the_host_refuses_lets_no_request_pass_that_is_not_decided() {
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

fn loaded(program: &Program, corpus: &Corpus, configuration: &Configuration) -> Result<Vm, String> {
    let (vm, _) = load(program, corpus, &configuration.json)
        .map_err(|errors| format!("the configuration `{}` does not load: {errors:?}", configuration.name))?;
    Ok(vm)
}

/// The machine that has taken the configuration and its warnings, or the errors.
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
    if increments != [(corpus::counter(&record), 1)] {
        return Err(format!("expected one increment of {}, got {increments:?}", corpus::counter(&record)));
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
        .filter(|(part, _)| corpus::RECORD_PARTS.contains(&part.as_str()))
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
