"""Those who use a deployed stack: people in the bot, Stripe, operators. What tests/src is for the one-machine stack."""

import dataclasses
import hashlib
import hmac
import itertools
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

from stack import Stack


@dataclasses.dataclass(frozen=True)
class Person:
    """A Telegram user."""

    id: int
    name: str


ALICE = Person(7_000_000_001, "Alice")
BOB = Person(7_000_000_002, "Bob")
CAROL = Person(7_000_000_003, "Carol")

# What of the table is the ledger. The rest is derived from it, or says who is at work on what.
LEDGER = {"wallet", "entry", "commission", "payment", "referral", "customer", "invoice_credit"}
# The chain of entries is hashed with its times. That it is sound is what ledger-verifier says.
CHAIN = {"hash", "prev_hash", "head"}
# Which delivery was the first is no part of the books either.
OUTSIDE = CHAIN | {"correlation_id"}


def request(method: str, url: str, body: bytes | None = None, headers: dict | None = None) -> tuple[int, object]:
    """Status and body; the body as JSON where it is some."""
    headers = {"content-type": "application/json", **(headers or {})}
    sent = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(sent, timeout=60) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


class World:
    """A stack and its simulator of Telegram and Stripe."""

    def __init__(self, stack: Stack, simulator: str) -> None:
        self.stack = stack
        self.simulator = simulator
        self.updates = itertools.count(1)
        # When the program that was set last decides.
        self.in_force_at = 0.0
        webhooks = [stack.url("TelegramWebhookUrl"), stack.url("StripeWebhookUrl")]
        command = [os.environ["GUERDON_SIMULATOR"], simulator.rpartition(":")[2], *webhooks]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # It says so when it listens.
        assert self.process.stdout.readline().startswith(simulator), "the simulator does not start"

    def close(self) -> None:
        self.stack.stop_triggers()
        self.process.terminate()
        self.process.wait(timeout=10)

    def drain(self) -> None:
        self.stack.drain()

    # ---- Telegram

    def update(self, update: dict) -> dict:
        """Posts an update; fails unless it is taken."""
        status, body = self.telegram_delivers(update)
        assert status == 200, (status, body)
        return body or {}

    def telegram_delivers(self, update: dict) -> tuple[int, object]:
        """Posts an update with the right secret. By way of the simulator, which executes what the bot replies."""
        secret = {"x-telegram-bot-api-secret-token": os.environ["TELEGRAM_WEBHOOK_SECRET"]}
        return request("POST", f"{self.simulator}/telegram/webhook", json.dumps(update).encode(), secret)

    def message(self, person: Person, text: str) -> dict:
        number = next(self.updates)
        chat = {"id": person.id, "first_name": person.name}
        return {
            "update_id": number,
            "message": {
                "message_id": number,
                "from": {**chat, "is_bot": False, "language_code": "en"},
                "chat": {**chat, "type": "private"},
                "date": int(time.time()),
                "text": text,
            },
        }

    def says(self, person: Person, text: str) -> str:
        """What the bot answers in the webhook's response."""
        return self.update(self.message(person, text)).get("text", "")

    def taps(self, person: Person, data: str) -> str:
        """What the bot makes of its message after a tap on the button with this data."""
        number = next(self.updates)
        who = {"id": person.id, "first_name": person.name}
        message = {"message_id": 1, "date": int(time.time()), "chat": {**who, "type": "private"}}
        query = {"id": str(number), "from": {**who, "is_bot": False}, "chat_instance": "1", "data": data}
        return self.update({"update_id": number, "callback_query": {**query, "message": message}}).get("text", "")

    def code_of(self, person: Person) -> str:
        """The code that `person` shares."""
        return self.says(person, "/recruit").split("?start=ref_")[1][:8]

    def joins(self, person: Person, code: str) -> str:
        return self.says(person, f"/start ref_{code}")

    def texts(self, person: Person) -> list[str]:
        """The messages that the bot has sent to a person so far."""
        outbox = self.look(f"telegram/outbox/{person.id}")
        return [call["payload"]["text"] for call in outbox if "text" in call["payload"]]

    # ---- Stripe

    def stripe_signed(self, body: str) -> None:
        """Posts an event to the deployed HTTP API; fails unless it is taken."""
        status, answer = self.stripe_delivers(body)
        assert status == 200, (status, answer)

    def stripe_delivers(self, body: str) -> tuple[int, object]:
        """Posts an event, signed now, and says what came back."""
        at = int(time.time())
        key = os.environ["STRIPE_WEBHOOK_SECRET"].encode()
        signature = hmac.new(key, f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"stripe-signature": f"t={at},v1={signature}"}
        return request("POST", self.stack.url("StripeWebhookUrl"), body.encode(), headers)

    def stripe_posts(self, person: Person) -> list[dict]:
        """The calls to Stripe about a person, without look-ups."""
        customer = self.user(person)["stripe_customer"]
        calls = [call for call in self.look("stripe/calls") if call["method"] == "POST"]
        return [call for call in calls if customer and f"/customers/{customer}/" in f"{call['path']}/"]

    def events(self) -> list[str]:
        """The bodies of Stripe's events so far, in the order they happened."""
        return [event["body"] for event in self.look("stripe/events")]

    def last_paid_invoice(self, person: Person) -> dict:
        customer = self.user(person)["stripe_customer"]
        paid = [event for event in map(json.loads, self.events()) if event["type"] == "invoice.paid"]
        return [event["data"]["object"] for event in paid if event["data"]["object"]["customer"] == customer][-1]

    # ---- The simulator

    def look(self, path: str):
        status, body = request("GET", f"{self.simulator}/sim/api/{path}")
        assert status == 200, (status, body)
        return body

    def act(self, action: str, **body) -> None:
        status, answer = request("POST", f"{self.simulator}/sim/api/{action}", json.dumps(body).encode())
        assert status == 200 and answer.get("ok", True), (action, status, answer)

    # ---- Operators

    def admin(self, path: str, method: str = "GET", body: dict | None = None, key: str = ""):
        headers = {"x-admin-token": os.environ["ADMIN_TOKEN"], "idempotency-key": key or path}
        data = json.dumps(body).encode() if body else None
        status, answer = request(method, f"{self.stack.url('AdminApiUrl')}/{path}", data, headers)
        assert status == 200, (path, status, answer)
        return answer

    def user(self, person: Person) -> dict:
        return self.admin(f"credits/user/{person.id}")

    # ---- The ledger as a text

    def ledger(self, code: str) -> str:
        """Two stacks with the same text have the same money. Real time passes here, and codes are random: both are
        masked."""
        items = [item for item in self.stack.items() if item.get("type", {}).get("S") in LEDGER]
        unchained = [{name: value for name, value in item.items() if name not in OUTSIDE} for item in items]
        lines = [json.dumps(item, sort_keys=True).replace(code, "<code>") for item in unchained]
        return "\n".join(sorted(re.sub(r"1[78]\d{11}|1[78]\d{8}", "<time>", line) for line in lines))
