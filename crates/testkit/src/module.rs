//! The built module, as `make build` leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::root;

/// Path of the module; panics where it is missing or older than its sources.
pub fn path() -> PathBuf {
    let path = root().join("dist/byok_filter.wasm");
    let Ok(built) = fs::metadata(&path).and_then(|metadata| metadata.modified()) else {
        panic!("dist/byok_filter.wasm is missing: run `make build`");
    };
    for sources in ["src", "crates/core/src"] {
        let changed = newest(&root().join(sources));
        assert!(built >= changed, "dist/byok_filter.wasm is older than {sources}: run `make build`");
    }
    path
}

/// The module's bytes.
pub fn bytes() -> Vec<u8> {
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
