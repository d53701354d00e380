//! The built module, as `make build` leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::root;

/// Path of the module; panics where it is missing or older than its sources.
pub fn path() -> PathBuf {
    built("dist/byok_filter.wasm", "src", "make build")
}

/// Path of the native module; panics where it is missing or older than its sources.
pub fn native_path() -> PathBuf {
    built("dist/libbyok_filter.so", "crates/native/src", "make build-native")
}

fn built(module: &str, carrier: &str, make: &str) -> PathBuf {
    let path = root().join(module);
    let Ok(built) = fs::metadata(&path).and_then(|metadata| metadata.modified()) else {
        panic!("{module} is missing: run `{make}`");
    };
    for sources in [carrier, "crates/core/src"] {
        let changed = newest(&root().join(sources));
        assert!(built >= changed, "{module} is older than {sources}: run `{make}`");
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
