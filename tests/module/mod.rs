//! The built module, as `make build` leaves it.
#![allow(dead_code, reason = "each runner uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Path of the module; panics where it is missing or older than its sources.
pub(crate) fn path() -> PathBuf {
    let path = Path::new(ROOT).join("dist/byok_filter.wasm");
    let Ok(built) = fs::metadata(&path).and_then(|metadata| metadata.modified()) else {
        panic!("dist/byok_filter.wasm is missing: run `make build`");
    };
    let sources = newest(&Path::new(ROOT).join("src"));
    assert!(built >= sources, "dist/byok_filter.wasm is older than src/: run `make build`");
    path
}

/// The module's bytes.
pub(crate) fn bytes() -> Vec<u8> {
    fs::read(path()).expect("dist/byok_filter.wasm is readable")
}

fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let times = entries.map(|entry| {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            return newest(&path);
        }
        fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a file's time")
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
