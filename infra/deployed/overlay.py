"""The overlay: what the emulator cannot do is changed here, in a copy of the template. template.yaml stays as it is.

Usage: overlay.py TEMPLATE FUNCTIONS SIMULATOR_URL VISIBILITY_SECONDS > overlaid.json

FUNCTIONS is a folder with <function>/bootstrap; VISIBILITY_SECONDS is how long a queue waits before it delivers a
message again. One transformation per shortcoming, each with its reason.
"""

import json
import os
import pathlib
import sys

from samtranslator.yaml_helper import yaml_parse

FUNCTION = "AWS::Serverless::Function"
ALARM = "AWS::CloudWatch::Alarm"


def of_type(template: dict, kind: str) -> dict:
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def take_built_code(template: dict, functions: pathlib.Path) -> None:
    """The binaries are there already: SAM packs and uploads them, but compiles nothing."""
    for resource in of_type(template, FUNCTION).values():
        binary = resource.pop("Metadata")["BuildProperties"]["Binary"]
        folder = functions / binary
        if not (folder / "bootstrap").is_file():
            sys.exit(f"overlay.py: {folder}/bootstrap is missing")
        resource["Properties"]["CodeUri"] = str(folder)


def call_the_simulator(template: dict, url: str) -> None:
    """Not a shortcoming: settings that the functions have, so that Telegram and Stripe are the simulator."""
    for name, variable, path in [
        ("Notifier", "GUERDON_TELEGRAM_URL", "/sim/telegram"),
        ("TelegramWebhook", "GUERDON_TELEGRAM_URL", "/sim/telegram"),
        ("BillingWorker", "GUERDON_STRIPE_URL", "/sim/stripe/"),
    ]:
        template["Resources"][name]["Properties"]["Environment"]["Variables"][variable] = url + path


def call_the_emulator(template: dict, url: str) -> None:
    """Not a shortcoming either: where the SDKs find what stands in for AWS. failures.py puts itself in between."""
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = url


def drop_alarms_with_metric_math(template: dict) -> None:
    """The emulator refuses `Metrics`. Nothing refers to an alarm. What they watch is kept as metadata."""
    kept = template["Metadata"].setdefault("AlarmsWithMetricMath", {})
    for name, resource in of_type(template, ALARM).items():
        if "Metrics" in resource["Properties"]:
            kept[name] = resource["Properties"]
            del template["Resources"][name]


def move_aliases_at_once(template: dict) -> None:
    """The emulator has versions and aliases, but no CodeDeploy to move one step by step."""
    for resource in of_type(template, FUNCTION).values():
        del resource["Properties"]["DeploymentPreference"]


def allow_plain_http(template: dict) -> None:
    """The emulator enforces `OnlyOverTls`, and has no certificate that the functions would trust."""
    for name, resource in list(template["Resources"].items()):
        document = resource["Properties"].get("PolicyDocument", {})
        statements = document.get("Statement", [])
        left = [statement for statement in statements if statement.get("Sid") != "OnlyOverTls"]
        if statements and not left:
            del template["Resources"][name]
        elif statements:
            document["Statement"] = left


def take_stream_triggers_out(template: dict) -> None:
    """The emulator's stream trigger knows no tumbling window, hence no shardId, and takes a partial failure for a
    success. stream.py delivers instead, by the properties that are kept here as metadata."""
    for resource in of_type(template, FUNCTION).values():
        events = resource["Properties"].get("Events", {})
        streams = {name: event for name, event in events.items() if event["Type"] == "DynamoDB"}
        for name, event in streams.items():
            properties = {key: value for key, value in event["Properties"].items() if key not in UNRESOLVED}
            resource.setdefault("Metadata", {})["Stream"] = properties
            del events[name]


# Intrinsic functions, which are not resolved in metadata.
UNRESOLVED = {"Stream", "DestinationConfig"}


def run_schedules_every_minute(template: dict) -> None:
    """A test does not wait for the next hour. Target, role and input stay."""
    for resource in of_type(template, FUNCTION).values():
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                event["Properties"]["ScheduleExpression"] = "rate(1 minute)"


def give_messages_back_soon(template: dict, seconds: int) -> None:
    """Nor does it wait six minutes for the second of two messages that met at the same credit, or 48 until a message
    has failed eight times. The eight stay."""
    for resource in of_type(template, "AWS::SQS::Queue").values():
        if "VisibilityTimeout" in resource["Properties"]:
            resource["Properties"]["VisibilityTimeout"] = seconds


def main() -> None:
    path, functions, simulator, visibility_seconds = sys.argv[1:]
    template = yaml_parse(pathlib.Path(path).read_text(encoding="utf-8"))
    take_built_code(template, pathlib.Path(functions).resolve())
    call_the_simulator(template, simulator)
    call_the_emulator(template, os.environ["AWS_ENDPOINT_URL"])
    drop_alarms_with_metric_math(template)
    move_aliases_at_once(template)
    allow_plain_http(template)
    take_stream_triggers_out(template)
    run_schedules_every_minute(template)
    give_messages_back_soon(template, int(visibility_seconds))
    json.dump(template, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
