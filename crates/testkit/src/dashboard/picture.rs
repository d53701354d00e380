//! All panels in the places that the dashboard gives them, as SVG on a ground of its own: no theme of a page matters.

use std::fmt::Write as _;

use super::chart::{Area, Chart, escaped};
use super::panel::{Panel, RATE_INTERVAL};
use super::prometheus::Series;

/// A panel and what its expressions have yielded.
pub(super) struct Drawn<'a> {
    pub(super) panel: &'a Panel,
    pub(super) series: Vec<Series>,
}

/// What each panel begins with.
pub(super) const PANEL: &str = r#"<g class="panel">"#;

const COLUMN: f64 = 40.0;
const ROW: f64 = 32.0;
const HEADER: f64 = 52.0;
const MARGIN: f64 = 8.0;

/// Returns the picture.
pub(super) fn svg(panels: &[Drawn<'_>], requests: u32, seconds: f64) -> String {
    let places = || panels.iter().map(|drawn| drawn.panel.place);
    let width = COLUMN * f64::from(places().map(|place| place.x + place.w).max().unwrap_or(0)) + MARGIN;
    let height = HEADER + ROW * f64::from(places().map(|place| place.y + place.h).max().unwrap_or(0)) + MARGIN;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="11">
<title>The dashboard of byok-filter</title>
<style>.name {{ font-size: 17px; font-weight: bold; fill: #111827 }} .title {{ font-size: 12px; font-weight: bold; fill: #1f2937 }} .unit, .tick, .note {{ fill: #4b5563 }} .legend {{ fill: #1f2937 }} .value {{ font-size: 22px; font-weight: bold; fill: #0072b2 }}</style>
<rect width="{width}" height="{height}" fill="#f3f4f6"/>
<text x="16" y="25" class="name">byok-filter</text>
<text x="16" y="43" class="note">{requests} requests to Envoy within {seconds:.0} s; Prometheus scrapes each second; rates are those of the last {RATE_INTERVAL}</text>
"##
    );
    for drawn in panels {
        draw(&mut svg, drawn, seconds);
    }
    svg + "</svg>\n"
}

/// Returns the part of a panel that the dashboard alone determines.
pub(super) fn head(panel: &Panel) -> String {
    let Area { left, top, width, height } = area(panel);
    let expressions: Vec<&str> = panel.targets.iter().map(|target| target.expression.as_str()).collect();
    let (title_left, base, end) = (left + 10.0, top + 20.0, left + width - 10.0);
    // Beside the large figure there is room for the unit; beside the title of a narrow panel there is none.
    let unit = if panel.is_stat { "" } else { panel.unit.shown().1 };
    format!(
        r##"{PANEL}
<desc>{desc}</desc>
<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" fill="#ffffff" stroke="#d1d5db"/>
<text x="{title_left}" y="{base}" class="title">{title}</text>
<text x="{end}" y="{base}" text-anchor="end" class="unit">{unit}</text>
"##,
        desc = escaped(&expressions.join("\n")),
        title = escaped(&panel.title),
    )
}

fn draw(svg: &mut String, Drawn { panel, series }: &Drawn<'_>, seconds: f64) {
    *svg += &head(panel);
    let Area { left, top, width, height } = area(panel);
    let (factor, unit) = panel.unit.shown();
    let mut above = 26.0;
    if panel.is_stat {
        let last = series.first().and_then(|series| series.points.last()).map_or(0.0, |(_, value)| value * factor);
        let _ = writeln!(
            svg,
            r#"<text x="{}" y="{}" class="unit"><tspan class="value">{last:.1}</tspan> {unit} at the end</text>"#,
            left + 10.0,
            top + 48.0,
        );
        above = 54.0;
    }
    let chart = Chart { series, factor, is_stacked: panel.is_stacked, seconds };
    chart.draw(svg, Area { left, top: top + above, width, height: height - above });
    *svg += "</g>\n";
}

fn area(panel: &Panel) -> Area {
    let place = panel.place;
    Area {
        left: MARGIN + COLUMN * f64::from(place.x),
        top: HEADER + ROW * f64::from(place.y) + MARGIN / 2.0,
        width: COLUMN * f64::from(place.w) - MARGIN,
        height: ROW * f64::from(place.h) - MARGIN,
    }
}
