//! The host functions of the ABI that the filter uses, behaving as Envoy's do.

use wasmi::{Caller, Error, Linker};

use super::guest::Guest;
use super::map;
use super::state::{Level, Reply, State};
use super::wasi::now;

const ENV: &str = "env";

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const INTERNAL_FAILURE: u32 = 10;

const REQUEST_HEADERS: u32 = 0;
const VM_CONFIGURATION: u32 = 6;
const PLUGIN_CONFIGURATION: u32 = 7;
const COUNTER: u32 = 0;

pub(super) fn define(linker: &mut Linker<State>) {
    linker.func_wrap(ENV, "proxy_log", log).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_log_level", log_level).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_current_time_nanoseconds", current_time).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_buffer_bytes", buffer).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_header_map_pairs", pairs).expect("a free name");
    linker.func_wrap(ENV, "proxy_set_header_map_pairs", set_pairs).expect("a free name");
    linker.func_wrap(ENV, "proxy_remove_header_map_value", remove).expect("a free name");
    linker.func_wrap(ENV, "proxy_replace_header_map_value", replace).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_property", property).expect("a free name");
    linker.func_wrap(ENV, "proxy_set_property", set_property).expect("a free name");
    linker.func_wrap(ENV, "proxy_define_metric", define_metric).expect("a free name");
    linker.func_wrap(ENV, "proxy_increment_metric", increment_metric).expect("a free name");
    linker.func_wrap(ENV, "proxy_send_local_response", send_local_response).expect("a free name");
    linker.func_wrap(ENV, "proxy_call_foreign_function", call_foreign_function).expect("a free name");
    linker.func_wrap(ENV, "proxy_get_shared_data", shared_data).expect("a free name");
    linker.func_wrap(ENV, "proxy_set_shared_data", set_shared_data).expect("a free name");
    linker.func_wrap(ENV, "proxy_set_tick_period_milliseconds", set_tick_period).expect("a free name");
}

fn log(mut caller: Caller<'_, State>, level: u32, at: u32, size: u32) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_log");
    let line = String::from_utf8_lossy(&guest.argument(at, size)?).into_owned();
    let Some(level) = Level::from_number(level) else { return Ok(BAD_ARGUMENT) };
    guest.state().logs.push((level, line));
    Ok(OK)
}

/// Everything is logged here, so that no line escapes the tests.
fn log_level(mut caller: Caller<'_, State>, at: u32) -> Result<u32, Error> {
    Guest::called(&mut caller, "proxy_get_log_level").write_number(at, 0)?;
    Ok(OK)
}

fn current_time(mut caller: Caller<'_, State>, at: u32) -> Result<u32, Error> {
    Guest::called(&mut caller, "proxy_get_current_time_nanoseconds").write(at, &now().to_le_bytes())?;
    Ok(OK)
}

fn buffer(
    mut caller: Caller<'_, State>,
    buffer: u32,
    start: u32,
    max: u32,
    at: u32,
    size_at: u32,
) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_get_buffer_bytes");
    let bytes = match buffer {
        PLUGIN_CONFIGURATION => guest.state().configuration.clone(),
        VM_CONFIGURATION => Vec::new(),
        _ => return Err(Error::new(format!("the filter reads buffer {buffer}"))),
    };
    let start = usize::try_from(start).map_or(bytes.len(), |start| start.min(bytes.len()));
    let rest = &bytes[start..];
    let size = usize::try_from(max).map_or(rest.len(), |max| max.min(rest.len()));
    if size == 0 {
        return Ok(NOT_FOUND);
    }
    guest.give(&rest[..size], at, size_at)?;
    Ok(OK)
}

fn pairs(mut caller: Caller<'_, State>, kind: u32, at: u32, size_at: u32) -> Result<u32, Error> {
    request_headers_only(kind)?;
    let mut guest = Guest::called(&mut caller, "proxy_get_header_map_pairs");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let context = &mut guest.state().context;
    context.bulk_reads += 1;
    let bytes = map::serialise(&context.headers);
    guest.give(&bytes, at, size_at)?;
    Ok(OK)
}

fn set_pairs(mut caller: Caller<'_, State>, kind: u32, at: u32, size: u32) -> Result<u32, Error> {
    request_headers_only(kind)?;
    let mut guest = Guest::called(&mut caller, "proxy_set_header_map_pairs");
    let bytes = guest.argument(at, size)?;
    let context = &mut guest.state().context;
    let Some(headers) = map::deserialise(&bytes) else { return Ok(BAD_ARGUMENT) };
    context.headers = headers;
    context.changed = true;
    Ok(OK)
}

fn remove(mut caller: Caller<'_, State>, kind: u32, at: u32, size: u32) -> Result<u32, Error> {
    request_headers_only(kind)?;
    let mut guest = Guest::called(&mut caller, "proxy_remove_header_map_value");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let name = guest.argument(at, size)?;
    let context = &mut guest.state().context;
    context.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
    context.changed = true;
    Ok(OK)
}

fn replace(
    mut caller: Caller<'_, State>,
    kind: u32,
    at: u32,
    size: u32,
    value_at: u32,
    value_size: u32,
) -> Result<u32, Error> {
    request_headers_only(kind)?;
    let mut guest = Guest::called(&mut caller, "proxy_replace_header_map_value");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let name = guest.argument(at, size)?.to_ascii_lowercase();
    let value = guest.argument(value_at, value_size)?;
    let context = &mut guest.state().context;
    context.headers.retain(|(own, _)| *own != name);
    context.headers.push((name, value));
    context.changed = true;
    Ok(OK)
}

fn property(mut caller: Caller<'_, State>, at: u32, size: u32, value_at: u32, size_at: u32) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_get_property");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let path = property_path(&guest.argument(at, size)?);
    let context = &guest.state().context;
    if context.changed && path.starts_with("xds.") {
        return Err(Error::new(format!("{path} is stale once a header was changed")));
    }
    let Some(value) = context.properties.get(&path).or_else(|| context.filter_state.get(&path)).cloned() else {
        return Ok(NOT_FOUND);
    };
    guest.give(&value, value_at, size_at)?;
    Ok(OK)
}

fn set_property(
    mut caller: Caller<'_, State>,
    at: u32,
    size: u32,
    value_at: u32,
    value_size: u32,
) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_set_property");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let path = guest.argument(at, size)?;
    if path.contains(&0) {
        // Envoy would name the filter state with the NUL in it, where no access log finds it.
        return Err(Error::new("filter state is set by one path component"));
    }
    let name = property_path(&path);
    let value = guest.argument(value_at, value_size)?;
    guest.state().context.filter_state.insert(name, value);
    Ok(OK)
}

fn define_metric(mut caller: Caller<'_, State>, kind: u32, at: u32, size: u32, id_at: u32) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_define_metric");
    if kind != COUNTER {
        return Ok(BAD_ARGUMENT);
    }
    let name = String::from_utf8(guest.argument(at, size)?).map_err(|error| Error::new(error.to_string()))?;
    let metrics = &mut guest.state().metrics;
    let id = metrics.iter().position(|known| *known == name).unwrap_or_else(|| {
        metrics.push(name);
        metrics.len() - 1
    });
    guest.write_number(id_at, u32::try_from(id).expect("few metrics"))?;
    Ok(OK)
}

fn increment_metric(mut caller: Caller<'_, State>, id: u32, offset: i64) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_increment_metric");
    if guest.is_refused() {
        return Ok(NOT_FOUND);
    }
    let id = usize::try_from(id).expect("a metric's number");
    let state = guest.state();
    if id >= state.metrics.len() {
        return Ok(NOT_FOUND);
    }
    state.increments.push((id, offset));
    Ok(OK)
}

#[expect(clippy::too_many_arguments, reason = "the ABI's")]
fn send_local_response(
    mut caller: Caller<'_, State>,
    status: u32,
    details_at: u32,
    details_size: u32,
    body_at: u32,
    body_size: u32,
    headers_at: u32,
    headers_size: u32,
    _grpc_status: i32,
) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_send_local_response");
    if guest.is_refused() {
        return Ok(INTERNAL_FAILURE);
    }
    let details = guest.argument(details_at, details_size)?;
    let body = guest.argument(body_at, body_size)?;
    let headers = guest.argument(headers_at, headers_size)?;
    let Some(headers) = map::deserialise(&headers) else { return Ok(BAD_ARGUMENT) };
    let earlier = guest.state().context.reply.replace(Reply { status, details, headers, body });
    if earlier.is_some() { Err(Error::new("two local responses to one request")) } else { Ok(OK) }
}

fn call_foreign_function(
    mut caller: Caller<'_, State>,
    at: u32,
    size: u32,
    argument_at: u32,
    argument_size: u32,
    _result_at: u32,
    _result_size_at: u32,
) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_call_foreign_function");
    let name = guest.argument(at, size)?;
    if name != b"declare_property" {
        return Ok(NOT_FOUND);
    }
    let argument = guest.argument(argument_at, argument_size)?;
    let first = guest.state().declared.insert(argument);
    Ok(if first { OK } else { BAD_ARGUMENT })
}

fn set_tick_period(mut caller: Caller<'_, State>, period: u32) -> Result<u32, Error> {
    let mut guest = Guest::called(&mut caller, "proxy_set_tick_period_milliseconds");
    guest.state().tick_periods.push(period);
    Ok(OK)
}

fn request_headers_only(kind: u32) -> Result<(), Error> {
    if kind == REQUEST_HEADERS { Ok(()) } else { Err(Error::new(format!("the filter touches header map {kind}"))) }
}

fn property_path(path: &[u8]) -> String {
    String::from_utf8_lossy(path).replace('\0', ".")
}

/// Each VM here is the first one: nothing is shared.
fn shared_data(_: Caller<'_, State>, _key: u32, _key_size: u32, _at: u32, _size_at: u32, _cas_at: u32) -> u32 {
    NOT_FOUND
}

fn set_shared_data(_: Caller<'_, State>, _key: u32, _key_size: u32, _value: u32, _size: u32, _cas: u32) -> u32 {
    OK
}
