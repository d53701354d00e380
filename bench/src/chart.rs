//! Charts of horizontal bars, as SVG: the bar is the median, the line across its end the spread.

use std::fmt::Write as _;

use crate::stats::Spread;

/// A labelled bar for each of some rows.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    pub(super) bars: Vec<Bar<'a>>,
}

pub(super) struct Bar<'a> {
    pub(super) label: &'a str,
    pub(super) value: Spread,
    /// Whether it is the filter's: those stand out.
    pub(super) is_ours: bool,
}

const WIDTH: f64 = 900.0;
const LABELS: f64 = 420.0;
const FIGURES: f64 = 70.0;
const ROW: f64 = 26.0;
const TOP: f64 = 56.0;

impl Chart<'_> {
    pub(super) fn svg(&self) -> String {
        let height = TOP + ROW * self.bars.len() as f64 + 12.0;
        // A spread beyond twice the longest bar ends where the chart does.
        let longest = self.bars.iter().map(|bar| bar.value.median).fold(1.0, f64::max);
        let greatest = self.bars.iter().map(|bar| bar.value.high).fold(longest, f64::max).min(2.0 * longest);
        let scale = (WIDTH - LABELS - FIGURES) / greatest;
        let mut svg = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<title>{title}</title>
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="16" y="24" font-size="16" font-weight="bold" fill="#1f2937">{title}</text>
<text x="16" y="43" fill="#4b5563">{unit}</text>
"##,
            title = escaped(self.title),
            unit = escaped(self.unit),
        );
        for (row, bar) in self.bars.iter().enumerate() {
            bar.draw(&mut svg, TOP + ROW * row as f64, scale);
        }
        svg + "</svg>\n"
    }
}

impl Bar<'_> {
    fn draw(&self, svg: &mut String, top: f64, scale: f64) {
        let Spread { median, low, high } = self.value;
        // The axis begins at zero, and a bar for less than nothing is none.
        let at = |value: f64| (LABELS + value.max(0.0) * scale).min(WIDTH - FIGURES);
        let color = if self.is_ours { "#2563eb" } else { "#9ca3af" };
        let (middle, text) = (top + ROW / 2.0, top + ROW / 2.0 + 4.5);
        let _ = write!(
            svg,
            r##"<text x="{label_end}" y="{text}" text-anchor="end" fill="#1f2937">{label}</text>
<rect x="{LABELS}" y="{y}" width="{width:.1}" height="{bar_height}" fill="{color}"/>
<line x1="{from:.1}" x2="{to:.1}" y1="{middle}" y2="{middle}" stroke="#111827"/>
<text x="{end:.1}" y="{text}" fill="#1f2937">{median:.1}</text>
"##,
            label_end = LABELS - 8.0,
            label = escaped(&self.label.replace('`', "")),
            y = top + 4.0,
            width = at(median) - LABELS,
            bar_height = ROW - 8.0,
            from = at(low),
            to = at(high),
            end = at(high.max(median)) + 6.0,
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(medians: &[f64]) -> String {
        let bar = |median: &f64| Bar {
            label: "`a` < b",
            value: Spread { median: *median, low: *median, high: *median },
            is_ours: false,
        };
        Chart { title: "t", unit: "u", bars: medians.iter().map(bar).collect() }.svg()
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_never_negative() {
        let svg = chart(&[10.0, 5.0, -3.0]);
        let widths: Vec<&str> = svg.split("width=\"").skip(2).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(widths, ["410.0", "205.0", "0.0"]);
    }

    #[test]
    fn labels_are_text() {
        let svg = chart(&[1.0]);
        assert!(svg.contains(">a &lt; b</text>"), "{svg}");
    }
}
