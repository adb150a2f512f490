//! Logs: one JSON line per fact on standard output, where Lambda picks it up.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::aws::settings::{Setting, Settings};

/// Starts logging at the level of the setting `LOG_LEVEL`, or `info`. The crates that it stands on
/// never tell more than `info`: below it, the runtime logs whole events with passwords and addresses.
pub fn start() {
    let level = Settings::Environment
        .read(Setting::LogLevel)
        .unwrap_or(LevelFilter::INFO);
    let levels = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false);
    // The runtime logs each error that a handler returns, also the ones that only divert a workflow;
    // `lambda` logs those that are failures, and the hook below panics.
    let facts = filter_fn(|event| event.target() != "lambda_runtime::layers::panic");
    // A second start, as in tests, changes nothing.
    let _ = registry()
        .with(levels)
        .with(lines.with_filter(facts))
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(error = %panic, "function panicked");
    }));
}

/// An error and its sources in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| {
        format!("{text}: {source}")
    })
}
