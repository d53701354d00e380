//! A minute and a half of a gateway's life: its usual callers, a client with a wrong key, a flood of made-up keys, and an
//! outage of the verification service.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::gateway::{PRODUCTION, STAGING, Stage};
use crate::corpus::Message;
use crate::gateway::{Pending, send_http1};
use crate::service::HOST;

pub(super) const TEAM_A_KEY: &str = "byok-EXAMPLE-team-a";
pub(super) const TEAM_B_KEY: &str = "byok-EXAMPLE-team-b";
pub(super) const BATCH_KEY: &str = "byok-EXAMPLE-batch";
pub(super) const EXPIRED_KEY: &str = "byok-EXAMPLE-expired";
/// A key that only the verification service knows.
pub(super) const ISSUED_KEY: &str = "byok-EXAMPLE-issued";

/// How long requests are sent.
pub(super) const SECONDS: u32 = 90;
/// When the verification service answers nothing but 500, in seconds since the begin.
const OUTAGE: (u32, u32) = (56, 72);

/// Requests of one kind, at an even pace.
struct Kind {
    /// The listener that they are sent to.
    site: &'static str,
    /// In the notation of the corpus; `{n}` is another number in each.
    request: &'static str,
    /// Begin and end in seconds, and how many bursts are sent in each second between.
    spans: &'static [(u32, u32, f64)],
    /// How many are sent at once.
    burst: u32,
    /// The statuses that they may be answered with.
    statuses: &'static [u16],
}

const ALWAYS: u32 = SECONDS;

const KINDS: [Kind; 12] = [
    // Two teams: one pays with its own keys and tokens, one with the gateway's.
    kind(
        "POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-team-a\nx-api-key: sk-ant-api03-EXAMPLE-client",
        &[(0, 40, 4.0), (40, ALWAYS, 6.0)],
        200,
    ),
    kind(
        "POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-team-a\nauthorization: Bearer sk-ant-oat01-EXAMPLE-login",
        &[(0, ALWAYS, 2.0)],
        200,
    ),
    kind(
        "POST /v1/messages\nauthorization: Bearer byok-EXAMPLE-team-b",
        &[(0, 20, 2.0), (20, 64, 4.0), (64, ALWAYS, 2.5)],
        200,
    ),
    kind("POST /v1/messages\nx-api-key: byok-EXAMPLE-team-b", &[(0, ALWAYS, 1.0)], 200),
    // No key; a key of another time; another team's route; a list of models that is open to all.
    kind("POST /v1/messages", &[(0, ALWAYS, 0.7)], 401),
    kind("POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-expired", &[(10, ALWAYS, 0.5)], 401),
    kind("POST /v1/messages/batches\nx-litellm-api-key: byok-EXAMPLE-team-b", &[(0, ALWAYS, 0.4)], 403),
    kind("GET /v1/models", &[(0, 50, 0.8), (50, ALWAYS, 1.6)], 200),
    // A key that the service has issued: it passes during the outage too.
    kind("POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-issued", &[(0, ALWAYS, 3.0)], 200),
    // A client whose key is wrong, and tries again and again.
    Kind {
        statuses: &[401, 503],
        ..kind("POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-wrong", &[(20, 76, 1.5)], 401)
    },
    // A flood of made-up keys: more than may be asked about at once.
    Kind {
        burst: 7,
        statuses: &[401, 503],
        ..kind("POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-made-up-{n}", &[(30, 44, 1.0)], 401)
    },
    // Shadow: what would be refused passes.
    Kind {
        site: STAGING,
        ..kind("POST /v1/messages\nx-litellm-api-key: byok-EXAMPLE-wrong", &[(0, ALWAYS, 0.6)], 200)
    },
];

const fn kind(request: &'static str, spans: &'static [(u32, u32, f64)], status: u16) -> Kind {
    let statuses: &'static [u16] = match status {
        200 => &[200],
        401 => &[401],
        _ => &[403],
    };
    Kind { site: PRODUCTION, request, spans, burst: 1, statuses }
}

/// Sends all requests, and returns how many there were.
///
/// # Errors
/// A request is not answered, or with a status that its kind does not have.
pub(super) fn send(stage: &Stage) -> Result<u32> {
    let begin = Instant::now();
    thread::scope(|scope| {
        let senders: Vec<_> = KINDS.iter().map(|kind| scope.spawn(move || send_kind(stage, kind, begin))).collect();
        wait_until(begin, f64::from(OUTAGE.0));
        stage.set_out_of_order(true);
        wait_until(begin, f64::from(OUTAGE.1));
        stage.set_out_of_order(false);
        let sent = senders.into_iter().map(|sender| sender.join().expect("no panic of a sender")).sum();
        wait_until(begin, f64::from(SECONDS));
        sent
    })
}

fn send_kind(stage: &Stage, kind: &Kind, begin: Instant) -> Result<u32> {
    let addresses = stage.gateway.addresses();
    let address = *addresses.get(kind.site).with_context(|| format!("no listener {}", kind.site))?;
    let mut sent = 0;
    for &(from, to, per_second) in kind.spans {
        let bursts = f64::from(to - from) * per_second;
        for burst in 0..bursts as u32 {
            wait_until(begin, f64::from(from) + f64::from(burst) / per_second);
            let requests = (0..kind.burst).map(|_| Ok(send_http1(address, &request(kind)?, HOST)?));
            // All are sent before the first answer is waited for.
            let pending = requests.collect::<Result<Vec<Pending>>>()?;
            for pending in pending {
                let status = pending.answer()?.status;
                ensure!(kind.statuses.contains(&status), "{status} instead of {:?} to {}", kind.statuses, kind.request);
                sent += 1;
            }
        }
    }
    Ok(sent)
}

fn request(kind: &Kind) -> Result<Message> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    Message::parse(&kind.request.replace("{n}", &number)).map_err(anyhow::Error::msg)
}

fn wait_until(begin: Instant, seconds: f64) {
    thread::sleep((begin + Duration::from_secs_f64(seconds)).saturating_duration_since(Instant::now()));
}
