"""What AWS does between a table's stream and a function, where the emulator does less: the tumbling window's shardId,
filters, partial failures, that a batch comes again until it succeeds, and where it is left when it has become too old.
A failed batch is not halved here."""

import base64
import datetime
import json
import threading
import time

import boto3

# Where triggers, routes and schedules lead.
ALIAS = "live"

IDLE_SECONDS = 0.05
RETRY_SECONDS = 0.5


class StreamTrigger:
    """Reads one stream for one function, shard by shard, from its beginning."""

    def __init__(self, function: str, stream: str, properties: dict) -> None:
        self.function = function
        self.stream = stream
        self.properties = properties
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        self.patterns = [json.loads(entry["Pattern"]) for entry in filters]
        self.streams = boto3.client("dynamodbstreams")
        self.functions = boto3.client("lambda")
        self.idle_rounds = 0
        self.failures: list[str] = []
        # The shard and the records that were taken last.
        self.taken: tuple[str, list[dict]] | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True, name=function)
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join(timeout=10)

    def run(self) -> None:
        shards = self.streams.describe_stream(StreamArn=self.stream)["StreamDescription"]["Shards"]
        iterators = {shard["ShardId"]: self.beginning(shard["ShardId"]) for shard in shards}
        while not self.stopped.is_set():
            moved = False
            for shard, iterator in iterators.items():
                page = self.streams.get_records(ShardIterator=iterator, Limit=self.properties["BatchSize"])
                moved |= bool(page["Records"])
                self.deliver(shard, page["Records"])
                iterators[shard] = page.get("NextShardIterator", iterator)
            self.idle_rounds = 0 if moved else self.idle_rounds + 1
            if not moved:
                self.stopped.wait(IDLE_SECONDS)

    def beginning(self, shard: str) -> str:
        return self.streams.get_shard_iterator(
            StreamArn=self.stream, ShardId=shard, ShardIteratorType=self.properties["StartingPosition"]
        )["ShardIterator"]

    def deliver(self, shard: str, records: list[dict]) -> None:
        """Hands the records over until the function has taken the last of them."""
        left = [plain(record) for record in records if not self.patterns or any(fits(record, p) for p in self.patterns)]
        while left and not self.stopped.is_set():
            failed_from = self.invoke(shard, left)
            if failed_from is None:
                self.taken = (shard, left)
                return
            sequences = [record["dynamodb"]["SequenceNumber"] for record in left]
            left = left[sequences.index(failed_from) if failed_from in sequences else 0 :]
            first = left[0]["dynamodb"]
            if time.time() - first["ApproximateCreationDateTime"] > self.properties["MaximumRecordAgeInSeconds"]:
                return self.give_up(shard, first["SequenceNumber"], left[-1]["dynamodb"]["SequenceNumber"])
            self.stopped.wait(RETRY_SECONDS)

    def deliver_again(self) -> None:
        """The last batch once more, as after an answer that was lost."""
        assert self.taken, f"{self.function} has taken nothing yet"
        assert self.invoke(*self.taken) is None, self.failures[-1]

    def give_up(self, shard: str, first: str, last: str) -> None:
        """Says where the records are, not what is in them."""
        batch = {"shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last, "streamArn": self.stream}
        queues = boto3.client("sqs")
        url = queues.get_queue_url(QueueName=f"{self.function}-dlq")["QueueUrl"]
        queues.send_message(QueueUrl=url, MessageBody=json.dumps({"DDBStreamBatchInfo": batch}))

    def invoke(self, shard: str, records: list[dict]) -> str | None:
        """The sequence number from which on the batch failed; none when all went well."""
        first = records[0]["dynamodb"]["SequenceNumber"]
        event = {"Records": records, **self.window(shard)}
        answer = self.functions.invoke(FunctionName=self.function, Qualifier=ALIAS, Payload=json.dumps(event))
        body = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            self.failures.append(f"{self.function}: {body}")
            return first
        # Lambda counts an answer to a windowed event as failed when it carries no state.
        if self.is_windowed() and (not isinstance(body, dict) or "state" not in body):
            self.failures.append(f"{self.function}: no state in {body}")
            return first
        failures = body.get("batchItemFailures", []) if self.reports_failures() else []
        if failures:
            self.failures.append(f"{self.function}: {failures}")
        return min((failure["itemIdentifier"] for failure in failures), default=None)

    def is_windowed(self) -> bool:
        return bool(self.properties.get("TumblingWindowInSeconds"))

    def reports_failures(self) -> bool:
        return "ReportBatchItemFailures" in self.properties.get("FunctionResponseTypes", [])

    def window(self, shard: str) -> dict:
        if not self.is_windowed():
            return {}
        seconds = self.properties["TumblingWindowInSeconds"]
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        start = now - datetime.timedelta(seconds=now.timestamp() % seconds)
        end = start + datetime.timedelta(seconds=seconds)
        return {
            "window": {"start": start.isoformat(), "end": end.isoformat()},
            "state": {},
            "shardId": shard,
            "eventSourceARN": self.stream,
            "isFinalInvokeForWindow": False,
            "isWindowTerminatedEarly": False,
        }


def fits(value, pattern) -> bool:
    """A filter pattern of the one kind we use: fields, and at the end of the path the values allowed."""
    if isinstance(pattern, list):
        return value in pattern
    return isinstance(value, dict) and all(fits(value.get(name), wanted) for name, wanted in pattern.items())


def plain(value):
    """A record as the function gets it: bytes in base64, times in seconds."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value
