"""What operators and schedules do, on a stack with the preset `ott`: its commissions are held and paid out. The program
is set so that the hold is short; it is in force a minute later."""

import datetime
import json
import os
import time

import boto3

from world import Person, World, request

HOLD_SECONDS = 5
EFFECTIVE_AFTER_SECONDS = 60
# One alone, one for each of the four shards, and one that has to share.
CODES = 6


def an_operator_signs_in_and_out(world: World) -> None:
    password = os.environ["SUPER_ADMIN_PASSWORD"]
    signed_in = sign(world, "login", telegram_id=os.environ["SUPER_ADMIN_TELEGRAM_ID"], password=password)
    renewed = sign(world, "refresh", refresh_token=signed_in["refresh_token"])
    bearer = {"authorization": f"Bearer {renewed['access_token']}"}
    url = world.stack.url("AdminApiUrl")
    assert request("GET", f"{url}/credits/stats", headers=bearer)[0] == 200
    status, answer = request("POST", f"{signing(world)}/logout", b"{}", bearer)
    assert status == 204, (status, answer)
    assert request("GET", f"{url}/credits/stats", headers=bearer)[0] == 401


def sign(world: World, step: str, **body: str) -> dict:
    status, answer = request("POST", f"{signing(world)}/{step}", json.dumps(body).encode())
    assert status == 200, (step, status, answer)
    return answer


def signing(world: World) -> str:
    return f"{world.stack.url('AdminApiUrl').removesuffix('/api/admin')}/admin/auth"


def the_hold_is_set_to_seconds(world: World) -> None:
    program = world.admin("program")["program"]
    program["version"] += 1
    [rule] = [rule for rule in program["rules"] if rule["id"] == "level-1"]
    rule["hold_seconds"] = HOLD_SECONDS
    rule["amount"] = {"kind": "flat", "amount": {"minor": 30_000, "currency": "INR"}}
    set_ = world.admin("program", "PUT", {"program": program, "reason": "a day is too long for a test"})
    assert set_["program"] == program, set_
    assert world.admin("program")["program"] == program
    world.in_force_at = time.monotonic() + EFFECTIVE_AFTER_SECONDS


def a_commission_is_released_after_its_hold_and_paid_out(world: World, alice: Person, bob: Person) -> None:
    """Alice has a referrer herself, so each payment of Bob's has two beneficiaries."""
    time.sleep(max(0.0, world.in_force_at - time.monotonic()))
    upline = Person(alice.id + 500_000, f"Upline of {alice.name}")
    for referrer, referee in ((upline, alice), (alice, bob)):
        assert "invited you" in world.joins(referee, world.code_of(referrer))
    payments = [pays_at_the_bank(world, bob, f"upi/{bob.id}/{n}") for n in (1, 2)]
    due = time.monotonic() + HOLD_SECONDS
    for payment in payments:
        assert [line["amount"] for line in payment["trace"]] == [300.0, 9.0], payment
    world.drain()
    time.sleep(max(0.0, due - time.monotonic()) + 1)
    # The hold is over, but not the hour that the sweep waits for. The upline's is tomorrow's.
    tomorrow = (time.time() + 7_200) * 1000
    markers = [item for item in of_type(world, "release_due") if int(item["gsi2sk"]["N"]) < tomorrow]
    world.stack.fall_due(*markers)
    assert states(world, payments) == ["held", "held"]
    run(world, "hold-release")
    assert states(world, payments) == ["released", "released"], world.stack.log("hold-release")
    left = {place(item) for item in of_type(world, "release_due")}
    assert markers and not left & {place(item) for item in markers}, "a sweep takes its markers away"
    assert wallet(world, alice) == (600.0, 0.0)
    is_paid_out(world, alice)
    for payment in payments:
        explained = world.admin(f"payments/{payment['payment']}")
        assert len(explained["commissions"]) == 2, explained
    assert len(world.admin(f"users/{bob.id}/payments")["items"]) == 2
    assert alice.name[0] in world.taps(alice, "nav:top:week")
    # From where the last run stopped, and then from the beginning.
    for report in (run(world, "ledger-verifier"), run(world, "ledger-verifier")):
        assert report["finished"], report
    assert report["wallets"] and report["payments"] and report["commissions"], report


def states(world: World, payments: list[dict]) -> list[str]:
    """Of the commissions with the short hold. A look at a wallet would release them too."""
    explained = [world.admin(f"payments/{payment['payment']}") for payment in payments]
    return [line["state"] for payment in explained for line in payment["commissions"] if line["rule"] == "level-1"]


def pays_at_the_bank(world: World, person: Person, reference: str) -> dict:
    said = {"user_id": person.id, "amount": "135.00", "currency": "INR", "purpose": "purchase", "product": "combo"}
    body = {**said, "reference": reference, "reason": "seen at the bank"}
    return world.admin("payments", "POST", body, key=reference)


def is_paid_out(world: World, person: Person) -> None:
    asked = {"amount": "500", "method": "upi", "destination": f"user{person.id}@okhdfc"}
    withdrawal = world.admin(f"users/{person.id}/withdrawals", "POST", asked)
    assert wallet(world, person) == (100.0, 500.0)
    for step, body, state in (
        ("approve", None, "approved"),
        ("claim", None, "paying"),
        ("paid", {"proof": "UTR 4711"}, "paid"),
    ):
        done = world.admin(f"withdrawals/{withdrawal['id']}/{step}", "POST", body)
        assert done["state"] == state, done
    assert wallet(world, person) == (100.0, 0.0)
    world.drain()
    assert sum("was paid." in text for text in world.texts(person)) == 1, world.texts(person)


def codes_and_referrals_expire(world: World, *people: Person) -> None:
    """One alone, and then so many that some share a shard: the table is asked for one in another way than for two."""
    before = due(world)
    first = world.code_of(people[0])
    for person in people[1:]:
        assert "invited you" in world.joins(person, first)
        world.code_of(person)
    world.drain()
    new = [item for item in due(world) if item not in before]
    for kind in ("code", "referral"):
        alone, *others = [item for item in new if item["type"]["S"] == kind]
        for items in ([alone], others):
            world.stack.fall_due(*items)
            run(world, "code-expiry")
            assert not {place(item) for item in items} & {place(item) for item in due(world)}, items


def due(world: World) -> list[dict]:
    return of_type(world, "code", "gsi2sk") + of_type(world, "referral", "gsi2sk")


def place(item: dict) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def run(world: World, function: str) -> dict:
    """Runs a scheduled function now; not beside its own schedule, for there is one of it."""
    before = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")[:19]
    for _ in range(20):
        try:
            report, failed = world.stack.invoke(function, {})
        except boto3.client("lambda").exceptions.TooManyRequestsException:
            time.sleep(0.5)
            continue
        assert not failed, report
        [logged] = world.admin(f"jobs?job={function}&limit=1")["items"]
        assert logged["started_at"][:19] >= before and logged["status"] == "success", logged
        return report
    raise AssertionError(f"{function} is always running")


def wallet(world: World, person: Person) -> tuple[float, float]:
    statement = world.admin(f"users/{person.id}/statement?wallet=earnings")
    return statement["available"], statement["held"]


def of_type(world: World, kind: str, *having: str) -> list[dict]:
    items = world.stack.items()
    return [item for item in items if item.get("type", {}).get("S") == kind and all(name in item for name in having)]
