//! A bar in a terminal; elsewhere a line now and then.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far something has come. It is shown on standard error, so that standard output has nothing but results.
pub struct Progress {
    bar: Option<ProgressBar>,
    what: String,
    end: u64,
    last_line: Mutex<Instant>,
}

impl Progress {
    /// Of a fill that finds so many people there.
    pub fn of_fill(profiles: u64, present: u64) -> Self {
        if present >= profiles {
            return Self::silent("fill");
        }
        if present > 0 {
            eprintln!("fill: {present} of {profiles} profiles are there; going on");
        }
        Self::new("fill", profiles, "{prefix} [{wide_bar}] {human_pos} of {human_len} profiles, {per_sec}, {eta} left")
    }

    /// Of a load that takes this long.
    pub fn of_load(what: &str, seconds: u64) -> Self {
        Self::new(what, seconds, "{prefix} [{wide_bar}] {pos} of {len} s {msg}")
    }

    fn new(what: &str, end: u64, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(end).with_style(style.progress_chars("=> ")).with_prefix(what.to_owned())
        });
        Self { bar, what: what.to_owned(), end, last_line: Mutex::new(Instant::now()) }
    }

    fn silent(what: &str) -> Self {
        Self { bar: None, what: what.to_owned(), end: 0, last_line: Mutex::new(Instant::now()) }
    }

    pub fn set(&self, at: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(at),
            None if self.line_is_due() => eprintln!("{}: {at} of {}", self.what, self.end),
            None => {}
        }
    }

    /// What is shown behind the bar.
    pub fn say(&self, text: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(text);
        }
    }

    /// Of a fill: with how many were made.
    pub fn finish(&self, made: u64) {
        self.clear();
        if made > 0 {
            eprintln!("fill: {made} profiles made");
        }
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line_is_due(&self) -> bool {
        let Ok(mut last) = self.last_line.lock() else { return false };
        let due = last.elapsed() >= LINE_EVERY;
        if due {
            *last = Instant::now();
        }
        due
    }
}
