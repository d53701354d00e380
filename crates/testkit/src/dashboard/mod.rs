//! `docs/dashboard.svg`: the panels of `envoy/observability/dashboard.json`, drawn from what a real Prometheus has scraped off
//! a real Envoy with the filter while requests of many kinds passed through it.

mod axis;
mod chart;
mod gateway;
mod panel;
mod picture;
mod prometheus;
mod traffic;

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::root;
use gateway::Stage;
use panel::Panel;
use picture::Drawn;
use prometheus::Prometheus;

const DASHBOARD: &str = "envoy/observability/dashboard.json";
const PICTURE: &str = "docs/dashboard.svg";

/// Runs Envoy, Prometheus and the requests, evaluates the expressions of all panels, and writes the picture.
///
/// # Errors
/// Prometheus is not on `PATH`, a request is answered otherwise than it must be, or an expression of a panel has no data.
pub fn draw() -> Result<()> {
    let panels = panels()?;
    let stage = Stage::start();
    let prometheus = Prometheus::start(stage.gateway.envoy.admin_address()?)?;
    println!("Envoy and Prometheus are up; {} s of requests follow.", traffic::SECONDS);

    let begin = prometheus::now();
    let requests = traffic::send(&stage)?;
    let end = prometheus::now();

    let mut drawn = Vec::new();
    for panel in &panels {
        let mut series = Vec::new();
        for target in &panel.targets {
            let found = prometheus.query_range(target, begin, end)?;
            let has_data = found.iter().any(|one| one.points.iter().any(|(_, value)| *value > 0.0));
            ensure!(
                has_data,
                "the panel {:?} has no data: {} is empty or 0 all the time",
                panel.title,
                target.expression
            );
            series.extend(found);
        }
        println!("{}: {}", panel.title, series.iter().map(prometheus::Series::summary).collect::<Vec<_>>().join(", "));
        drawn.push(Drawn { panel, series });
    }
    let picture = picture::svg(&drawn, requests, end - begin);
    fs::write(root().join(PICTURE), picture).with_context(|| format!("could not write {PICTURE}"))?;
    println!("{requests} requests; written: {PICTURE}");
    Ok(())
}

fn panels() -> Result<Vec<Panel>> {
    let text = fs::read_to_string(root().join(DASHBOARD)).with_context(|| format!("could not read {DASHBOARD}"))?;
    panel::read(&text).with_context(|| DASHBOARD.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panel that is new, renamed, moved or has another expression demands a new picture: `make dashboard`.
    #[test]
    fn the_picture_is_of_the_dashboard_as_it_is() {
        let picture = fs::read_to_string(root().join(PICTURE)).unwrap();
        let panels = panels().unwrap();
        assert!(panels.len() >= 7);
        for panel in &panels {
            let head = picture::head(panel);
            assert!(picture.contains(&head), "{PICTURE} lacks what follows: run `make dashboard`\n{head}");
        }
        assert_eq!(picture.matches(picture::PANEL).count(), panels.len(), "panels of {PICTURE}: run `make dashboard`");
    }

    #[test]
    fn the_pages_show_the_picture() {
        for (page, target) in
            [("docs/observability.md", "dashboard.svg"), ("envoy/observability/README.md", "../../docs/dashboard.svg")]
        {
            let text = fs::read_to_string(root().join(page)).unwrap();
            assert!(text.contains(&format!("]({target})")), "{page} does not show {target}");
        }
    }
}
