"""A deployed stack, seen from outside: its URLs, its queues, its functions. Speaks to what AWS_ENDPOINT_URL names."""

import contextlib
import json
import os
import pathlib
import re
import time
from collections.abc import Iterator

import boto3

from stream import ALIAS, StreamTrigger

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
# Secrets shared by the simulator and the functions. They are generated and give no access outside this machine.
SECRETS = {
    "telegram-bot-token": "TELEGRAM_BOT_TOKEN",
    "telegram-webhook-secret": "TELEGRAM_WEBHOOK_SECRET",
    "stripe-api-key": "STRIPE_API_KEY",
    "stripe-webhook-secret": "STRIPE_WEBHOOK_SECRET",
    "admin-token": "ADMIN_TOKEN",
    "pseudonym-key": "GUERDON_PSEUDONYM_KEY",
    "token-key": "GUERDON_TOKEN_KEY",
    "super-admin-password": "SUPER_ADMIN_PASSWORD",
}


def set_variables(function: str, **changes: str | None) -> None:
    """Changes a function's environment; what is None is taken out. That is a new version, which the alias moves to."""
    functions = boto3.client("lambda")
    variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"] | changes
    left = {name: value for name, value in variables.items() if value is not None}
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": left})
    version = functions.publish_version(FunctionName=function)["Version"]
    functions.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=version)


class Stack:
    """One deployment, with the triggers that the overlay took out of it."""

    def __init__(self, name: str, overlaid: pathlib.Path) -> None:
        self.name = name
        self.overlaid = json.loads(overlaid.read_text(encoding="utf-8"))
        described = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described["Parameters"]}
        self.region = os.environ["AWS_REGION"]
        self.sqs = boto3.client("sqs")
        self.patience_seconds = 60.0
        self.triggers: list[StreamTrigger] = []

    def url(self, output: str) -> str:
        """An output's URL as the emulator serves it: by path, because its host names resolve nowhere."""
        kind = r"https://([a-z0-9]+)\.(lambda-url|execute-api)\.[^/]+/(.*)"
        identifier, service, path = re.fullmatch(kind, self.outputs[output]).groups()
        stage = "$default/" if service == "execute-api" else ""
        return f"{ENDPOINT}/_aws/{service}/{identifier}/{stage}{path}"

    def put_secrets(self) -> None:
        ssm = boto3.client("ssm")
        for name, variable in SECRETS.items():
            ssm.put_parameter(
                Name=self.parameters["SecretsPrefix"] + name,
                Value=os.environ[variable],
                Type="SecureString",
                KeyId=self.outputs["KeyAlias"],
                Overwrite=True,
            )

    def start_triggers(self) -> None:
        table = boto3.client("dynamodb").describe_table(TableName=self.outputs["TableName"])["Table"]
        for resource in self.overlaid["Resources"].values():
            properties = resource.get("Metadata", {}).get("Stream")
            if properties:
                function = resource["Properties"]["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", self.name)
                self.triggers.append(StreamTrigger(function, table["LatestStreamArn"], properties))

    def stop_triggers(self) -> None:
        for trigger in self.triggers:
            trigger.stop()

    @contextlib.contextmanager
    def variables(self, function: str, **changes: str | None) -> Iterator[None]:
        """A function with other settings for a while."""
        name = f"{self.name}-{function}"
        before = boto3.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        set_variables(name, **changes)
        try:
            yield
        finally:
            set_variables(name, **{variable: before.get(variable) for variable in changes})

    def invoke(self, function: str, event: dict) -> tuple[object, bool]:
        """What a function answers, and whether that is an error."""
        name = f"{self.name}-{function}"
        answer = boto3.client("lambda").invoke(FunctionName=name, Qualifier=ALIAS, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read() or b"null"), "FunctionError" in answer

    def queue(self, name: str) -> str:
        """A queue's URL."""
        return self.sqs.get_queue_url(QueueName=f"{self.name}-{name}")["QueueUrl"]

    def queues(self) -> dict[str, int]:
        """Messages in each queue, those that are being worked on included."""
        counts = {}
        for url in self.sqs.list_queues(QueueNamePrefix=f"{self.name}-").get("QueueUrls", []):
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            counts[url.rsplit(f"{self.name}-")[-1]] = sum(int(attributes[name]) for name in names)
        return counts

    def drain(self) -> None:
        """Waits until nothing moves any more."""
        until = time.monotonic() + self.patience_seconds
        quiet = 0
        while quiet < 3:
            if time.monotonic() > until:
                raise AssertionError(f"the stack does not come to rest: {self.queues()}")
            rounds = [trigger.idle_rounds for trigger in self.triggers]
            time.sleep(0.25)
            # A trigger that did work in the meantime starts counting anew.
            idle = all(trigger.idle_rounds > before for trigger, before in zip(self.triggers, rounds, strict=True))
            working = {name: count for name, count in self.queues().items() if not name.endswith("-dlq")}
            quiet = quiet + 1 if idle and not any(working.values()) else 0

    def log(self, function: str) -> str:
        """What a function has logged so far."""
        pages = boto3.client("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/{self.name}-{function}"
        return "\n".join(event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"])

    def wait_for_log(self, function: str, text: str, patience_seconds: float = 120) -> None:
        until = time.monotonic() + patience_seconds
        while text not in self.log(function):
            assert time.monotonic() < until, f"{function} has not said {text!r}, but: {self.log(function)}"
            time.sleep(1)

    def fall_due(self, *items: dict) -> None:
        """Moves items to the head of their due queue, so that no test waits for an hour or a year."""
        for item in items:
            boto3.client("dynamodb").update_item(
                TableName=self.outputs["TableName"],
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET gsi2sk = :then",
                ExpressionAttributeValues={":then": {"N": str(int(time.time() - 86_400) * 1000)}},
            )

    def items(self) -> list[dict]:
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        return [item for page in pages for item in page["Items"]]
