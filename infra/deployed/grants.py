"""What AWS does under a role of the stack while the emulator just does it: polling for a function, starting one,
leaving messages, writing logs, decrypting. Each role is asked whether it might (iam:SimulatePrincipalPolicy)."""

from collections.abc import Iterator

import boto3

from stack import Stack
from stream import ALIAS
from world import World

POLL_QUEUE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
POLL_STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
WRITE_LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
TRACE = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]

# A role, what it must be allowed to do, on what.
Need = tuple[str, list[str], str]


def needs(stack: Stack) -> Iterator[Need]:
    functions = boto3.client("lambda")
    named = [f for f in functions.list_functions()["Functions"] if f["FunctionName"].startswith(f"{stack.name}-")]
    assert named, f"{stack.name} has no functions"
    key = boto3.client("kms").describe_key(KeyId=stack.outputs["KeyAlias"])["KeyMetadata"]["Arn"]
    account = named[0]["FunctionArn"].split(":")[4]
    for function in named:
        yield from of_function(function, key)
        if is_scheduled(stack, function):
            name = {"FunctionName": function["FunctionName"], "Qualifier": ALIAS}
            config = functions.get_function_event_invoke_config(**name)
            yield from of_dead_letters(function, config["DestinationConfig"]["OnFailure"]["Destination"], key)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        for function in named:
            if mapping["FunctionArn"] == f"{function['FunctionArn']}:{ALIAS}":
                yield function["Role"], POLL_QUEUE, mapping["EventSourceArn"]
    for trigger in stack.triggers:
        function = functions.get_function_configuration(FunctionName=trigger.function)
        yield function["Role"], POLL_STREAM, trigger.stream
        queue = f"arn:aws:sqs:{stack.region}:{account}:{trigger.function}-dlq"
        yield from of_dead_letters(function, queue, key)
    yield from of_schedules(stack)


def is_scheduled(stack: Stack, function: dict) -> bool:
    return any(schedule["Target"]["Arn"] == f"{function['FunctionArn']}:{ALIAS}" for schedule in schedules(stack))


def of_function(function: dict, key: str) -> Iterator[Need]:
    role, group = function["Role"], function["LoggingConfig"]["LogGroup"]
    region, account = function["FunctionArn"].split(":")[3:5]
    yield role, WRITE_LOGS, f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    yield role, TRACE, "*"
    yield role, ["kms:Decrypt"], key
    # Who sends to an encrypted queue makes a key for each message.
    queue = function["Environment"]["Variables"].get("GUERDON_PAYMENTS_QUEUE_URL")
    if queue:
        yield role, ["sqs:SendMessage"], f"arn:aws:sqs:{region}:{account}:{queue.rpartition('/')[2]}"
        yield role, ["kms:GenerateDataKey"], key


def of_dead_letters(function: dict, queue: str, key: str) -> Iterator[Need]:
    """The queue is encrypted with the stack's key, and so are the function's settings."""
    yield function["Role"], ["sqs:SendMessage"], queue
    yield function["Role"], ["kms:GenerateDataKey", "kms:Decrypt"], key


def schedules(stack: Stack) -> list[dict]:
    scheduler = boto3.client("scheduler")
    listed = scheduler.list_schedules(NamePrefix=f"{stack.name}-")["Schedules"]
    return [scheduler.get_schedule(Name=schedule["Name"]) for schedule in listed]


def of_schedules(stack: Stack) -> Iterator[Need]:
    for schedule in schedules(stack):
        target = schedule["Target"]
        yield target["RoleArn"], ["lambda:InvokeFunction"], target["Arn"]
        yield target["RoleArn"], ["sqs:SendMessage"], target["DeadLetterConfig"]["Arn"]


def roles_may_what_aws_does_under_them(world: World) -> None:
    iam = boto3.client("iam")
    refused = set()
    for role, actions, resource in needs(world.stack):
        results = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource])
        for result in results["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                refused.add(f"{role.rpartition('/')[2]} may not {result['EvalActionName']} on {resource}")
    assert not refused, "\n".join(sorted(refused))
