"""What services and members do over the HTTP API, and what operators look at, on a stack with the preset `ott`."""

import http.client
import json
import os
import time
import urllib.parse

from operators import HOLD_SECONDS
from world import Person, World, request

SCOPES = [
    *("users:read", "users:write", "orders:read", "orders:write", "wallets:read"),
    *("withdrawals:write", "referrals:read", "referrals:write", "tokens:write"),
]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17.1 Mobile Safari/604.1"


class Caller:
    """A client of the HTTP API with a credential."""

    def __init__(self, world: World, **credential: str) -> None:
        self.root = world.stack.url("AdminApiUrl").removesuffix("/api/admin")
        self.headers = {name.replace("_", "-"): value for name, value in credential.items()}

    def get(self, path: str):
        return self.call("GET", path)

    def post(self, path: str, **body):
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: dict | None = None, expected: int = 200):
        sent = None if body is None else json.dumps(body).encode()
        status, answer = request(method, f"{self.root}{path}", sent, self.headers)
        assert status == expected, (method, path, status, answer)
        return answer


def operator(world: World) -> Caller:
    return Caller(world, x_admin_token=os.environ["ADMIN_TOKEN"])


def a_service_sells_and_its_key_is_revoked(world: World, asha: Person, bina: Person) -> None:
    """Asha, who was brought herself, brings Bina, who buys twice; Asha asks for her money and is refused it."""
    made = operator(world).call("POST", "/api/admin/service-keys", {"name": f"shop {asha.id}", "scopes": SCOPES}, 201)
    shop = Caller(world, authorization=f"Bearer {made['key']}")
    upline = Person(asha.id + 500_000, f"Upline of {asha.name}")
    code = registers(shop, upline)["referral_code"]
    code = registers(shop, asha, referred_by_code=code)["referral_code"]
    registers(shop, bina, referred_by_code=code)
    orders = [buys(shop, bina, f"UTR-{bina.id}-{number}") for number in (1, 2)]
    due = time.monotonic() + HOLD_SECONDS
    assert [shop.get(f"/orders/{order['order_id']}")["status"] for order in orders] == ["paid", "paid"]
    world.drain()
    assert shop.get(f"/users/{bina.id}")["user_id"] == str(bina.id)
    assert shop.get(f"/users/{asha.id}/referral-stats")["total_earned"] == 600
    assert shop.get(f"/users/{asha.id}/referral-tree")["referrals"][0]["user_id"] == str(bina.id)
    time.sleep(max(0.0, due - time.monotonic()) + 1)
    # A look at the wallet releases what is due.
    assert shop.get(f"/wallet/{asha.id}")["available"] == 600
    assert shop.get(f"/wallet/{asha.id}/transactions")["items"][0]["kind"] == "commissions_released"
    asked = shop.post("/withdrawals/create", user_id=asha.id, amount=500, upi_id=f"user{asha.id}@okhdfc")
    refuses_the_withdrawal(world, asked["id"])
    assert shop.get(f"/wallet/{asha.id}")["available"] == 600
    a_member_reads_their_figures(world, shop, asha)
    the_bot_releases_what_is_due(world, shop, asha, bina)
    operator(world).call("DELETE", f"/api/admin/service-keys/{made['id']}", expected=204)
    shop.call("GET", f"/users/{bina.id}", expected=401)


def registers(shop: Caller, person: Person, **more: str) -> dict:
    body = {"telegram_id": person.id, "first_name": person.name, "username": f"user{person.id}"}
    places = {"device_id": f"phone-{person.id}", "ip_address": f"198.51.{person.id // 200 % 200}.{person.id % 200}"}
    return shop.post("/users/create", **body, **places, **more)


def buys(shop: Caller, person: Person, transaction: str) -> dict:
    order = shop.post("/orders/create", user_id=person.id, payment_method="upi", transaction_id=transaction)
    paid = shop.post(f"/orders/{order['order_id']}/payment-success", transaction_id=transaction)
    assert paid["status"] == "paid", paid
    return paid


def refuses_the_withdrawal(world: World, withdrawal: str) -> None:
    world.drain()
    listed = operator(world).get("/withdrawals/admin/all?status=requested")["items"]
    assert withdrawal in [item["id"] for item in listed], listed
    operator(world).post(f"/withdrawals/{withdrawal}/reject", reason="not today")
    world.drain()


def the_bot_releases_what_is_due(world: World, shop: Caller, asha: Person, bina: Person) -> None:
    buys(shop, bina, f"UTR-{bina.id}-3")
    due = time.monotonic() + HOLD_SECONDS
    world.drain()
    time.sleep(max(0.0, due - time.monotonic()) + 1)
    page = world.says(asha, "/credits")
    assert "900" in page, page


def a_member_reads_their_figures(world: World, shop: Caller, asha: Person) -> None:
    token = shop.post(f"/api/members/{asha.id}/token")["access_token"]
    member = Caller(world, authorization=f"Bearer {token}")
    member.call("POST", "/api/referral/generate-code", {"expiresInDays": 30}, expected=409)
    assert member.get("/api/referral/stats")["convertedReferrals"] == 1
    assert len(member.get("/api/referral/rewards")["items"]) == 2
    for page in ("leaderboard?period=week&limit=10", "analytics?period=month", "trends?days=7"):
        shop.get(f"/api/referral/{page}")


def a_click_leads_into_the_bot(world: World, alice: Person, bob: Person) -> None:
    code = world.code_of(alice)
    target = clicks(world, code)
    assert target.startswith("https://t.me/") and f"start=ref_{code}-" in target, target
    assert "invited you" in world.says(bob, f"/start {target.partition('start=')[2]}")
    told = operator(world).get(f"/api/admin/users/{bob.id}/attribution")
    assert told["click"]["decision"] == "first_touch", told


def clicks(world: World, code: str) -> str:
    """The address that the link leads to, without a visit."""
    url = urllib.parse.urlsplit(f"{operator(world).root}/r/{code}")
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    connection.request("GET", url.path, headers={"user-agent": PHONE})
    answer = connection.getresponse()
    assert answer.status == 302, (answer.status, answer.read())
    return answer.headers["location"]


def an_operator_looks_at_everything(world: World, asha: Person) -> None:
    admin = operator(world)
    for page in ("stats", "users", "orders", "referrers", "payment-monitoring", "kpi"):
        admin.get(f"/admin/dashboard/{page}")
    for path in ("/api/admin/parked", "/api/admin/audit", "/api/admin/service-keys", "/fraud/flags", "/docs"):
        admin.get(path)
    assert admin.get("/openapi.json")["openapi"] == "3.1.0"
    is_flagged_and_barred(world, admin, asha)
    changed = admin.call("PUT", "/settings/attribution.window_days", {"value": 29, "reason": "a day less"})
    assert changed["value"] == 29, changed
    assert [item["value"] for item in admin.get("/settings/all") if item["key"] == changed["key"]] == [29]


def is_flagged_and_barred(world: World, admin: Caller, person: Person) -> None:
    world.says(person, "/start")
    raised = {"user_id": person.id, "reason": "looks like another member", "action": "hold"}
    flag = admin.call("POST", "/fraud/flags/create", raised, expected=201)
    admin.post(f"/fraud/user/{person.id}/run-checks")
    admin.post(f"/fraud/flags/{flag['id']}/resolve", verdict="dismissed", note="it is not")
    for step in ("block", "unblock"):
        admin.post(f"/fraud/user/{person.id}/{step}", reason="an exercise")


def a_batch_that_comes_twice_counts_once(world: World, person: Person) -> None:
    # A new member changes the counters; repeating a batch without counters would prove nothing.
    assert world.code_of(person)
    world.drain()
    before = world.admin("credits/stats")
    for trigger in world.stack.triggers:
        if trigger.is_windowed():
            trigger.deliver_again()
    assert world.admin("credits/stats") == before


def what_is_parked_is_played_again(world: World) -> None:
    """An invoice of an unknown customer returns through the queue and is parked again."""
    [known, *_] = [body for body in world.events() if json.loads(body)["type"] == "invoice.paid"]
    event = json.loads(known)
    event["data"]["object"]["customer"] = f"cus_unknown{time.time_ns()}"
    event["data"]["object"]["id"] = event["id"] = f"in_{time.time_ns()}"
    world.stripe_signed(json.dumps(event))
    world.drain()
    admin, awaited = operator(world), event["data"]["object"]["customer"]
    parked = the_parked(admin, awaited)
    admin.call("POST", f"/api/admin/parked/{parked['id']}/replay", expected=202)
    world.drain()
    again = the_parked(admin, awaited)
    assert again["replay_requested_at"] is None, again


def the_parked(admin: Caller, awaited: str) -> dict:
    [parked] = [item for item in admin.get("/api/admin/parked?limit=100")["items"] if item["awaited"] == awaited]
    return parked
