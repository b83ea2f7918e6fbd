//! Line charts over time as inline SVG. Colours come from the page's style, so that they follow light and dark.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 38.0;

pub struct Series {
    pub name: &'static str,
    /// A class of the style: `c1` to `c4`, `bad`.
    pub class: &'static str,
    /// One for each second; where there is none, the line has a gap.
    pub points: Vec<Option<f64>>,
}

pub struct Chart {
    pub title: &'static str,
    pub unit: &'static str,
    pub series: Vec<Series>,
    /// Latencies that lie decades apart.
    pub logarithmic: bool,
}

/// The scale of the values: from what they are to where they stand.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    fn of(chart: &Chart) -> Self {
        let values = || chart.series.iter().flat_map(|series| series.points.iter().flatten().copied());
        let highest = values().fold(0.0, f64::max);
        if chart.logarithmic {
            let lowest = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min).min(highest.max(1.0));
            let (low, high) = (lowest.log10().floor(), highest.max(lowest * 10.0).log10().ceil());
            let mut ticks = vec![10_f64.powf(low)];
            while ticks.last().is_some_and(|tick| tick.log10() < high - 0.5) {
                ticks.push(ticks.last().copied().unwrap_or(1.0) * 10.0);
            }
            return Self { low: 10_f64.powf(low), high: 10_f64.powf(high), logarithmic: true, ticks };
        }
        let step = nice_step(highest.max(f64::MIN_POSITIVE) / 4.0);
        let high = if highest > 0.0 { (highest / step).ceil() * step } else { 1.0 };
        let mut ticks = vec![0.0];
        while ticks.last().is_some_and(|tick| *tick < high - step / 2.0) && ticks.len() < 12 {
            ticks.push(ticks.last().copied().unwrap_or_default() + if highest > 0.0 { step } else { 1.0 });
        }
        Self { low: 0.0, high, logarithmic: false, ticks }
    }

    fn y(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }
}

/// 1, 2 or 5 times a power of ten.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * 0.999).unwrap_or(power * 10.0)
}

/// A figure with title, legend and chart.
pub fn figure(chart: &Chart) -> String {
    let axis = Axis::of(chart);
    let seconds = chart.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    let last = number(seconds.saturating_sub(1).max(1));
    let x = move |second: usize| LEFT + number(second) / last * (WIDTH - LEFT - RIGHT);
    let mut out = format!("<figure><figcaption><b>{}</b> <span class=unit>{}</span>", chart.title, chart.unit);
    for series in &chart.series {
        // A string takes whatever is written.
        let _ = write!(out, "<span class=key><i class={}></i>{}</span>", series.class, series.name);
    }
    let _ = write!(out, "</figcaption><svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='{}, {}'>", chart.title, chart.unit);
    grid(&mut out, &axis, seconds, &x);
    for series in &chart.series {
        line(&mut out, series, &axis, &x);
    }
    hover(&mut out, chart, seconds, &x);
    out.push_str("</svg></figure>\n");
    out
}

fn grid(out: &mut String, axis: &Axis, seconds: usize, x: &dyn Fn(usize) -> f64) {
    for tick in &axis.ticks {
        let y = axis.y(*tick);
        let _ = write!(out, "<path class=grid d='M{LEFT} {y:.1}H{:.1}'/>", WIDTH - RIGHT);
        let _ = write!(out, "<text x={:.1} y={:.1} text-anchor=end>{}</text>", LEFT - 7.0, y + 4.0, short(*tick));
    }
    let step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800].into_iter().find(|step| seconds / step <= 8).unwrap_or(3_600);
    for second in (0..seconds.max(1)).step_by(step) {
        let _ = write!(out, "<text x={:.1} y={:.1} text-anchor=middle>{second}</text>", x(second), HEIGHT - BOTTOM + 17.0);
    }
    let _ = write!(out, "<text x={:.1} y={:.1} text-anchor=middle>seconds</text>", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4.0);
}

fn line(out: &mut String, series: &Series, axis: &Axis, x: &dyn Fn(usize) -> f64) {
    let mut path = String::new();
    let mut pen_is_down = false;
    for (second, point) in series.points.iter().enumerate() {
        if let Some(value) = point {
            let _ = write!(path, "{}{:.1} {:.1}", if pen_is_down { 'L' } else { 'M' }, x(second), axis.y(*value));
        }
        pen_is_down = point.is_some();
    }
    let _ = write!(out, "<path class='line {}' d='{path}'/>", series.class);
}

/// What each second's values are, for a pointer that rests on it.
fn hover(out: &mut String, chart: &Chart, seconds: usize, x: &dyn Fn(usize) -> f64) {
    let width = (WIDTH - LEFT - RIGHT) / number(seconds.max(1));
    for second in 0..seconds {
        let values = chart.series.iter().filter_map(|series| {
            let value = series.points.get(second).copied().flatten()?;
            Some(format!("\n{}: {} {}", series.name, short(value), chart.unit))
        });
        let _ = write!(
            out,
            "<rect class=hover x={:.1} y={TOP} width={width:.1} height={:.1}><title>second {second}{}</title></rect>",
            x(second) - width / 2.0,
            HEIGHT - TOP - BOTTOM,
            values.collect::<String>()
        );
    }
}

/// A number with no more digits than one can read.
fn short(value: f64) -> String {
    let text = match value.abs() {
        0.0 => return "0".to_owned(),
        size if size >= 1e6 => format!("{:.1}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    text.replace(".0k", "k").replace(".0M", "M").trim_end_matches(".0").to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        for highest in [0.03, 1.0, 7.3, 99.0, 1_234.0, 2_000_000.0] {
            let series = Series { name: "a", class: "c1", points: vec![Some(0.0), None, Some(highest)] };
            let axis = Axis::of(&Chart { title: "t", unit: "u", series: vec![series], logarithmic: false });
            assert!(axis.high >= highest && axis.high <= highest * 1.7, "{highest}: {}", axis.high);
            assert!((3..=6).contains(&axis.ticks.len()), "{highest}: {:?}", axis.ticks);
        }
    }

    #[test]
    fn nothing_measured_still_is_a_chart() {
        for logarithmic in [false, true] {
            let chart = Chart { title: "t", unit: "u", series: vec![Series { name: "a", class: "c1", points: Vec::new() }], logarithmic };
            assert!(!figure(&chart).contains("NaN") && !figure(&chart).contains("inf"));
        }
    }
}
