"""Every action that a function's policy grants is needed: takes one away at a time and shows that something fails.

Usage: policies.py OVERLAID NAME=SIMULATOR_URL NAME=SIMULATOR_URL [FUNCTION...]

The second stack has the preset `ott`; a function loses the action in both. Each round has people of its own, and its
policy is put back behind it. What nothing misses is listed, and fails the run.
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
from journey import (
    the_next_bill_is_ten_dollars_less,
    the_storm_ends_where_the_calm_does,
    what_stripe_refused_comes_off_the_next_invoice,
    worlds,
)
from operators import (
    CODES,
    a_commission_is_released_after_its_hold_and_paid_out,
    an_operator_signs_in_and_out,
    codes_and_referrals_expire,
    the_hold_is_set_to_seconds,
)
from services import (
    a_batch_that_comes_twice_counts_once,
    a_click_leads_into_the_bot,
    a_service_sells_and_its_key_is_revoked,
    an_operator_looks_at_everything,
    what_is_parked_is_played_again,
)
from stack import set_variables
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
        set_variables(self.function, GUERDON_POLICY_PUT_AT=str(time.time_ns()))


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def fails(check, *arguments) -> bool:
    try:
        check(*arguments)
    except Exception as error:  # Whatever it was: an assertion, an answer of 500, a queue that does not get empty.
        print(f"       {check.__name__}: {str(error)[:160]!r}", flush=True)
        return True
    return False


def is_missed(world: World, ott: World, round_number: int) -> bool:
    people = [Person(7_100_000_000 + 19 * round_number + n, f"{chr(ord('A') + n)}{round_number}") for n in range(19)]
    return (
        fails(roles_may_what_aws_does_under_them, world)
        or fails(the_next_bill_is_ten_dollars_less, world, *people[:2])
        or fails(the_storm_ends_where_the_calm_does, world, *people[2:4])
        or fails(what_stripe_refused_comes_off_the_next_invoice, world, people[18])
        or fails(an_operator_signs_in_and_out, ott)
        or fails(a_commission_is_released_after_its_hold_and_paid_out, ott, *people[4:6])
        or fails(codes_and_referrals_expire, ott, *people[6 : 6 + CODES])
        or fails(a_service_sells_and_its_key_is_revoked, ott, *people[12:14])
        or fails(a_click_leads_into_the_bot, ott, *people[14:16])
        or fails(an_operator_looks_at_everything, ott, people[16])
        or fails(what_is_parked_is_played_again, world)
        or fails(a_batch_that_comes_twice_counts_once, ott, people[17])
    )


def clear_up(world: World) -> None:
    """What failed would come again in the next round, after its time of invisibility."""
    for url in world.stack.sqs.list_queues(QueueNamePrefix=f"{world.stack.name}-")["QueueUrls"]:
        world.stack.sqs.purge_queue(QueueUrl=url)
    world.act("stripe/hold", hold=False)
    world.drain()


def policies_of(world: World) -> dict[str, Policy]:
    """By the function's name within its stack."""
    functions = boto3.client("lambda").list_functions()["Functions"]
    prefix = f"{world.stack.name}-"
    own = [function for function in functions if function["FunctionName"].startswith(prefix)]
    return {function["FunctionName"].removeprefix(prefix): Policy(function) for function in own}


def main() -> None:
    overlaid, *stacks = sys.argv[1:4]
    only = sys.argv[4:]
    superfluous = []
    with worlds(pathlib.Path(overlaid), stacks) as both:
        the_hold_is_set_to_seconds(both[1])
        assert not is_missed(*both, 0), "something fails although nothing was taken away"
        granted = [policies_of(world) for world in both]
        rounds = [(name, *action) for name, policy in granted[0].items() for action in policy.actions()]
        for number, (name, sid, action) in enumerate(rounds, start=1):
            if only and name not in only:
                continue
            for world in both:
                world.stack.patience_seconds = PATIENCE_SECONDS
            with contextlib.ExitStack() as taken:
                for policies in granted:
                    taken.enter_context(policies[name].without(sid, action))
                missed = is_missed(*both, number)
            for world in both:
                world.stack.patience_seconds = 60.0
                clear_up(world)
            print(f"{'ok  ' if missed else 'NOT '} {name} needs {action} ({sid})", flush=True)
            if not missed:
                superfluous.append(f"{name}: {action} ({sid})")
    if superfluous:
        sys.exit("nothing missed:\n  " + "\n  ".join(superfluous))


if __name__ == "__main__":
    main()
