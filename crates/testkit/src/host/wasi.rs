//! The part of WASI that Rust's standard library uses: environment, clock, randomness, standard error.

use std::time::{SystemTime, UNIX_EPOCH};

use wasmi::{Caller, Error, Linker};

use super::guest::Guest;
use super::state::{Level, State};

const WASI: &str = "wasi_snapshot_preview1";
const SUCCESS: u32 = 0;

pub(super) fn define(linker: &mut Linker<State>) {
    linker.func_wrap(WASI, "environ_sizes_get", environ_sizes_get).expect("a free name");
    linker.func_wrap(WASI, "environ_get", environ_get).expect("a free name");
    linker.func_wrap(WASI, "clock_time_get", clock_time_get).expect("a free name");
    linker.func_wrap(WASI, "random_get", random_get).expect("a free name");
    linker.func_wrap(WASI, "fd_write", fd_write).expect("a free name");
    linker.func_wrap(WASI, "proc_exit", proc_exit).expect("a free name");
}

/// Nanoseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_nanos()).expect("a clock before 2554")
}

fn environ_sizes_get(mut caller: Caller<'_, State>, count_at: u32, size_at: u32) -> Result<u32, Error> {
    let mut guest = Guest(&mut caller);
    let environment = &guest.state().environment;
    let count = environment.len();
    let size: usize = environment.iter().map(|variable| variable.len() + 1).sum();
    guest.write_number(count_at, u32::try_from(count).expect("few variables"))?;
    guest.write_number(size_at, u32::try_from(size).expect("short variables"))?;
    Ok(SUCCESS)
}

fn environ_get(mut caller: Caller<'_, State>, mut pointers_at: u32, mut texts_at: u32) -> Result<u32, Error> {
    let mut guest = Guest(&mut caller);
    for variable in guest.state().environment.clone() {
        guest.write_number(pointers_at, texts_at)?;
        guest.write(texts_at, format!("{variable}\0").as_bytes())?;
        pointers_at += 4;
        texts_at += u32::try_from(variable.len() + 1).expect("short variables");
    }
    Ok(SUCCESS)
}

fn clock_time_get(mut caller: Caller<'_, State>, _clock: u32, _precision: u64, at: u32) -> Result<u32, Error> {
    Guest(&mut caller).write(at, &now().to_le_bytes())?;
    Ok(SUCCESS)
}

fn random_get(mut caller: Caller<'_, State>, at: u32, size: u32) -> Result<u32, Error> {
    // Seeds hash maps only; the same bytes in every run keep a failure repeatable.
    let bytes: Vec<u8> = (0..size).map(|byte| u8::try_from(byte % 251).expect("a byte")).collect();
    Guest(&mut caller).write(at, &bytes)?;
    Ok(SUCCESS)
}

fn fd_write(mut caller: Caller<'_, State>, _file: u32, parts_at: u32, parts: u32, size_at: u32) -> Result<u32, Error> {
    let mut guest = Guest(&mut caller);
    let mut text = Vec::new();
    for part in 0..parts {
        let place = guest.read(parts_at + part * 8, 8)?;
        let number = |at: usize| u32::from_le_bytes([place[at], place[at + 1], place[at + 2], place[at + 3]]);
        text.extend_from_slice(&guest.read(number(0), number(4))?);
    }
    let line = String::from_utf8_lossy(&text).into_owned();
    guest.state().logs.push((Level::Error, line));
    guest.write_number(size_at, u32::try_from(text.len()).expect("a short line"))?;
    Ok(SUCCESS)
}

fn proc_exit(_caller: Caller<'_, State>, code: u32) -> Result<(), Error> {
    Err(Error::new(format!("the module exited with {code}")))
}
