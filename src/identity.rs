//! Which module this is, for the log.

use std::hint::black_box;

use proxy_wasm::hostcalls;

/// The revision and the digest of the module, which packaging writes over this text (`xtask/src/stamp.rs`).
static STAMP: &[u8] = include_bytes!("stamp.txt");

/// Logs name, version, revision and module digest, once per process and module: Envoy starts a VM for each worker.
pub(crate) fn log() {
    // The compiler must not assume the text to be that of the file.
    let stamp = String::from_utf8_lossy(black_box(STAMP));
    let logged = format!("byok.logged {stamp}");
    if let Ok((Some(_), _)) = hostcalls::get_shared_data(&logged) {
        return;
    }
    // The main thread's VM starts before those of the workers, so no two of them are here at once. If Envoy does not
    // keep it, the line is logged again.
    let _ = hostcalls::set_shared_data(&logged, Some(b"1"), None);
    let mut parts = stamp.split_ascii_whitespace();
    let mut part = |name| parts.next().and_then(|part| part.strip_prefix(name)).unwrap_or_default();
    let (revision, digest) = (part("revision="), part("module="));
    log::info!("byok-filter {}, revision {revision}, module digest {digest}", env!("CARGO_PKG_VERSION"));
}
