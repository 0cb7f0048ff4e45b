//! Trying again when others were faster.

use std::time::Duration;

use crate::context::App;

/// Waits a moment that grows with `tries` and differs between callers.
pub(crate) async fn pause(app: &App, tries: u32) {
    let jitter = app.entropy.code_bytes().map_or(0, |bytes| u64::from(bytes[0]));
    let millis = 2 + (jitter * u64::from(tries.min(20))) / 32;
    tokio_sleep(Duration::from_millis(millis)).await;
}

async fn tokio_sleep(duration: Duration) {
    use backon::Sleeper;
    backon::TokioSleeper.sleep(duration).await;
}
