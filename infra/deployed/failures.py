"""Breaks, one after the other, everything that a deployed stack depends on. Each time a failed message is retried; one
that cannot succeed is in its dead-letter queue, which an alarm of the template watches; after the repair it is played
again as docs/operations.md says, and each payment is booked once and each credit posted once.

Usage: failures.py OVERLAID NAME=SIMULATOR_URL
"""

import itertools
import json
import operator
import pathlib
import sys
import time

import boto3
import botocore.exceptions

from journey import (
    acquaint,
    befriend,
    nothing_was_given_up,
    subscribe,
    the_credit_is_taken_off_the_bill,
    the_credit_waits,
    worlds,
)
from proxy import hang_up, lose_the_first_answer, proxy, throttle, throttle_every_other
from stack import ENDPOINT
from stream import ALIAS, plain
from world import Person, World

WORK_QUEUES = ("payments", "credits", "notifications")
WORKERS = ("commission-worker", "billing-worker", "notifier")
# A message that was given up has a claim on its posting or notice, which others respect for two minutes. It has
# expired long before an operator reads the mail of the alarm.
LEASE_SECONDS = 120
COMPARISONS = {"GreaterThanOrEqualToThreshold": operator.ge}
UNREADABLE = "an unreadable message"

Couple = tuple[Person, Person]
numbers = itertools.count()


def couple() -> Couple:
    """Two people for one failure."""
    number = next(numbers)
    return Person(7_200_000_000 + 2 * number, f"Alice{number}"), Person(7_200_000_001 + 2 * number, f"Bob{number}")


# ---- Dead letters and alarms


def dead_letters(world: World, queue: str) -> int:
    return world.stack.queues()[f"{queue}-dlq"]


def was_given_up(world: World, queue: str, at_least: int = 1) -> None:
    """All that the queue delivers in vain lies in its dead letters, and the template's alarm sees it."""
    url, source = (world.stack.queue(name) for name in (f"{queue}-dlq", queue))
    # More are looked at than are asked for: a batch may fail because of one call.
    letters = world.stack.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    assert len(letters) >= at_least, f"{queue}-dlq has {len(letters)}: {world.stack.queues()}"
    policy = world.stack.sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["RedrivePolicy"])["Attributes"]
    deliveries = json.loads(policy["RedrivePolicy"])["maxReceiveCount"]
    for letter in letters:
        assert int(letter["Attributes"]["ApproximateReceiveCount"]) > int(deliveries), letter["Attributes"]
    rings(world, f"{queue.title()}DeadLettersAlarm")


def rings(world: World, name: str) -> None:
    """What an alarm of the deployed template watches is beyond its threshold, and it tells the topic. The metric itself
    where the emulator publishes it; of queues it does not, so there it is what the metric counts."""
    alarm = deployed_alarm(world, name)
    measured = measure(world, alarm)
    compare = COMPARISONS[alarm["ComparisonOperator"]]
    assert compare(measured, alarm["Threshold"]), (name, measured, alarm["Threshold"])
    assert alarm["AlarmActions"] == [world.stack.outputs["AlarmTopicArn"]], alarm


def watches(world: World, name: str, namespace: str, metric: str, dimension: dict) -> None:
    """The emulator has no metric of answers: the alarm of the deployed template is of those that were seen."""
    alarm = deployed_alarm(world, name)
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == (namespace, metric, 1), alarm
    assert dimension in alarm["Dimensions"], alarm
    assert alarm["AlarmActions"] == [world.stack.outputs["AlarmTopicArn"]], alarm


def deployed_alarm(world: World, name: str) -> dict:
    cloudformation = boto3.client("cloudformation")
    resource = cloudformation.describe_stack_resource(StackName=world.stack.name, LogicalResourceId=name)
    physical = resource["StackResourceDetail"]["PhysicalResourceId"]
    [alarm] = boto3.client("cloudwatch").describe_alarms(AlarmNames=[physical])["MetricAlarms"]
    return alarm


def measure(world: World, alarm: dict) -> float:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    match alarm["Namespace"], alarm["MetricName"]:
        case "AWS/SQS", "ApproximateNumberOfMessagesVisible":
            url = world.stack.sqs.get_queue_url(QueueName=dimensions["QueueName"])["QueueUrl"]
            names = ["ApproximateNumberOfMessages"]
            attributes = world.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return float(attributes["ApproximateNumberOfMessages"])
        case "AWS/Lambda", metric:
            points = boto3.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=alarm["Dimensions"],
                StartTime=time.time() - alarm["Period"],
                EndTime=time.time() + 1,
                Period=alarm["Period"],
                Statistics=[alarm["Statistic"]],
            )["Datapoints"]
            return max((point[alarm["Statistic"]] for point in points), default=0.0)
        case other:
            raise AssertionError(f"cannot measure {other}")


def play_again(world: World, queue: str) -> None:
    """`aws sqs start-message-move-task`, as in docs/operations.md. The emulator has no such call: there the messages
    are moved one by one, under new ids and with no receives, which is what SQS does."""
    url, source = (world.stack.queue(name) for name in (f"{queue}-dlq", queue))
    arn = world.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        world.stack.sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=10)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"].startswith("InvalidAction"), error
        while messages := world.stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                world.stack.sqs.send_message(QueueUrl=source, MessageBody=message["Body"])
                world.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert dead_letters(world, queue) == 0, world.stack.queues()


def throw_away(world: World, queue: str) -> None:
    world.stack.sqs.purge_queue(QueueUrl=world.stack.queue(queue))


def came_again(world: World, function: str, said: str = "message will be delivered again") -> int:
    """How many deliveries a function has given back so far."""
    return world.stack.log(function).count(f'"message":"{said}"')


# ---- The failures


def an_unreadable_message_ends_in_the_dead_letters(world: World) -> None:
    """And holds up nothing beside it. Played again it comes back: only taking it out helps."""
    alice, bob = couple()
    befriend(world, alice, bob)
    for queue in WORK_QUEUES:
        world.stack.sqs.send_message(QueueUrl=world.stack.queue(queue), MessageBody=UNREADABLE)
    subscribe(world, bob)
    the_credit_waits(world, alice)
    for failed in (came_again(world, name, "message failed") for name in WORKERS):
        assert failed >= 8, failed
    for queue in WORK_QUEUES:
        was_given_up(world, queue)
        assert dead_letters(world, queue) == 1, world.stack.queues()
    for queue in WORK_QUEUES:
        play_again(world, queue)
    world.drain()
    for queue in WORK_QUEUES:
        was_given_up(world, queue)
        throw_away(world, f"{queue}-dlq")
    subscribe(world, alice)
    is_settled(world, alice, bob)


def a_webhook_without_its_secret_lets_stripe_deliver_again(world: World) -> None:
    """Without its secret the webhook takes nothing, and says so with a 5XX: Stripe keeps the event."""
    alice, bob = couple()
    befriend(world, alice, bob)
    refused = len(world.events())
    world.act("stripe/hold", hold=True)
    world.act("stripe/subscribe", user_id=bob.id, plan="fang")
    events = world.events()[refused:]
    with world.stack.variables("stripe-webhook", GUERDON_SECRETS_PREFIX="/guerdon/nowhere/"):
        for body in events:
            status, answer = world.stripe_delivers(body)
            assert 500 <= status <= 599, (status, answer)
    api = world.stack.url("StripeWebhookUrl").split("/execute-api/")[1].split("/")[0]
    watches(world, "ApiErrorsAlarm", "AWS/ApiGateway", "5xx", {"Name": "ApiId", "Value": api})
    world.drain()
    assert world.user(alice)["converted"] == 0
    for body in events:
        world.stripe_signed(body)
    world.act("stripe/hold", hold=False)
    world.drain()
    the_credit_waits(world, alice)
    subscribe(world, alice)
    is_settled(world, alice, bob)


def a_worker_that_cannot_start_loses_no_payment(world: World) -> None:
    """Without its secret each run is an error, and whole batches come again."""
    alice, bob = couple()
    befriend(world, alice, bob)
    with world.stack.variables("commission-worker", GUERDON_SECRETS_PREFIX="/guerdon/nowhere/"):
        _, failed = world.stack.invoke("commission-worker", {"Records": []})
        assert failed, "the worker works without its secret"
        subscribe(world, bob)
        user = world.user(alice)
        assert (user["credit_balance"], user["converted"]) == (0.0, 0), user
        was_given_up(world, "payments", at_least=2)
        # The emulator counts only the errors of synchronous invocations, and the alarm looks at the last minute.
        world.stack.invoke("commission-worker", {"Records": []})
        rings(world, "CommissionWorkerErrorsAlarm")
    play_again(world, "payments")
    world.drain()
    the_credit_waits(world, alice)
    subscribe(world, alice)
    is_settled(world, alice, bob)


def a_biller_that_cannot_start_loses_no_credit(world: World) -> None:
    """Likewise: what was earned is posted once the dead letters are played again."""
    alice, bob = couple()
    befriend(world, alice, bob)
    with world.stack.variables("billing-worker", GUERDON_SECRETS_PREFIX="/guerdon/nowhere/"):
        _, failed = world.stack.invoke("billing-worker", {"Records": []})
        assert failed, "the worker works without its secret"
        for person in (bob, alice):
            subscribe(world, person)
        was_given_up(world, "credits", at_least=2)
        world.stack.invoke("billing-worker", {"Records": []})
        rings(world, "BillingWorkerErrorsAlarm")
    play_again(world, "credits")
    world.drain()
    is_settled(world, alice, bob)


def a_relay_that_cannot_start_loses_no_event(world: World) -> None:
    """The stream is not read on until the relay has taken it; what has become too old meanwhile is reported."""
    for given_up in (False, True):
        alice, bob = couple()
        befriend(world, alice, bob)
        world.drain()
        [relay] = [trigger for trigger in world.stack.triggers if trigger.function.endswith("-event-relay")]
        four_hours, failures = relay.properties["MaximumRecordAgeInSeconds"], len(relay.failures)
        with world.stack.variables("event-relay", GUERDON_EVENT_BUS=None):
            relay.properties["MaximumRecordAgeInSeconds"] = 3 if given_up else four_hours
            world.act("stripe/subscribe", user_id=bob.id, plan="fang")
            wait_until(lambda: len(relay.failures) >= failures + 3, "the relay fails")
            rings(world, "EventRelayErrorsAlarm")
            if given_up:
                world.drain()
                rings(world, "EventRelayDeadLettersAlarm")
            relay.properties["MaximumRecordAgeInSeconds"] = four_hours
        world.drain()
        if given_up:
            assert not any("You earned" in text for text in world.texts(alice)), "the notice cannot have been sent"
            play_batches_again(world, "event-relay")
        the_credit_waits(world, alice)
        subscribe(world, alice)
        is_settled(world, alice, bob)


def play_batches_again(world: World, function: str) -> None:
    """As docs/operations.md does: the dead letter says where in the stream the records are."""
    streams, url = boto3.client("dynamodbstreams"), world.stack.queue(f"{function}-dlq")
    while messages := world.stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            batch = json.loads(message["Body"])["DDBStreamBatchInfo"]
            iterator = streams.get_shard_iterator(
                StreamArn=batch["streamArn"],
                ShardId=batch["shardId"],
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=batch["startSequenceNumber"],
            )["ShardIterator"]
            records = streams.get_records(ShardIterator=iterator, Limit=100)["Records"]
            last = batch["endSequenceNumber"]
            lost = [record for record in records if int(record["dynamodb"]["SequenceNumber"]) <= int(last)]
            assert lost and lost[-1]["dynamodb"]["SequenceNumber"] == last, (batch, len(records))
            answer, failed = world.stack.invoke(function, {"shardId": batch["shardId"], "Records": plain(lost)})
            assert not failed and answer["batchItemFailures"] == [], answer
            world.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    world.drain()


def a_scheduled_run_that_fails_is_tried_thrice_and_reported(world: World) -> None:
    functions = boto3.client("lambda")
    for function in ("ledger-verifier", "hold-release", "code-expiry"):
        before = world.stack.queues()["schedules-dlq"]
        with world.stack.variables(function, GUERDON_TABLE=None):
            name = f"{world.stack.name}-{function}"
            # The template says it of the alias; the emulator follows what is said of the function itself.
            said = functions.get_function_event_invoke_config(FunctionName=name, Qualifier=ALIAS)
            kept = {key: said[key] for key in ("MaximumRetryAttempts", "DestinationConfig")}
            functions.put_function_event_invoke_config(FunctionName=name, **kept)
            functions.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
            wait_until(lambda: world.stack.queues()["schedules-dlq"] > before, f"{function}'s run is reported")
            _, failed = world.stack.invoke(function, {})
            assert failed, f"{function} works without a table"
        rings(world, f"{function.title().replace('-', '')}ErrorsAlarm")
    rings(world, "SchedulesDeadLettersAlarm")
    # There is nothing to play again: the next run does the work.
    throw_away(world, "schedules-dlq")


def a_throttled_table_delays_and_then_gives_up_but_loses_nothing(world: World) -> None:
    alice, bob = couple()
    befriend(world, alice, bob)
    with proxy(ENDPOINT, throttle_every_other) as table:
        with world.stack.variables("commission-worker", AWS_ENDPOINT_URL=table.url):
            subscribe(world, bob)
            the_credit_waits(world, alice)
            assert table.spoiled, "nothing was throttled"
            assert dead_letters(world, "payments") == 0, world.stack.queues()
            again = came_again(world, "commission-worker")
            table.fault = throttle
            subscribe(world, alice)
            was_given_up(world, "payments")
            assert came_again(world, "commission-worker") - again >= 8
            the_throttles_alarm_counts(world, dict(table.spoiled))
    play_again(world, "payments")
    world.drain()
    is_settled(world, alice, bob)


def a_throttled_table_lets_telegram_deliver_again(world: World) -> None:
    """The bot says 5XX, and Telegram keeps the update."""
    alice, bob = couple()
    acquaint(world, alice, bob)
    update = world.message(bob, f"/start ref_{world.code_of(alice)}")
    with proxy(ENDPOINT, throttle) as table, world.stack.variables("telegram-webhook", AWS_ENDPOINT_URL=table.url):
        status, answer = world.telegram_delivers(update)
        assert 500 <= status <= 599, (status, answer)
        assert table.spoiled, "nothing was throttled"
    function = {"Name": "FunctionName", "Value": f"{world.stack.name}-telegram-webhook"}
    watches(world, "TelegramWebhookFailuresAlarm", "AWS/Lambda", "Url5xxCount", function)
    assert f"{alice.name} invited you" in world.update(update)["text"]
    assert world.update(update) == {}, "an update that was answered is not answered again"
    for person in (bob, alice):
        subscribe(world, person)
    is_settled(world, alice, bob)


def the_throttles_alarm_counts(world: World, throttled: dict[str, int]) -> None:
    """The emulator has no metric math, so what the alarm adds up is compared with what was throttled."""
    alarm = world.stack.overlaid["Metadata"]["AlarmsWithMetricMath"]["TableThrottlesAlarm"]
    metrics = [entry["MetricStat"]["Metric"] for entry in alarm["Metrics"] if "MetricStat" in entry]
    assert {metric["MetricName"] for metric in metrics} == {"ThrottledRequests"}, metrics
    dimensions = [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in metrics]
    counted = sum(throttled.get(operation["Operation"], 0) for operation in dimensions)
    assert counted == sum(throttled.values()), f"{throttled} is more than {dimensions} counts"
    assert counted >= alarm["Threshold"], throttled


def stripe_that_fails_now_and_then_posts_once(world: World) -> None:
    """An error before the effect, one behind it, and answers that are lost on the way."""
    alice, bob = couple()
    befriend(world, alice, bob)
    subscribe(world, bob)
    the_credit_waits(world, alice)
    again = came_again(world, "billing-worker")
    with proxy(world.simulator, lose_the_first_answer) as stripe:
        with world.stack.variables("billing-worker", GUERDON_STRIPE_URL=f"{stripe.url}/sim/stripe/"):
            world.act("stripe/fail", next=1, status=500)
            subscribe(world, alice)
            world.act("stripe/fail", next=0)
    assert stripe.spoiled, "no answer was lost"
    assert came_again(world, "billing-worker") > again
    is_settled(world, alice, bob)


def stripe_is_down_until_the_credit_is_given_up(world: World, alice: Person, bob: Person) -> None:
    befriend(world, alice, bob)
    subscribe(world, bob)
    the_credit_waits(world, alice)
    again = came_again(world, "billing-worker")
    with proxy(world.simulator, hang_up) as stripe:
        with world.stack.variables("billing-worker", GUERDON_STRIPE_URL=f"{stripe.url}/sim/stripe/"):
            subscribe(world, alice)
            assert stripe.spoiled.total() >= 8, stripe.spoiled
    assert came_again(world, "billing-worker") - again >= 8
    assert credits_at_stripe(world, alice) == [], "Stripe was down"
    was_given_up(world, "credits")


def telegram_that_asks_for_a_pause_gets_each_message_once(world: World) -> None:
    alice, bob = couple()
    again = came_again(world, "notifier")
    world.act("telegram/fail", next=3, status=429, retry_after=1)
    befriend(world, alice, bob)
    world.drain()
    assert came_again(world, "notifier") - again == 3
    subscribe(world, bob)
    subscribe(world, alice)
    # Which counts the messages.
    is_settled(world, alice, bob)


def telegram_asks_for_a_pause_until_the_message_is_given_up(world: World, alice: Person, bob: Person) -> None:
    befriend(world, alice, bob)
    world.drain()
    again = came_again(world, "notifier")
    world.act("telegram/fail", next=1_000_000, status=429, retry_after=5)
    subscribe(world, bob)
    world.act("telegram/fail", next=0)
    assert came_again(world, "notifier") - again >= 8
    assert not any("You earned" in text for text in world.texts(alice)), world.texts(alice)
    was_given_up(world, "notifications")
    the_credit_waits(world, alice)


def what_was_given_up_is_played_again_and_counts_once(world: World, credit: Couple, news: Couple) -> None:
    for queue in WORK_QUEUES:
        play_again(world, queue)
    world.drain()
    is_settled(world, *credit)
    subscribe(world, news[0])
    is_settled(world, *news)


# ---- The books


def is_settled(world: World, alice: Person, bob: Person) -> None:
    """The expected end of every scenario: $10 off Alice's next bill, one message, and one posting at Stripe."""
    the_credit_is_taken_off_the_bill(world, alice, bob)
    posted = credits_at_stripe(world, alice)
    assert [entry["amount"] for entry in posted] == [-1000], posted


def credits_at_stripe(world: World, person: Person) -> list[dict]:
    """The credit that we posted, by Stripe's books."""
    lines = world.look(f"stripe/customers/{world.user(person)['stripe_customer']}")["balance_transactions"]
    return [line for line in lines if "guerdon_posting" in line["metadata"]]


def the_books_are_exact(world: World) -> None:
    """Each invoice that was paid is one payment; each couple has one commission, which is released; and the verifier,
    which recomputes everything, finds no difference."""
    items = [{name: value.get("S") for name, value in item.items()} for item in world.stack.items()]
    payments = [item for item in items if item.get("type") == "payment"]
    events = map(json.loads, world.events())
    paid = {event["data"]["object"]["id"] for event in events if event["type"] == "invoice.paid"}
    assert len(payments) == len(paid), f"{len(paid)} invoices were paid, {len(payments)} payments are booked"
    commissions = [item["state"] for item in items if item.get("type") == "commission"]
    assert commissions == ["released"] * (next(numbers)), commissions
    until = time.monotonic() + 60
    while time.monotonic() < until:
        report, failed = world.stack.invoke("ledger-verifier", {})
        assert not failed, report
        if report["finished"] and report["payments"] == len(payments):
            return
    raise AssertionError(f"the verifier has not read {len(payments)} payments in one run: {report}")


def wait_until(happened, what: str, patience_seconds: float = 60) -> None:
    until = time.monotonic() + patience_seconds
    while not happened():
        assert time.monotonic() < until, f"not in {patience_seconds} s: {what}"
        time.sleep(0.5)


def show(check, world: World, *people) -> None:
    began = time.monotonic()
    check(world, *people)
    print(f"ok   {check.__name__} ({time.monotonic() - began:.0f} s)", flush=True)


def main() -> None:
    with worlds(pathlib.Path(sys.argv[1]), sys.argv[2:]) as [world]:
        # Eight deliveries take a while.
        world.stack.patience_seconds = 120.0
        show(an_unreadable_message_ends_in_the_dead_letters, world)
        credit, news = couple(), couple()
        show(stripe_is_down_until_the_credit_is_given_up, world, *credit)
        show(telegram_asks_for_a_pause_until_the_message_is_given_up, world, *news)
        over = time.monotonic() + LEASE_SECONDS
        for check in (
            stripe_that_fails_now_and_then_posts_once,
            telegram_that_asks_for_a_pause_gets_each_message_once,
            a_webhook_without_its_secret_lets_stripe_deliver_again,
            a_worker_that_cannot_start_loses_no_payment,
            a_biller_that_cannot_start_loses_no_credit,
            a_relay_that_cannot_start_loses_no_event,
            a_throttled_table_delays_and_then_gives_up_but_loses_nothing,
            a_throttled_table_lets_telegram_deliver_again,
        ):
            show(check, world)
        time.sleep(max(0.0, over - time.monotonic()))
        show(what_was_given_up_is_played_again_and_counts_once, world, credit, news)
        show(a_scheduled_run_that_fails_is_tried_thrice_and_reported, world)
        show(the_books_are_exact, world)
        show(nothing_was_given_up, world)


if __name__ == "__main__":
    main()
