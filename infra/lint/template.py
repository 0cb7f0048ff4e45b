"""Rules of ours for template.yaml that cfn-lint does not know.

Usage: template.py template.yaml

Each rule yields sentences about what is wrong; any sentence fails the run.
"""

import json
import pathlib
import re
import sys
from collections.abc import Iterator

from samtranslator.yaml_helper import yaml_parse

FUNCTION = "AWS::Serverless::Function"
# The only actions that know no narrower resource than everything.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# A provider's credential is read by those who call it. The webhook ends the progress indicators of tapped buttons.
CALLERS = {
    "stripe-api-key": {"BillingWorkerRole"},
    "telegram-bot-token": {"NotifierRole", "TelegramWebhookRole"},
}
# The verifier recounts the whole table, so it may scan it.
SCANNERS = {"LedgerVerifierRole"}


class Template:
    """The parsed template; intrinsic functions are one-entry objects such as `{"Ref": "Key"}`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.folder = path.parent
        document = yaml_parse(path.read_text(encoding="utf-8"))
        self.resources = document["Resources"]
        self.parameters = document["Parameters"]
        self.globals = document["Globals"]["Function"]

    def of_type(self, kind: str) -> dict:
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == kind}

    def function_property(self, properties: dict, name: str):
        return properties.get(name, self.globals.get(name))

    def number(self, value) -> int:
        """A number, also one behind `!If [_, number, _]` or a parameter's default."""
        if isinstance(value, dict) and "Fn::If" in value:
            return self.number(value["Fn::If"][1])
        if isinstance(value, dict) and "Ref" in value:
            return int(self.parameters[value["Ref"]]["Default"])
        return int(value)


def target(value) -> str:
    """The logical id that `!Ref X` or `!GetAtt X.Arn` names."""
    if isinstance(value, dict) and "Ref" in value:
        return value["Ref"]
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        return (attribute if isinstance(attribute, list) else attribute.split("."))[0]
    return ""


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def kebab(logical_id: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"-\1", logical_id).lower()


def functions_agree_with_folders(template: Template) -> Iterator[str]:
    folders = {path.parent.name for path in template.folder.glob("functions/*/Cargo.toml")}
    functions = template.of_type(FUNCTION)
    names = {kebab(name) for name in functions}
    yield from (f"functions/{name} has no function in the template" for name in sorted(folders - names))
    yield from (f"{name} in the template has no folder in functions/" for name in sorted(names - folders))
    for name, properties in functions.items():
        if properties["CodeUri"] != f"functions/{kebab(name)}/":
            yield f"{name}: CodeUri is {properties['CodeUri']}"
        if template.resources[name]["Metadata"]["BuildProperties"]["Binary"] != kebab(name):
            yield f"{name}: Binary is not {kebab(name)}"


def functions_stand_alone(template: Template) -> Iterator[str]:
    """Each has its own role and its own log group that expires and is encrypted."""
    groups = template.of_type("AWS::Logs::LogGroup")
    for name, properties in template.of_type(FUNCTION).items():
        if target(properties["Role"]) != f"{name}Role":
            yield f"{name}: Role is not {name}Role"
        group = groups.get(target(properties["LoggingConfig"]["LogGroup"]), {})
        if not {"RetentionInDays", "KmsKeyId"} <= group.keys():
            yield f"{name}: its log group has no retention or no key"


def policies_name_exact_actions(template: Template) -> Iterator[str]:
    policies = {
        name: [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        for name, role in template.of_type("AWS::IAM::Role").items()
    }
    for name, policy in template.of_type("AWS::IAM::ManagedPolicy").items():
        policies[name] = [policy["PolicyDocument"]]
    for name, documents in policies.items():
        for statement in (s for document in documents for s in document["Statement"]):
            actions = set(listed(statement["Action"]))
            yield from (f"{name}: {a} is not one exact action" for a in sorted(actions) if "*" in a)
            if "dynamodb:Scan" in actions and name not in SCANNERS:
                yield f"{name}: only {', '.join(sorted(SCANNERS))} may scan the table"
            if "dynamodb:BatchGetItem" in actions and "dynamodb:GetItem" not in actions:
                yield f"{name}: {statement['Sid']} lacks dynamodb:GetItem, with which the store asks for one item alone"
            if "*" in listed(statement["Resource"]) and not actions <= WITHOUT_RESOURCE:
                yield f"{name}: {statement['Sid']} is for every resource"


def queues_and_consumers_fit(template: Template) -> Iterator[str]:
    queues = template.of_type("AWS::SQS::Queue")
    for name, function in template.of_type(FUNCTION).items():
        concurrency = 0
        timeout = template.number(template.function_property(function, "Timeout"))
        for event in (e["Properties"] for e in function.get("Events", {}).values() if e["Type"] == "SQS"):
            source = target(event["Queue"])
            concurrency += event["ScalingConfig"]["MaximumConcurrency"]
            if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                yield f"{name}: {source} does not report batch item failures"
            if queues[source]["VisibilityTimeout"] < 6 * timeout + event.get("MaximumBatchingWindowInSeconds", 0):
                yield f"{source}: visible again before {name} can have ended (6 times its timeout)"
            redrive = queues[source].get("RedrivePolicy", {})
            if redrive.get("maxReceiveCount", 0) < 5:
                yield f"{source}: fewer than 5 receives before its dead letters"
            letters = queues.get(target(redrive.get("deadLetterTargetArn")), {})
            if letters.get("MessageRetentionPeriod", 0) <= queues[source]["MessageRetentionPeriod"]:
                yield f"{source}: its dead letters are not kept longer than its messages"
        if concurrency > template.number(function["ReservedConcurrentExecutions"]):
            yield f"{name}: reserves less than its queues' maxima together ({concurrency})"


def queues_have_one_consumer_and_consumers_one_queue(template: Template) -> Iterator[str]:
    """A function that read two queues would have to guess the format of a message."""
    consumers: dict[str, str] = {}
    for name, function in template.of_type(FUNCTION).items():
        sources = [target(e["Properties"]["Queue"]) for e in function.get("Events", {}).values() if e["Type"] == "SQS"]
        if len(sources) > 1:
            yield f"{name}: consumes {' and '.join(sources)}"
        for source in sources:
            if consumers.setdefault(source, name) != name:
                yield f"{source}: consumed by {consumers[source]} and {name}"


def credentials_are_read_by_their_callers(template: Template) -> Iterator[str]:
    for name, role in template.of_type("AWS::IAM::Role").items():
        for secret, callers in CALLERS.items():
            if secret in str(role.get("Policies", [])) and name not in callers:
                yield f"{name}: only {' and '.join(sorted(callers))} may read {secret}"


def streams_can_fail_in_part(template: Template) -> Iterator[str]:
    for name, function in template.of_type(FUNCTION).items():
        for event in (e["Properties"] for e in function.get("Events", {}).values() if e["Type"] == "DynamoDB"):
            if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                yield f"{name}: its stream does not report batch item failures"
            if not event.get("BisectBatchOnFunctionError") or "DestinationConfig" not in event:
                yield f"{name}: its stream does not bisect or has no on-failure destination"


def queues_are_encrypted_and_tls_only(template: Template) -> Iterator[str]:
    closed = set()
    for policy in template.of_type("AWS::SQS::QueuePolicy").values():
        if any(s["Effect"] == "Deny" and "aws:SecureTransport" in str(s) for s in policy["PolicyDocument"]["Statement"]):
            closed |= {target(queue) for queue in policy["Queues"]}
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        if "KmsMasterKeyId" not in queue:
            yield f"{name}: not encrypted with our key"
        if name not in closed:
            yield f"{name}: no policy refuses it without TLS"


def failures_raise_alarms(template: Template) -> Iterator[str]:
    watched = {
        (alarm.get("MetricName"), target(dimension["Value"]))
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
    }
    wanted = [(metric, name) for name in template.of_type(FUNCTION) for metric in ("Errors", "Throttles")]
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        is_work = "RedrivePolicy" in queue
        wanted.append(("ApproximateAgeOfOldestMessage" if is_work else "ApproximateNumberOfMessagesVisible", name))
    yield from (f"{name}: no alarm on {metric}" for metric, name in wanted if (metric, name) not in watched)


def schedules_are_complete(template: Template) -> Iterator[str]:
    for name, function in template.of_type(FUNCTION).items():
        for event in (e["Properties"] for e in function.get("Events", {}).values() if e["Type"] == "ScheduleV2"):
            # cfn-lint lets `rate(1 hours)` through, Scheduler does not.
            expression = event["ScheduleExpression"]
            if not re.fullmatch(r"cron\(\S+( \S+){5}\)|rate\((1 (minute|hour|day)|([2-9]|\d\d+) (minute|hour|day)s)\)", expression):
                yield f"{name}: {expression} is not a schedule"
            missing = {"Name", "RoleArn", "RetryPolicy", "DeadLetterConfig"} - event.keys()
            yield from (f"{name}: its schedule has no {key}" for key in sorted(missing))
            # Named by name there, because the functions' schedules need the role.
            role = template.resources.get(target(event.get("RoleArn")), {})
            if f":function:${{AWS::StackName}}-{kebab(name)}:{template.globals['AutoPublishAlias']}'" not in str(role):
                yield f"{name}: the role of its schedule may not start it"


def alarms_are_in_the_runbook(template: Template) -> Iterator[str]:
    """Each alarm has its row in the runbook's tables, and each row its alarm."""
    alarms = set(template.of_type("AWS::CloudWatch::Alarm"))
    page = template.folder / "docs" / "operations.md"
    rows = set(re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    yield from (f"{name}: docs/operations.md has no row for it" for name in sorted(alarms - rows))
    stale = {row for row in rows - alarms if row.endswith("Alarm")}
    yield from (f"{name}: in docs/operations.md, but no alarm of the template" for name in sorted(stale))


def dashboard_is_one_of_the_free_ones(template: Template) -> Iterator[str]:
    """AWS gives an account's first three away while they have 50 metrics or fewer."""
    for name, dashboard in template.of_type("AWS::CloudWatch::Dashboard").items():
        body = json.loads(re.sub(r"\$\{[\w:.]+\}", "x", dashboard["DashboardBody"]["Fn::Sub"]))
        metrics = sum(len(widget["properties"]["metrics"]) for widget in body["widgets"])
        if metrics > 50:
            yield f"{name}: {metrics} metrics"


RULES = [
    functions_agree_with_folders,
    functions_stand_alone,
    policies_name_exact_actions,
    queues_and_consumers_fit,
    queues_have_one_consumer_and_consumers_one_queue,
    credentials_are_read_by_their_callers,
    streams_can_fail_in_part,
    queues_are_encrypted_and_tls_only,
    failures_raise_alarms,
    schedules_are_complete,
    alarms_are_in_the_runbook,
    dashboard_is_one_of_the_free_ones,
]


def main() -> int:
    template = Template(pathlib.Path(sys.argv[1]).resolve())
    wrong = [sentence for rule in RULES for sentence in rule(template)]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if not wrong:
        print(f"{len(template.of_type(FUNCTION))} functions, {len(RULES)} rules, nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
