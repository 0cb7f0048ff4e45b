"""The referral loop through a deployed stack: the assertions of tests/tests/referral_loop.rs, and its storm.

Usage: journey.py OVERLAID NAME=SIMULATOR_URL ...      for the friend, a calm one, a stormy one, one with the preset ott
"""

import contextlib
import json
import pathlib
import sys
from collections.abc import Iterator

from grants import roles_may_what_aws_does_under_them
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
from stack import Stack
from world import ALICE, BOB, CAROL, Person, World


def acquaint(world: World, *people: Person) -> None:
    """The names under which the simulator knows them."""
    for person in people:
        world.act("users", id=person.id, first_name=person.name)


def a_friend_pays_and_the_next_bill_is_ten_dollars_less(world: World) -> None:
    the_next_bill_is_ten_dollars_less(world, ALICE, BOB)


def the_next_bill_is_ten_dollars_less(world: World, alice: Person, bob: Person) -> None:
    befriend(world, alice, bob)
    subscribe(world, bob)
    the_credit_waits(world, alice)
    subscribe(world, alice)
    the_credit_is_taken_off_the_bill(world, alice, bob)
    credit_was_posted_once(world, alice)
    for page in ("/credits", "/profile"):
        assert world.says(alice, page), page


def befriend(world: World, alice: Person, bob: Person) -> None:
    acquaint(world, alice, bob)
    code = world.code_of(alice)
    assert f"{alice.name} invited you" in world.joins(bob, code)


def subscribe(world: World, person: Person) -> None:
    world.act("stripe/subscribe", user_id=person.id, plan="fang")
    world.drain()


def the_credit_waits(world: World, alice: Person) -> None:
    user = world.user(alice)
    assert (user["credit_balance"], user["converted"]) == (10.0, 1), user
    assert world.stripe_posts(alice) == [], f"{alice.name} is no customer yet: the credit waits"


def the_credit_is_taken_off_the_bill(world: World, alice: Person, bob: Person) -> None:
    for action in ("next-invoice", "finalize"):
        world.act(f"stripe/{action}", user_id=alice.id)
        world.drain()
    user = world.user(alice)
    assert (user["credit_balance"], user["applied"]) == (0.0, 10.0), user
    invoice = world.last_paid_invoice(alice)
    assert (invoice["starting_balance"], invoice["amount_paid"]) == (-1000, 2900), invoice
    texts = "\n".join(world.texts(alice))
    for expected in (f"<b>{bob.name}</b> joined", "You earned $10.00!", "was taken off your bill"):
        assert texts.count(expected) == 1, (expected, texts)


def credit_was_posted_once(world: World, person: Person) -> None:
    posts = world.stripe_posts(person)
    assert len(posts) == 1, posts
    assert posts[0]["params"]["amount"] == "-1000", posts
    assert posts[0]["idempotency_key"].startswith("refcredit:"), posts


def what_stripe_refused_comes_off_the_next_invoice(world: World, person: Person) -> None:
    """Nothing tries a refused posting again, until an invoice is created that it could come off."""
    acquaint(world, person)
    world.says(person, "/start")
    subscribe(world, person)
    world.act("stripe/fail", next=1, status=402)
    given = {"user_id": str(person.id), "amount": "5.00", "reason": "an exercise"}
    world.admin("credits/apply", "POST", given, key=f"refused-{person.id}")
    world.drain()
    assert len(world.stripe_posts(person)) == 1, world.stripe_posts(person)
    for action in ("next-invoice", "finalize"):
        world.act(f"stripe/{action}", user_id=person.id)
        world.drain()
    invoice = world.last_paid_invoice(person)
    assert (invoice["starting_balance"], invoice["amount_paid"]) == (-500, 3400), invoice


def journey(world: World, storm: bool, alice: Person = ALICE, bob: Person = BOB) -> str:
    """In stages, as in the one-machine journey: between two stages lies a cause, within one anything may arrive in any
    order, any number of times. Gives back the ledger."""
    acquaint(world, alice, bob)
    world.act("stripe/hold", hold=True)
    write(world, storm, world.message(alice, "/recruit"))
    code = world.code_of(alice)
    write(world, storm, world.message(bob, f"/start ref_{code}"))
    delivered = len(world.events())
    for stage in (
        [("subscribe", {"user_id": bob.id, "plan": "fang"}), ("subscribe", {"user_id": alice.id, "plan": "fang"})],
        [("next-invoice", {"user_id": alice.id})],
        [("finalize", {"user_id": alice.id})],
    ):
        for action, body in stage:
            world.act(f"stripe/{action}", **body)
        events = world.events()
        deliver(world, storm, events[delivered:])
        delivered = len(events)
        world.drain()
    world.act("stripe/hold", hold=False)
    return world.ledger(code)


def the_storm_ends_where_the_calm_does(world: World, alice: Person, bob: Person) -> None:
    """For one stack, which holds other people's money too: the storm's end rather than the ledger's text."""
    journey(world, True, alice, bob)
    credit_was_posted_once(world, alice)
    user = world.user(alice)
    assert (user["credit_balance"], user["applied"]) == (0.0, 10.0), user


def a_held_commission_is_released_and_paid_out(world: World) -> None:
    a_commission_is_released_after_its_hold_and_paid_out(world, ALICE, BOB)


def what_is_due_expires(world: World) -> None:
    codes_and_referrals_expire(world, *(Person(CAROL.id + number, "Carol") for number in range(CODES)))


def a_service_sells(world: World) -> None:
    a_service_sells_and_its_key_is_revoked(world, *new_people("Asha", "Bina"))


def a_link_is_clicked(world: World) -> None:
    a_click_leads_into_the_bot(world, *new_people("Clara", "Dora"))


def a_batch_comes_twice(world: World) -> None:
    a_batch_that_comes_twice_counts_once(world, *new_people("Fay"))


def stripe_refuses_once(world: World) -> None:
    what_stripe_refused_comes_off_the_next_invoice(world, *new_people("Gia"))


def operators_look(world: World) -> None:
    an_operator_looks_at_everything(world, *new_people("Esha"))


def new_people(*names: str) -> list[Person]:
    return [Person(CAROL.id + 1_000 + ord(name[0]), name) for name in names]


def write(world: World, storm: bool, update: dict) -> None:
    for _ in range(3 if storm else 1):
        world.update(update)
    world.drain()


def deliver(world: World, storm: bool, events: list[str]) -> None:
    for body in events[::-1] * 3 if storm else events:
        world.stripe_signed(body)


def three_times_and_in_reverse_the_ledger_is_the_same(calm: World, stormy: World) -> None:
    calm_ledger, stormy_ledger = journey(calm, storm=False), journey(stormy, storm=True)
    assert calm_ledger == stormy_ledger, difference(calm_ledger, stormy_ledger)
    assert "credit_applied" in calm_ledger, f"the journey has come to its end: {calm_ledger}"
    for world in (calm, stormy):
        credit_was_posted_once(world, ALICE)
        assert world.admin("credits/stats") == calm.admin("credits/stats")
        earned = [text for text in world.texts(ALICE) if "You earned" in text]
        assert len(earned) == 1, f"told once: {earned}"


def difference(calm: str, stormy: str) -> str:
    calm_lines, stormy_lines = set(calm.splitlines()), set(stormy.splitlines())
    only = {"calm": sorted(calm_lines - stormy_lines), "stormy": sorted(stormy_lines - calm_lines)}
    return json.dumps(only, indent=1)


def the_schedules_run_and_the_ledger_is_sound(world: World) -> None:
    for function, report in [
        ("hold-release", '"message":"swept"'),
        ("code-expiry", '"message":"expired"'),
        ("ledger-verifier", "no difference in the part of the ledger that was read"),
    ]:
        world.stack.wait_for_log(function, report)


def one_id_leads_from_the_webhook_to_the_message(world: World) -> None:
    commissions = [item for item in world.stack.items() if item.get("type", {}).get("S") == "commission"]
    assert commissions, "nothing was earned"
    for commission in commissions:
        for function in ("stripe-webhook", "commission-worker", "notifier"):
            world.stack.wait_for_log(function, f'"correlation_id":"{commission["correlation_id"]["S"]}"')
    # CloudWatch takes the numbers from lines like this one.
    world.stack.wait_for_log("commission-worker", '"Payments":1')


def nothing_was_given_up(world: World) -> None:
    dead = {name: count for name, count in world.stack.queues().items() if name.endswith("-dlq") and count}
    assert not dead, dead


@contextlib.contextmanager
def worlds(overlaid: pathlib.Path, arguments: list[str]) -> Iterator[list[World]]:
    made = []
    try:
        for name, simulator in (argument.split("=", 1) for argument in arguments):
            stack = Stack(name, overlaid / f"{name}.json")
            stack.put_secrets()
            made.append(World(stack, simulator))
            stack.start_triggers()
        yield made
    finally:
        for world in made:
            world.close()


def main() -> None:
    with worlds(pathlib.Path(sys.argv[1]), sys.argv[2:]) as (friend, calm, stormy, ott):
        all_of_them = (friend, calm, stormy, ott)
        for check, participants in [
            (the_hold_is_set_to_seconds, [ott]),
            *[(roles_may_what_aws_does_under_them, [world]) for world in (friend, ott)],
            (a_friend_pays_and_the_next_bill_is_ten_dollars_less, [friend]),
            (three_times_and_in_reverse_the_ledger_is_the_same, [calm, stormy]),
            (one_id_leads_from_the_webhook_to_the_message, [friend]),
            (stripe_refuses_once, [friend]),
            (an_operator_signs_in_and_out, [ott]),
            (a_held_commission_is_released_and_paid_out, [ott]),
            (what_is_due_expires, [ott]),
            (a_service_sells, [ott]),
            (a_link_is_clicked, [ott]),
            (operators_look, [ott]),
            (what_is_parked_is_played_again, [friend]),
            (a_batch_comes_twice, [ott]),
            *[(the_schedules_run_and_the_ledger_is_sound, [world]) for world in all_of_them],
            *[(nothing_was_given_up, [world]) for world in all_of_them],
        ]:
            check(*participants)
            print(f"ok   {check.__name__} ({', '.join(world.stack.name for world in participants)})", flush=True)


if __name__ == "__main__":
    main()
