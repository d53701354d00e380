//! The panels of a Grafana dashboard, as far as a picture needs them.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What rates are measured over. By Grafana's rule it is at least four scrapes.
pub(super) const RATE_INTERVAL: &str = "8s";

/// Grafana's variables, each with the value that it has in the picture.
const VARIABLES: [(&str, &str); 1] = [("$__rate_interval", RATE_INTERVAL)];

/// A panel with its place in the grid of 24 columns.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) place: Place,
    pub(super) unit: Unit,
    /// Whether the panel shows the last value in large figures.
    pub(super) is_stat: bool,
    /// Whether each series is drawn on top of the one before.
    pub(super) is_stacked: bool,
    pub(super) targets: Vec<Target>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

/// An expression and the name of what it yields, in which `{{label}}` stands for a label's value.
#[derive(Debug)]
pub(super) struct Target {
    /// PromQL, without Grafana's variables.
    pub(super) expression: String,
    pub(super) legend: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum Unit {
    #[serde(rename = "reqps")]
    RequestsPerSecond,
    #[serde(rename = "ops")]
    OperationsPerSecond,
    /// 1 is all.
    #[serde(rename = "percentunit")]
    Share,
}

impl Unit {
    /// Returns the factor by which a value is multiplied before it is shown, and its unit.
    pub(super) fn shown(self) -> (f64, &'static str) {
        match self {
            Self::RequestsPerSecond => (1.0, "requests/s"),
            Self::OperationsPerSecond => (1.0, "operations/s"),
            Self::Share => (100.0, "%"),
        }
    }
}

/// Reads the panels of a dashboard.
///
/// # Errors
/// It is no dashboard, or has a type of panel, a unit or a variable that is not known here.
pub(super) fn read(dashboard: &str) -> Result<Vec<Panel>> {
    let dashboard: Json = serde_json::from_str(dashboard)?;
    dashboard.panels.into_iter().map(panel).collect()
}

fn panel(json: JsonPanel) -> Result<Panel> {
    ensure!(
        ["timeseries", "stat"].contains(&&*json.kind),
        "a panel of the type {:?}: expected timeseries or stat",
        json.kind
    );
    let targets = json.targets.into_iter().map(target).collect::<Result<Vec<_>>>();
    let targets = targets.with_context(|| format!("the panel {:?}", json.title))?;
    ensure!(!targets.is_empty(), "the panel {:?} has no expression", json.title);
    let defaults = json.field_config.defaults;
    Ok(Panel {
        title: json.title,
        place: json.grid_pos,
        unit: defaults.unit,
        is_stat: json.kind == "stat",
        is_stacked: defaults.custom.stacking.is_some_and(|stacking| stacking.mode == "normal"),
        targets,
    })
}

fn target(json: JsonTarget) -> Result<Target> {
    let expression = VARIABLES.iter().fold(json.expr, |expression, (name, value)| expression.replace(name, value));
    ensure!(!expression.contains('$'), "a variable without a value: {expression}");
    Ok(Target { expression, legend: json.legend_format })
}

#[derive(Deserialize)]
struct Json {
    panels: Vec<JsonPanel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonPanel {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    grid_pos: Place,
    field_config: FieldConfig,
    targets: Vec<JsonTarget>,
}

#[derive(Deserialize)]
struct FieldConfig {
    defaults: Defaults,
}

#[derive(Deserialize)]
struct Defaults {
    unit: Unit,
    custom: Custom,
}

#[derive(Deserialize)]
struct Custom {
    stacking: Option<Stacking>,
}

#[derive(Deserialize)]
struct Stacking {
    mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonTarget {
    expr: String,
    legend_format: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dashboard(expression: &str) -> String {
        let target = serde_json::json!({ "expr": expression, "legendFormat": "a" });
        serde_json::json!({ "panels": [ {
            "type": "stat", "title": "t", "gridPos": { "x": 0, "y": 0, "w": 6, "h": 6 },
            "fieldConfig": { "defaults": { "unit": "percentunit", "custom": {} } }, "targets": [target] } ] })
        .to_string()
    }

    #[test]
    fn the_window_is_given() {
        let panels = read(&dashboard("rate(a[$__rate_interval])")).unwrap();
        assert_eq!(panels[0].targets[0].expression, "rate(a[8s])");
    }

    #[test]
    fn a_variable_without_a_value_is_an_error() {
        let error = read(&dashboard("a{route=\"$route\"}")).unwrap_err();
        assert!(format!("{error:#}").contains("a variable without a value"), "{error:#}");
    }
}
