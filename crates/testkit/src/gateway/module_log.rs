//! What the module says in Envoy's log.

/// One log line of a plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModuleLine {
    pub plugin: String,
    pub level: String,
    pub text: String,
}

pub(super) fn lines(log: &str) -> Vec<ModuleLine> {
    log.lines().filter_map(line).collect()
}

/// `[time][thread][level][wasm] [file:line] wasm log NAME …: TEXT`: plugin and root have one name here. The native module
/// writes `[time][thread][level][dynamic_modules] [:] NAME: TEXT`.
fn line(line: &str) -> Option<ModuleLine> {
    let (head, rest) = line.split_once("] wasm log ").or_else(|| line.split_once("][dynamic_modules] [:] "))?;
    let level = head.split(['[', ']']).map(str::trim).filter(|part| !part.is_empty()).nth(2)?;
    let (plugin, text) = rest.split_once(": ")?;
    let plugin = plugin.split(' ').next()?;
    Some(ModuleLine { plugin: plugin.to_owned(), level: level.to_owned(), text: text.to_owned() })
}
