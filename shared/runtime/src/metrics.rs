//! Metrics, in CloudWatch's embedded metric format: a JSON line on standard output from which CloudWatch reads the
//! numbers (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! No call is made, so nothing waits for one.
//!
//! Code that counts something emits a `tracing` event with the target [`METRICS`]; this module turns such events
//! into lines. The dimension is the function, whose name contains the deployment's name.

use std::io::Write;

use guerdon_app::context::{Clock, SystemClock};
use guerdon_store::table::METRICS;
use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, registry::LookupSpan};

/// CloudWatch's namespace for the metrics of every deployment.
const NAMESPACE: &str = "Guerdon";

/// Layer that writes metrics to `sink`.
pub(crate) struct Metrics<W> {
    function: String,
    clock: SystemClock,
    sink: fn() -> W,
}

impl<W: Write + 'static> Metrics<W> {
    pub(crate) fn new(function: String, sink: fn() -> W) -> Self {
        Self { function, clock: SystemClock::default(), sink }
    }

    /// Adds a filter that passes metrics at any log level.
    pub(crate) fn layer<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        self.with_filter(Targets::new().with_target(METRICS, Level::INFO))
    }
}

impl<S: Subscriber, W: Write + 'static> Layer<S> for Metrics<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut counts = Counts::default();
        event.record(&mut counts);
        let line = counts.line(&self.function, self.clock.now().millis());
        // Standard output is closed, so the error cannot be reported.
        writeln!((self.sink)(), "{line}").ok();
    }
}

/// The numbers in one event.
#[derive(Default)]
struct Counts(Vec<(String, &'static str, Value)>);

impl Counts {
    fn add(&mut self, field: &Field, value: Value) {
        let (name, unit) = match field.name().strip_suffix("_ms") {
            Some(name) => (name, "Milliseconds"),
            None => (field.name(), "Count"),
        };
        self.0.push((camel_case(name), unit, value));
    }

    fn line(self, function: &str, millis: i64) -> Value {
        let metrics: Vec<_> =
            self.0.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics });
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({ "Timestamp": millis, "CloudWatchMetrics": [directive] }));
        line.insert("Function".to_owned(), function.into());
        line.extend(self.0.into_iter().map(|(name, _, value)| (name, value)));
        line.into()
    }
}

impl Visit for Counts {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    /// Ignores texts, which are not metrics.
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Converts `parked_events` to the style of CloudWatch's own metrics: `ParkedEvents`.
fn camel_case(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        words.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        words.push_str(letters.as_str());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct Sink;

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_metric_is_one_line_in_the_embedded_format() {
        let layer = Metrics::new("guerdon-CommissionWorker-1".to_owned(), || Sink).layer();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(target: METRICS, parked_events = 2, queue_age_ms = 1500_u64);
            tracing::info!("a line that is no metric");
        });
        let written = WRITTEN.lock().unwrap();
        let text = std::str::from_utf8(&written).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(text).unwrap();
        assert!(line["_aws"]["Timestamp"].take().as_i64().unwrap() > 1_700_000_000_000);
        let metrics = json!([
            { "Name": "ParkedEvents", "Unit": "Count" },
            { "Name": "QueueAge", "Unit": "Milliseconds" },
        ]);
        let directive = json!({ "Namespace": "Guerdon", "Dimensions": [["Function"]], "Metrics": metrics });
        let expected = json!({
            "_aws": { "Timestamp": null, "CloudWatchMetrics": [directive] },
            "Function": "guerdon-CommissionWorker-1",
            "ParkedEvents": 2,
            "QueueAge": 1500,
        });
        assert_eq!(line, expected);
    }
}
