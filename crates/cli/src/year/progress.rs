//! How far the year is, on standard error: one line that is written over in a terminal, and one line from time to time
//! elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often the line is written.
const IN_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(30);

/// The width of the bar, in characters.
const WIDTH: usize = 30;

/// The progress of one part.
pub(super) struct Progress {
    what: &'static str,
    whole: usize,
    begun: Instant,
    written: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, whole: usize) -> Self {
        Self {
            what,
            whole,
            begun: Instant::now(),
            written: None,
            terminal: stderr().is_terminal(),
        }
    }

    /// Shows that `done` of the whole are done.
    pub(super) fn show(&mut self, done: usize) {
        let every = if self.terminal {
            IN_TERMINAL
        } else {
            ELSEWHERE
        };
        let is_last = done >= self.whole;
        let is_due = self
            .written
            .is_none_or(|written| written.elapsed() >= every);
        if !is_last && !is_due {
            return;
        }
        self.written = Some(Instant::now());
        let line = line(self.what, done, self.whole, self.begun.elapsed());
        let (start, end) = match (self.terminal, is_last) {
            (true, false) => ("\r", ""),
            (true, true) => ("\r", "\n"),
            (false, _) => ("", "\n"),
        };
        // Progress that cannot be shown is not worth an end.
        let _ = write!(stderr().lock(), "{start}{line}{end}");
    }
}

fn line(what: &str, done: usize, whole: usize, elapsed: Duration) -> String {
    let filled = (WIDTH * done)
        .checked_div(whole)
        .unwrap_or(WIDTH)
        .min(WIDTH);
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(WIDTH - filled));
    let seconds = elapsed.as_secs();
    let rate = (done as u64).checked_div(seconds.max(1)).unwrap_or(0);
    format!(
        "[{bar}] {done} of {whole} {what}, {rate}/s, {}:{:02} min",
        seconds / 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_fast() {
        assert_eq!(
            line("orders", 50, 100, Duration::from_secs(65)),
            "[###############---------------] 50 of 100 orders, 0/s, 1:05 min"
        );
        assert_eq!(
            line("orders", 0, 0, Duration::ZERO),
            "[##############################] 0 of 0 orders, 0/s, 0:00 min"
        );
    }
}
