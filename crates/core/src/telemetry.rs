//! Logs: one JSON line per fact on standard output, where Lambda picks it up.

use tracing::level_filters::LevelFilter;

use crate::settings::{Setting, Settings};

/// Starts logging at the level of the setting `LOG_LEVEL`, or `info`.
pub fn start() {
    let level = Settings::Environment
        .read(Setting::LogLevel)
        .unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level);
    // A second start, as in tests, changes nothing.
    let _ = lines.with_target(false).with_current_span(false).try_init();
}

/// An error and its sources in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| {
        format!("{text}: {source}")
    })
}
