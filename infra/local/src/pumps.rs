//! The pumps hand queue messages and stream records to the functions, as AWS does.

use std::{sync::Arc, time::Duration};

use guerdon_engine::stream::{StreamPage, StreamPosition};
use guerdon_runtime::stream::StreamResponse;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    parts::{Parts, TABLE},
    queue::{Delivery, QueueName, wall_millis},
};

/// Batches of one queue that are handled at once, as `MaximumConcurrency` allows in the cloud.
const CONCURRENCY: usize = 4;
/// Messages in a batch.
const BATCH: u32 = 10;
/// Stream records in a batch.
const RECORDS: usize = 100;
/// Wait of a pump that found nothing, unless it is woken.
const IDLE: Duration = Duration::from_millis(20);

/// The two readers of the stream.
#[derive(Debug, Clone, Copy)]
enum Reader {
    Projector,
    EventRelay,
}

impl Reader {
    const ALL: [Self; 2] = [Self::Projector, Self::EventRelay];

    const fn mark(self) -> &'static str {
        match self {
            Self::Projector => "stream:projector",
            Self::EventRelay => "stream:event-relay",
        }
    }
}

pub(crate) fn start(parts: &Arc<Parts>, tasks: &mut JoinSet<()>) {
    for queue in QueueName::ALL {
        for _ in 0..CONCURRENCY {
            tasks.spawn(pump_queue(parts.clone(), queue));
        }
    }
    for reader in Reader::ALL {
        tasks.spawn(pump_stream(parts.clone(), reader));
    }
}

async fn pump_queue(parts: Arc<Parts>, queue: QueueName) {
    loop {
        match queue_batch(&parts, queue).await {
            Ok(0) => tokio::select! {
                () = parts.queues.arrived.notified() => {}
                () = sleep(IDLE) => {}
            },
            Ok(_) => {}
            Err(error) => {
                tracing::error!(queue = queue.as_str(), %error, "the queue cannot be read");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn queue_batch(parts: &Parts, queue: QueueName) -> anyhow::Result<usize> {
    let (deliveries, ticket) = parts.queues.receive(queue, BATCH, wall_millis())?;
    if deliveries.is_empty() {
        return Ok(0);
    }
    ticket.settled().await?;
    let shortages = parts.queues.database().shortages();
    let event = serde_json::from_value(sqs_event(queue, &deliveries))?;
    let response = match queue {
        QueueName::Payments => commission_worker::handler::handle(&parts.commissions, event).await,
        QueueName::Credits => billing_worker::handler::handle(&parts.billing, event).await,
        QueueName::Notifications => notifier::handler::handle(&parts.notifier, event).await,
    };
    let failed: Vec<_> = response.batch_item_failures.iter().map(|f| f.item_identifier.as_str()).collect();
    let has_failed = |delivery: &&Delivery| failed.contains(&delivery.id.to_string().as_str());
    let (failed, done): (Vec<_>, Vec<_>) = deliveries.iter().partition(has_failed);
    if !failed.is_empty() && parts.queues.database().shortages() != shortages {
        take_back(parts, queue, &deliveries).await;
    } else {
        parts.queues.settle(&done, &failed, wall_millis())?;
    }
    Ok(deliveries.len())
}

/// Takes a batch back that failed while the disk was full, all of it: to handle a message again changes nothing. None of
/// them may become a dead letter for that, so it tries until it succeeds.
async fn take_back(parts: &Parts, queue: QueueName, deliveries: &[Delivery]) {
    while let Err(error) = parts.queues.take_back(deliveries, wall_millis()) {
        tracing::error!(queue = queue.as_str(), %error, "a batch waits for room on the disk");
        sleep(Duration::from_secs(1)).await;
    }
}

/// The event that SQS would send.
fn sqs_event(queue: QueueName, deliveries: &[Delivery]) -> Value {
    let arn = format!("arn:aws:sqs:local:000000000000:guerdon-{}", queue.as_str());
    let record = |delivery: &Delivery| {
        json!({
            "messageId": delivery.id.to_string(),
            "receiptHandle": format!("{}-{}", delivery.id, delivery.receives),
            "body": delivery.body,
            "attributes": { "ApproximateReceiveCount": delivery.receives.to_string() },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "local",
        })
    };
    json!({ "Records": deliveries.iter().map(record).collect::<Vec<_>>() })
}

async fn pump_stream(parts: Arc<Parts>, reader: Reader) {
    loop {
        match stream_batch(&parts, reader).await {
            Ok(true) => {}
            Ok(false) => sleep(IDLE).await,
            Err(error) => {
                tracing::error!(?reader, %error, "the stream cannot be read");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Hands one batch over; true when there was progress.
async fn stream_batch(parts: &Parts, reader: Reader) -> anyhow::Result<bool> {
    let position = StreamPosition(parts.queues.mark(reader.mark())?);
    let page = parts.engine.read_stream(TABLE, &position, RECORDS)?;
    if page.records.is_empty() {
        return Ok(false);
    }
    let event = serde_json::from_value(stream_event(&page))?;
    let response = match reader {
        Reader::Projector => projector::handler::handle(&parts.app, event).await,
        Reader::EventRelay => event_relay::handler::handle(&parts.bus, event).await,
    };
    let done = last_handled(&page, &response);
    if let Some(sequence) = &done {
        // Nobody waits for the mark: one that is lost is behind, and what it stands for is done again without effect.
        drop(parts.queues.set_mark(reader.mark(), sequence)?);
        if !parts.keeps_stream {
            parts.engine.forget_read(TABLE, &slowest_reader(parts)?)?;
        }
    }
    Ok(done.is_some())
}

/// The stream records that each reader has before it, with the reader's label.
pub(crate) fn lag(parts: &Parts) -> anyhow::Result<[(&'static str, u64); 2]> {
    let behind = |reader: Reader| -> anyhow::Result<u64> {
        let position = StreamPosition(parts.queues.mark(reader.mark())?);
        Ok(parts.engine.count_stream(TABLE, &position)?)
    };
    Ok([
        ("{reader=\"projector\"}", behind(Reader::Projector)?),
        ("{reader=\"event-relay\"}", behind(Reader::EventRelay)?),
    ])
}

/// The position that all of the stream's readers have behind them.
fn slowest_reader(parts: &Parts) -> anyhow::Result<StreamPosition> {
    let marks: Vec<_> =
        Reader::ALL.iter().map(|reader| parts.queues.mark(reader.mark())).collect::<Result<_, _>>()?;
    // Sequence numbers are of one length, and none is before all of them.
    Ok(StreamPosition(marks.into_iter().min().flatten()))
}

/// The event that the stream's trigger would send: with a tumbling window it names the shard.
fn stream_event(page: &StreamPage) -> Value {
    json!({
        "Records": page.records,
        "shardId": page.shard_id,
        "eventSourceARN": page.arn,
        "state": {},
        "isFinalInvokeForWindow": false,
        "isWindowTerminatedEarly": false,
    })
}

/// The record before the first failed one; the last of the page when none failed.
fn last_handled(page: &StreamPage, response: &StreamResponse) -> Option<String> {
    let sequence = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
    let failed = response.batch_item_failures.first().map(|failure| failure.item_identifier.as_str());
    let handled =
        page.records.iter().map_while(|record| sequence(record).filter(|s| Some(s.as_str()) != failed));
    handled.last()
}

/// Waits until nothing is queued, nothing is in hand and both readers stand at the stream's end.
pub(crate) async fn drain(parts: &Parts, patience: Duration) -> bool {
    let step = Duration::from_millis(10);
    let mut quiet = 0;
    for _ in 0..patience.as_millis() / step.as_millis() {
        // Twice in a row: between the two looks nothing can have moved on unseen.
        quiet = if is_quiet(parts).unwrap_or(false) { quiet + 1 } else { 0 };
        if quiet == 2 {
            return true;
        }
        sleep(step).await;
    }
    false
}

fn is_quiet(parts: &Parts) -> anyhow::Result<bool> {
    for reader in Reader::ALL {
        let position = StreamPosition(parts.queues.mark(reader.mark())?);
        if !parts.engine.read_stream(TABLE, &position, 1)?.records.is_empty() {
            return Ok(false);
        }
    }
    for queue in QueueName::ALL {
        if parts.queues.depth(queue)?.live > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
