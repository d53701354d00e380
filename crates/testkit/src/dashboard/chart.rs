//! One plot: axes, lines or areas, and a legend below it.

use std::fmt::Write as _;

use super::axis::Axis;
use super::prometheus::Series;

/// Colors that are told apart with color blindness too (Okabe and Ito), in an order that sets neighbours off.
const COLORS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a6d00", "#4b5563"];
/// Width of a character of the legend, rather too much than too little.
const CHARACTER: f64 = 6.4;
const LEGEND_ROW: f64 = 16.0;
const SWATCH: f64 = 16.0;
const GAP: f64 = 14.0;

/// Where on the picture.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What is drawn.
pub(super) struct Chart<'a> {
    pub(super) series: &'a [Series],
    /// What values are multiplied by.
    pub(super) factor: f64,
    pub(super) is_stacked: bool,
    pub(super) seconds: f64,
}

impl Chart<'_> {
    /// Draws into an area, all of it text and lines within.
    pub(super) fn draw(&self, svg: &mut String, area: Area) {
        let rows = legend_rows(self.series, area.width);
        let height = area.height - LEGEND_ROW * rows.len() as f64 - 38.0;
        let plot = Area { left: area.left + 34.0, top: area.top + 6.0, width: area.width - 50.0, height };
        let layers = self.layers();
        let greatest = layers.iter().flatten().map(|(_, _, value)| *value).fold(0.0, f64::max);
        let (x, y) = (Axis::new(self.seconds, if plot.width > 300.0 { 10 } else { 4 }), Axis::new(greatest, 4));
        let scale = Scale { plot, seconds: self.seconds, greatest: y.end };
        axes(svg, &scale, &x, &y);
        for (layer, color) in layers.iter().zip(COLORS.iter().cycle()) {
            self.line(svg, &scale, layer, color);
        }
        legend(svg, &rows, area.left + 8.0, plot.top + plot.height + 46.0);
    }

    /// Returns of each series time, lower and upper edge; one that is not stacked begins at zero.
    fn layers(&self) -> Vec<Vec<(f64, f64, f64)>> {
        let mut edge: Vec<(f64, f64)> = Vec::new();
        let mut layers = Vec::new();
        for series in self.series {
            let mut layer = Vec::new();
            for &(time, value) in &series.points {
                let at = edge.iter().position(|(own, _)| (own - time).abs() < 0.01).unwrap_or_else(|| {
                    edge.push((time, 0.0));
                    edge.len() - 1
                });
                let below = if self.is_stacked { edge[at].1 } else { 0.0 };
                edge[at].1 = below + value * self.factor;
                layer.push((time, below, edge[at].1));
            }
            layers.push(layer);
        }
        layers
    }

    fn line(&self, svg: &mut String, scale: &Scale, layer: &[(f64, f64, f64)], color: &str) {
        let at = |time: f64, value: f64| format!("{:.1},{:.1}", scale.x(time), scale.y(value));
        let upper: Vec<String> = layer.iter().map(|&(time, _, upper)| at(time, upper)).collect();
        if self.is_stacked {
            let lower = layer.iter().rev().map(|&(time, lower, _)| at(time, lower));
            let points: Vec<String> = upper.iter().cloned().chain(lower).collect();
            let _ = writeln!(svg, r#"<polygon points="{}" fill="{color}" fill-opacity="0.25"/>"#, points.join(" "));
        }
        let points = upper.join(" ");
        let _ = writeln!(svg, r#"<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>"#);
    }
}

struct Scale {
    plot: Area,
    seconds: f64,
    greatest: f64,
}

impl Scale {
    fn x(&self, time: f64) -> f64 {
        self.plot.left + self.plot.width * (time / self.seconds).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.plot.top + self.plot.height * (1.0 - value / self.greatest)
    }
}

fn axes(svg: &mut String, scale: &Scale, x: &Axis, y: &Axis) {
    let plot = scale.plot;
    let (right, bottom) = (plot.left + plot.width, plot.top + plot.height);
    for (value, label) in y.ticks() {
        let at = scale.y(value);
        let _ = writeln!(
            svg,
            r##"<line x1="{:.1}" x2="{right:.1}" y1="{at:.1}" y2="{at:.1}" stroke="#e5e7eb"/><text x="{:.1}" y="{:.1}" text-anchor="end" class="tick">{label}</text>"##,
            plot.left,
            plot.left - 5.0,
            at + 3.5,
        );
    }
    for (value, label) in x.ticks().into_iter().filter(|(value, _)| *value <= scale.seconds) {
        let _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" class="tick">{label} s</text>"#,
            scale.x(value),
            bottom + 15.0,
        );
    }
}

/// Distributes the entries over rows; each has its place from the left, its number and its name.
fn legend_rows(series: &[Series], width: f64) -> Vec<Vec<(f64, usize, &str)>> {
    let mut rows: Vec<Vec<(f64, usize, &str)>> = vec![Vec::new()];
    let mut left = 0.0;
    for (number, series) in series.iter().enumerate() {
        let entry = SWATCH + CHARACTER * series.name.chars().count() as f64;
        if left > 0.0 && left + entry > width - 16.0 {
            rows.push(Vec::new());
            left = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((left, number, &series.name));
        }
        left += entry + GAP;
    }
    rows
}

fn legend(svg: &mut String, rows: &[Vec<(f64, usize, &str)>], left: f64, top: f64) {
    for (row, entries) in rows.iter().enumerate() {
        let base = top + LEGEND_ROW * row as f64 - 6.0;
        for (from, number, name) in entries {
            let color = COLORS[number % COLORS.len()];
            let _ = writeln!(
                svg,
                r#"<rect x="{:.1}" y="{:.1}" width="11" height="3" fill="{color}"/><text x="{:.1}" y="{base:.1}" class="legend">{}</text>"#,
                left + from,
                base - 5.0,
                left + from + SWATCH,
                escaped(name),
            );
        }
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, values: &[f64]) -> Series {
        let points = values.iter().enumerate().map(|(time, value)| (time as f64, *value)).collect();
        Series { name: name.to_owned(), points }
    }

    #[test]
    fn stacked_layers_lie_on_each_other() {
        let series = [series("a", &[1.0, 2.0]), series("b", &[3.0, 4.0])];
        let chart = |is_stacked| Chart { series: &series, factor: 1.0, is_stacked, seconds: 1.0 };
        assert_eq!(chart(true).layers()[1], [(0.0, 1.0, 4.0), (1.0, 2.0, 6.0)]);
        assert_eq!(chart(false).layers()[1], [(0.0, 0.0, 3.0), (1.0, 0.0, 4.0)]);
    }

    #[test]
    fn a_legend_that_is_too_wide_goes_on_in_the_next_row() {
        let series = [series("a_name_of_20_letters", &[]), series("a_name_of_20_letters", &[])];
        assert_eq!(legend_rows(&series, 400.0).len(), 1);
        let rows = legend_rows(&series, 250.0);
        assert_eq!((rows.len(), rows[1][0].0), (2, 0.0));
    }
}
