"""Every action that a function's policy grants is needed: takes one away at a time and shows that something fails.

Usage: policies.py OVERLAID NAME=SIMULATOR_URL [FUNCTION...]

Each round has people of its own; its policy is put back behind it. What nothing misses is listed, and fails the run.
"""

import contextlib
import copy
import json
import pathlib
import sys
import time
from collections.abc import Iterator

import boto3

from grants import roles_may_what_aws_does_under_them
from journey import the_next_bill_is_ten_dollars_less, the_storm_ends_where_the_calm_does, worlds
from world import Person, World

# A function that was denied something does not get better by waiting.
PATIENCE_SECONDS = 10.0


class Policy:
    """The inline policy of one function's role."""

    def __init__(self, function: dict) -> None:
        self.iam = boto3.client("iam")
        self.function = function["FunctionName"]
        self.role = function["Role"].rpartition("/")[2]
        [self.name] = self.iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        self.document = self.iam.get_role_policy(RoleName=self.role, PolicyName=self.name)["PolicyDocument"]

    def actions(self) -> list[tuple[str, str]]:
        """Each action with its statement's Sid."""
        return [(s["Sid"], action) for s in self.document["Statement"] for action in listed(s["Action"])]

    @contextlib.contextmanager
    def without(self, sid: str, action: str) -> Iterator[None]:
        document = copy.deepcopy(self.document)
        for statement in document["Statement"]:
            if statement["Sid"] == sid:
                statement["Action"] = [granted for granted in listed(statement["Action"]) if granted != action]
        document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
        self.put(document)
        try:
            yield
        finally:
            self.put(self.document)

    def put(self, document: dict) -> None:
        self.iam.put_role_policy(RoleName=self.role, PolicyName=self.name, PolicyDocument=json.dumps(document))
        # Started anew, so that it reads its secrets again.
        functions = boto3.client("lambda")
        variables = functions.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        variables["GUERDON_POLICY_PUT_AT"] = str(time.time_ns())
        functions.update_function_configuration(FunctionName=self.function, Environment={"Variables": variables})


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def fails(check, *arguments) -> bool:
    try:
        check(*arguments)
    except Exception as error:  # Whatever it was: an assertion, an answer of 500, a queue that does not get empty.
        print(f"       {check.__name__}: {str(error)[:160]!r}", flush=True)
        return True
    return False


def is_missed(world: World, round_number: int) -> bool:
    names = ("Alice", "Bob", "Carol", "Dave")
    people = [Person(7_100_000_000 + 4 * round_number + n, f"{name}{round_number}") for n, name in enumerate(names)]
    return (
        fails(roles_may_what_aws_does_under_them, world)
        or fails(the_next_bill_is_ten_dollars_less, world, *people[:2])
        or fails(the_storm_ends_where_the_calm_does, world, *people[2:])
    )


def clear_up(world: World) -> None:
    """What failed would come again in the next round, after its time of invisibility."""
    for url in world.stack.sqs.list_queues(QueueNamePrefix=f"{world.stack.name}-")["QueueUrls"]:
        world.stack.sqs.purge_queue(QueueUrl=url)
    world.act("stripe/hold", hold=False)
    world.drain()


def main() -> None:
    overlaid, stack, *only = sys.argv[1:]
    superfluous = []
    with worlds(pathlib.Path(overlaid), [stack]) as [world]:
        assert not is_missed(world, 0), "something fails although nothing was taken away"
        functions = boto3.client("lambda").list_functions()["Functions"]
        policies = [Policy(function) for function in functions]
        rounds = [(policy, *action) for policy in policies for action in policy.actions()]
        for number, (policy, sid, action) in enumerate(rounds, start=1):
            name = policy.function.removeprefix(f"{world.stack.name}-")
            if only and name not in only:
                continue
            world.stack.patience_seconds = PATIENCE_SECONDS
            with policy.without(sid, action):
                missed = is_missed(world, number)
            world.stack.patience_seconds = 60.0
            clear_up(world)
            print(f"{'ok  ' if missed else 'NOT '} {name} needs {action} ({sid})", flush=True)
            if not missed:
                superfluous.append(f"{name}: {action} ({sid})")
    if superfluous:
        sys.exit("nothing missed:\n  " + "\n  ".join(superfluous))


if __name__ == "__main__":
    main()
