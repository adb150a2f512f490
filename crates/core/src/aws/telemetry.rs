//! Logging: one JSON line per fact on standard output, which Lambda collects.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::aws::settings::{Setting, Settings};

/// Starts logging at the level of the setting `LOG_LEVEL`, or at `info`. Dependencies never log below
/// `info`, where the runtime logs whole events with passwords and addresses.
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
    // The runtime logs every error that a handler returns, even one that only diverts a workflow. The
    // loops in `crate::runtime` log those that are failures, and the hook below logs panics.
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

/// Returns an error and its sources in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| {
        format!("{text}: {source}")
    })
}
