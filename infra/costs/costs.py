"""What a month on AWS costs, and where the ceilings are: the tables of docs/costs.md.

Usage: costs.py [--check | --write]

Without an option it prints the tables. `--write` puts them into the page between its markers, `--check` fails when the
page has others. Prices and assumptions come from inputs.toml, memory and limits from template.yaml, units from
docs/performance.md. Needs Python 3.11 and nothing else.
"""

import math
import pathlib
import re
import sys
import tomllib
from dataclasses import dataclass
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "costs.md"
GB = 1e9
MONTH_SECONDS = 730 * 3600
RUNS_A_MONTH = 730


class Template:
    """The few figures of template.yaml that money hangs on, read by indentation: no YAML in the standard library."""

    def __init__(self, text: str) -> None:
        self.text = text
        resources = text[text.index("\nResources:") :]
        blocks = re.split(r"\n  (?=[A-Z]\w*:\n)", resources)
        self.blocks = {block.split(":")[0]: block for block in blocks[1:]}
        default = self.number(text[text.index("\nGlobals:") :], "MemorySize")
        self.memory_mb = {
            kebab(name): self.number(block, "MemorySize", default)
            for name, block in self.blocks.items()
            if "Type: AWS::Serverless::Function" in block
        }

    @staticmethod
    def number(text: str, name: str, default: int | None = None) -> int:
        found = re.search(rf"\b{name}: (\d+)", text)
        if found is None and default is None:
            raise SystemExit(f"template.yaml has no {name}")
        return int(found[1]) if found else default

    def parameter(self, name: str) -> int:
        return self.number(self.text[self.text.index(f"\n  {name}:") :], "Default")

    def concurrency_of(self, function: str, event: str) -> int:
        block = self.blocks[function]
        return self.number(block[block.index(f"        {event}:") :], "MaximumConcurrency")

    def reserve_of(self, function: str) -> int:
        return int(re.search(r"ReservesConcurrency, (\d+)", self.blocks[function])[1])

    def alarm_metrics(self) -> int:
        alarms = [b for b in self.blocks.values() if "Type: AWS::CloudWatch::Alarm" in b]
        return sum(max(1, alarm.count("MetricStat:")) for alarm in alarms)

    def custom_metrics(self) -> int:
        return len(set(re.findall(r'\["Guerdon", "(\w+)", "Function", "\$\{(\w+)\}"', self.blocks["Dashboard"])))


def kebab(logical_id: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"-\1", logical_id).lower()


class Units(NamedTuple):
    """Capacity units of the table, indexes included."""

    writes: float
    reads: float


def operations(page: str) -> dict[str, Units]:
    """What each operation takes, from the table in docs/performance.md."""
    found = {}
    for row in re.findall(r"^\| (.+?) \| ([\d.]+) \| [\d/]+ \| ([\d.]+)(?: -> [\d.]+)? \|", page, re.MULTILINE):
        found[row[0]] = Units(float(row[1]), float(row[2]))
    return found


def occupied(calls: float, slots: float) -> float:
    """How many of the slots have a call in them, when calls fall anywhere."""
    return slots * (1 - math.exp(-calls / slots)) if slots else 0.0


@dataclass
class Line:
    name: str
    how: str
    quantity: float
    unit: str
    dollars: float


class Month:
    """A month with so many payments, in one region."""

    def __init__(self, model: "Model", payments: float, region: str, kind: str | None = None) -> None:
        self.model, self.payments = model, payments
        self.price = model.inputs["prices"][region]
        self.kinds = {k: v for k, v in model.inputs["kinds"].items() if kind in (None, k)}
        self.shares = {k: (1.0 if kind else v["share"]) for k, v in self.kinds.items()}
        self.other = model.inputs["assumed"]["other"]
        self.calls = self.calls_of_functions()
        self.verified_share, self.verified_seconds = self.verification()

    def sum(self, field: str) -> float:
        return self.payments * sum(self.shares[k] * kind[field] for k, kind in self.kinds.items())

    def units(self) -> Units:
        writes, reads = self.sum("more_write_units"), self.sum("more_read_units")
        for name, kind in self.kinds.items():
            for operation, times in kind["operations"].items():
                took = self.model.operation(operation)
                writes += self.payments * self.shares[name] * times * took.writes
                reads += self.payments * self.shares[name] * times * took.reads
        return Units(writes, reads)

    def calls_of_functions(self) -> dict[str, float]:
        shards = self.other["shards"]
        seconds = MONTH_SECONDS * shards
        batches = self.sum("projector_batches")
        return {
            "telegram-webhook": self.sum("telegram_updates"),
            "stripe-webhook": self.sum("stripe_events"),
            "admin-api": self.other["admin_calls_per_month"],
            "member-api": self.other["member_calls_per_month"],
            "commission-worker": self.sum("stripe_events") + self.sum("replay_messages"),
            "billing-worker": self.sum("credits_messages"),
            "notifier": self.sum("notices"),
            "hold-release": RUNS_A_MONTH,
            "code-expiry": RUNS_A_MONTH,
            "ledger-verifier": RUNS_A_MONTH,
            # One batch a second and shard, and a closing call for each minute's window that had one.
            "projector": occupied(batches, seconds) + occupied(batches, seconds / 60),
            "event-relay": occupied(self.sum("relay_batches"), seconds * self.other["relay_polls_per_second"]),
        }

    def verification(self) -> tuple[float, float]:
        """The share of the ledger that an hourly run covers, and its seconds."""
        months = self.model.inputs["months_kept"]
        subjects = months * (self.payments + 2 * self.sum("postings"))
        seconds = min(self.model.verifier_seconds, subjects / self.other["verified_per_second"])
        covered = seconds * self.other["verified_per_second"] / subjects if subjects else 1.0
        return covered, seconds

    def stored_gb(self) -> float:
        return self.sum("stored_bytes") * self.model.inputs["months_kept"] / GB

    def busy_seconds(self) -> dict[str, float]:
        """Of the functions that payments call."""
        milliseconds = self.model.inputs["assumed"]["milliseconds"]
        scheduled = ("admin-api", "member-api", "hold-release", "code-expiry", "ledger-verifier")
        seconds = {f: n * milliseconds[f] / 1000 for f, n in self.calls.items() if f not in scheduled}
        seconds["billing-worker"] += self.sum("postings") * self.other["posting_milliseconds"] / 1000
        return seconds

    def lambda_lines(self) -> list[Line]:
        milliseconds = self.model.inputs["assumed"]["milliseconds"]
        busy, lines = self.busy_seconds(), []
        for function, memory in sorted(self.model.template.memory_mb.items()):
            calls = self.calls[function]
            seconds = busy.get(function, calls * milliseconds[function] / 1000)
            if function == "ledger-verifier":
                seconds = RUNS_A_MONTH * self.verified_seconds
            gb_seconds = seconds * memory / 1024
            dollars = calls * self.price["lambda_request"] + gb_seconds * self.price["lambda_gb_second"]
            how = f"calls x request + seconds x {memory}/1024 x GB-second"
            lines.append(Line(f"Lambda {function}", how, calls, "calls", dollars))
        return lines

    def table_lines(self) -> list[Line]:
        price, gb = self.price, self.stored_gb()
        writes, reads = self.units()
        subjects = self.verified_seconds * self.other["verified_per_second"]
        scanned = gb * GB * self.verified_share / 4096
        verify = RUNS_A_MONTH * (subjects * self.other["verified_read_units"] + scanned)
        return [
            Line(
                "DynamoDB writes",
                "units of the operations x write unit",
                writes,
                "WRU",
                writes * price["table_write_unit"],
            ),
            Line(
                "DynamoDB reads", "units of the operations x read unit", reads, "RRU", reads * price["table_read_unit"]
            ),
            Line(
                "DynamoDB reads, verification",
                f"{RUNS_A_MONTH} runs x (subjects x {self.other['verified_read_units']} + bytes/4096)",
                verify,
                "RRU",
                verify * price["table_read_unit"],
            ),
            Line(
                "DynamoDB storage",
                f"bytes x {self.model.inputs['months_kept']} months x GB-month",
                gb,
                "GB",
                gb * price["table_gb_month"],
            ),
            Line("Point-in-time recovery", "the same bytes", gb, "GB", gb * price["backup_gb_month"]),
            Line("DynamoDB stream", "reads by Lambda triggers are free", 0, "", 0.0),
        ]

    def messaging_lines(self) -> list[Line]:
        price = self.price
        queued = ("stripe_events", "replay_messages", "credits_messages", "notices")
        messages = sum(self.sum(field) for field in queued)
        queues = self.model.work_queues
        polls = queues * self.other["pollers_per_queue"] * MONTH_SECONDS / 20
        events, api = self.sum("bus_events"), self.sum("stripe_events") + self.other["admin_calls_per_month"]
        return [
            Line(
                "SQS, messages",
                "3 requests each: send, receive, delete",
                3 * messages,
                "requests",
                3 * messages * price["queue_request"],
            ),
            Line(
                "SQS, idle polling",
                f"{queues} queues x {self.other['pollers_per_queue']} pollers x 3 a minute",
                polls,
                "requests",
                polls * price["queue_request"],
            ),
            Line("EventBridge", "events", events, "events", events * price["bus_event"]),
            Line(
                "Scheduler",
                f"3 schedules x {RUNS_A_MONTH}",
                3 * RUNS_A_MONTH,
                "runs",
                3 * RUNS_A_MONTH * price["schedule_run"],
            ),
            Line("HTTP API", "Stripe's events, operators' calls", api, "requests", api * price["api_request"]),
            Line("Function URL", "no price of its own", 0, "", 0.0),
        ]

    def watching_lines(self) -> list[Line]:
        price, other = self.price, self.other
        calls = sum(self.calls.values())
        api = self.sum("stripe_events") + other["admin_calls_per_month"]
        log_gb = calls * other["log_bytes_per_call"] + self.sum("log_lines") * other["log_bytes_per_line"]
        metric_lines = self.payments * other["metric_lines_per_payment"]
        metric_lines += sum(self.calls[worker] for worker in ("commission-worker", "billing-worker", "notifier"))
        log_gb += metric_lines * other["log_bytes_per_metric_line"]
        log_gb = (log_gb + api * other["log_bytes_per_api_request"]) / GB
        traces = 0.0
        for n in self.calls.values():
            one_a_second = occupied(n, MONTH_SECONDS)
            traces += one_a_second + other["trace_share"] * (n - one_a_second)
        starts = sum(occupied(n, MONTH_SECONDS / 600) for n in self.calls.values())
        queues = self.model.work_queues * MONTH_SECONDS / 300 * 3
        keys = queues + starts * other["key_calls_per_start"]
        out = (self.calls["telegram-webhook"] + self.calls["stripe-webhook"]) * other["egress_bytes_per_webhook"]
        out += (self.sum("messages_sent") + 2 * self.sum("postings")) * other["egress_bytes_per_outgoing_call"]
        kept, api_bytes = other["log_kept_share"], other["log_bytes_per_api_request"]
        sizes = (
            f"calls x {other['log_bytes_per_call']} + lines x {other['log_bytes_per_line']} + API x {api_bytes} bytes"
        )
        metrics = self.model.template.alarm_metrics()
        ours = self.model.template.custom_metrics()
        return [
            Line(
                "CloudWatch logs, taken in",
                sizes,
                log_gb,
                "GB",
                log_gb * price["log_gb"],
            ),
            Line(
                "CloudWatch logs, kept",
                f"{kept:.0%} of it, for a month",
                log_gb * kept,
                "GB",
                log_gb * kept * price["log_gb_month"],
            ),
            Line(
                "CloudWatch alarms",
                "metrics of the template's alarms",
                metrics,
                "metrics",
                metrics * price["alarm_metric_month"],
            ),
            Line(
                "CloudWatch metrics",
                "ours, each with each function",
                ours,
                "metrics",
                ours * price["custom_metric_month"],
            ),
            Line("CloudWatch dashboard", "one; `Dashboards=false` for none", 1, "dashboard", price["dashboard_month"]),
            Line(
                "X-Ray",
                f"one a second and function, {other['trace_share']:.0%} of the rest",
                traces,
                "traces",
                traces * price["trace"],
            ),
            Line("KMS key", "one", 1, "key", price["key_month"]),
            Line(
                "KMS requests",
                f"queues: 3 in 5 minutes each; {other['key_calls_per_start']} for each start",
                keys,
                "requests",
                keys * price["key_request"],
            ),
            Line("SSM parameters", "standard parameters are free", 0, "", 0.0),
            Line("Data out", "answers, messages, calls to Stripe", out / GB, "GB", out / GB * price["egress_gb"]),
        ]

    def lines(self) -> list[Line]:
        return self.lambda_lines() + self.table_lines() + self.messaging_lines() + self.watching_lines()

    def dollars(self) -> float:
        return sum(line.dollars for line in self.lines())


class Model:
    def __init__(self) -> None:
        self.inputs = tomllib.loads((ROOT / "infra/costs/inputs.toml").read_text(encoding="utf-8"))
        self.template = Template((ROOT / "template.yaml").read_text(encoding="utf-8"))
        self.measured = operations((ROOT / "docs/performance.md").read_text(encoding="utf-8"))
        self.work_queues = self.template.text.count("RedrivePolicy:")
        verifier = (ROOT / "functions/ledger-verifier/src/handler.rs").read_text(encoding="utf-8")
        self.verifier_seconds = int(re.search(r"SECONDS: i64 = (\d+)", verifier)[1])
        self.region = self.inputs["region"]
        shares = sum(kind["share"] for kind in self.inputs["kinds"].values())
        if abs(shares - 1) > 1e-9:
            raise SystemExit(f"inputs.toml: the shares of the kinds add up to {shares}")
        if set(self.inputs["assumed"]["milliseconds"]) != set(self.template.memory_mb):
            raise SystemExit("inputs.toml: assumed.milliseconds has other functions than template.yaml")

    def mean(self, field: str) -> float:
        """Of a payment in the mix."""
        return sum(kind["share"] * kind[field] for kind in self.inputs["kinds"].values())

    def operation(self, name: str) -> Units:
        if name not in self.measured:
            raise SystemExit(f"docs/performance.md has no row '{name}'")
        return self.measured[name]


def table(header: list[str], rows: list[list[str]], right_from: int = 1) -> str:
    rule = ["---" if i < right_from else "---:" for i in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


def dollars(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


def quantity(value: float) -> str:
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{name}" if value / size < 999.5 else f"{value / size:.0f}{name}"
    return f"{value:.3g}"


def month_table(model: Model) -> str:
    months = [Month(model, n, model.region) for n in model.inputs["payments_per_month"]]
    rows = []
    for lines in zip(*(month.lines() for month in months)):
        cells = [f"{quantity(l.quantity)} {l.unit}".strip() if l.quantity else "" for l in lines]
        pairs = [text for l, cell in zip(lines, cells) for text in (cell, dollars(l.dollars))]
        rows.append([lines[0].name, lines[0].how, *pairs])
    totals = [text for month in months for text in ("", f"**{dollars(month.dollars())}**")]
    rows.append([f"**A month in {model.region}**", "", *totals])
    each = [text for m in months for text in ("", f"{m.dollars() / m.payments:.6f}")]
    rows.append(["A payment", "month / payments", *each])
    other = model.inputs["compared_with"]
    there = [text for m in months for text in ("", dollars(Month(model, m.payments, other).dollars()))]
    rows.append([f"A month in {other}", "", *there])
    header = ["line", "formula"]
    for n in model.inputs["payments_per_month"]:
        header += [f"{n:,} payments", "$"]
    return table(header, rows, 2)


def price_table(model: Model) -> str:
    here, there = model.inputs["region"], model.inputs["compared_with"]
    prices = model.inputs["prices"]

    def shown(value: float) -> str:
        return f"{value:g}" if value >= 0.001 else f"{value * 1e6:g} a million"

    words = {name: name.replace("_", " ").replace("gb", "GB") for name in prices[here]}
    rows = [[word, shown(prices[here][name]), shown(prices[there][name])] for name, word in words.items()]
    return table(["price, $", here, there], rows)


def kind_table(model: Model) -> str:
    rows = []
    for name, kind in model.inputs["kinds"].items():
        one = Month(model, 10_000_000, model.region, name)
        variable = sum(
            l.dollars for l in one.lines() if not l.name.startswith(("Lambda ledger", "DynamoDB reads, ver"))
        )
        per = variable / one.payments
        writes, reads = (units / one.payments for units in one.units())
        rows.append([kind["title"], f"{kind['share']:.0%}", f"{writes:.1f}", f"{reads:.1f}", f"{per * 1e6:.0f}"])
    idle = Month(model, 0, model.region).dollars()
    text = table(["payment", "share", "write units", "read units", "$ a million"], rows)
    return text + f"\n\nA month without any payment costs ${idle:.2f}."


def duration_table(model: Model) -> str:
    milliseconds = model.inputs["assumed"]["milliseconds"]
    rows = [
        [
            name,
            str(memory),
            f"{milliseconds[name]:,}" if milliseconds[name] else f"up to {model.verifier_seconds * 1000:,}",
        ]
        for name, memory in sorted(model.template.memory_mb.items())
    ]
    return table(["function", "MB (template)", "ms (assumed)"], rows)


@dataclass
class Ceiling:
    name: str
    reason: str
    per_second: float
    beyond: str


def entry_ceilings(model: Model) -> list[Ceiling]:
    """The ceilings of the endpoints and the queues."""
    t, inputs, quotas = model.template, model.inputs, model.inputs["quotas"]
    ms, other = inputs["assumed"]["milliseconds"], inputs["assumed"]["other"]
    events, notices, postings = (model.mean(f) for f in ("stripe_events", "notices", "postings"))
    api, hooks = t.parameter("ApiRequestsPerSecond"), t.reserve_of("StripeWebhook")
    workers, posters = t.concurrency_of("CommissionWorker", "Payments"), t.concurrency_of("BillingWorker", "Credits")
    tellers = t.concurrency_of("Notifier", "Notifications")
    posted = posters * 1000 / (ms["billing-worker"] + other["posting_milliseconds"])
    told = tellers * 1000 / ms["notifier"]
    worked = workers * 1000 / ms["commission-worker"]
    busy = sum(Month(model, 1, model.region).busy_seconds().values())
    free = quotas["lambda_concurrency"] - 100
    return [
        Ceiling(
            "HTTP API's throttle",
            f"`ApiRequestsPerSecond` {api} / {events:g} events a payment",
            api / events,
            "the parameter; then the account's quota",
        ),
        Ceiling(
            "stripe-webhook",
            f"{hooks} at once, {ms['stripe-webhook']} ms",
            hooks * 1000 / ms["stripe-webhook"] / events,
            "its reserve",
        ),
        Ceiling(
            "payments queue",
            f"{workers} at once, {ms['commission-worker']} ms a message: {worked:.0f} messages/s",
            worked / events,
            "`MaximumConcurrency` of `Payments` with the reserve; the queue itself has no limit near",
        ),
        Ceiling(
            "credits queue",
            f"{posters} at once: {posted:.0f} postings/s, if nothing is coalesced",
            posted / postings,
            "`MaximumConcurrency` of `Credits` with the reserve; rewards of one member become one posting",
        ),
        Ceiling(
            "Stripe's API",
            f"{quotas['stripe_calls_per_second']} calls/s, up to 2 a posting",
            quotas["stripe_calls_per_second"] / 2 / postings,
            "ask Stripe; post once a day and member",
        ),
        Ceiling(
            "notifications queue",
            f"{tellers} at once, {ms['notifier']} ms: {told:.0f} messages/s",
            told / notices,
            f"more at once up to Telegram's {quotas['telegram_messages_per_second']}/s for a bot, then digests",
        ),
        Ceiling(
            "Lambda's concurrency",
            f"{free} of the account / {busy:.2f} s of functions a payment",
            free / busy,
            "a quota, raised on request; reserves in the template",
        ),
    ]


def tables_ceilings(model: Model) -> list[Ceiling]:
    """The table's partitions, its stream, the bus."""
    inputs, quotas = model.inputs, model.inputs["quotas"]
    other, measured, converts = inputs["assumed"]["other"], inputs["measured"], inputs["kinds"]["converts"]
    partition, call, share = (
        quotas["partition_write_units_per_second"],
        other["table_call_milliseconds"],
        converts["share"],
    )
    referrer = inputs["counted"]["referrer_partition_units"]
    writes = Month(model, 1, model.region).units().writes
    random, hot = measured["projector_requests_random"], measured["projector_requests_hot"]
    others = inputs["counted"]["projector_requests_other"]
    table_units = quotas["table_write_units_per_second"]
    return [
        Ceiling(
            "stream shards, many referrers",
            f"{random} requests a conversion (measured), {others} for others, {call} ms each, {other['shards']} shards",
            other["shards"] * 1000 / ((share * random + (1 - share) * others) * call),
            "shards come by themselves with writes; write a batch's items side by side",
        ),
        Ceiling(
            "stream shard, one referrer",
            f"{hot} requests a conversion (measured) x {call} ms, one shard",
            1000 / (hot * call),
            "**conversions of one referrer**; statistics, lists and markers lag, no money does. As below",
        ),
        Ceiling(
            "hot referrer's partition",
            f"`R#referrer`: {referrer} units a conversion of {partition:,}",
            partition / referrer,
            "**conversions of one referrer**; a shard or a month in the key",
        ),
        Ceiling(
            "hot referrer's index",
            f"`HELD#beneficiary` in gsi2: 2 units a conversion of {partition:,}",
            partition / 2,
            "**conversions of one referrer**; the same",
        ),
        Ceiling(
            "rankings",
            f"`RANKING#period` in gsi2 is one partition: 2 units a conversion of {partition:,}",
            partition / 2 / share,
            "a shard in the key, merged at read",
        ),
        Ceiling(
            "lists of a day's payments",
            f"`PAYMENTS#day#shard` in gsi1: 4 partitions, 1 unit a payment",
            4 * partition,
            "more than 4 `SHARDS`",
        ),
        Ceiling(
            "due queues",
            "`DUE#REFERRAL#shard` in gsi2: 4 partitions, 2 units a conversion",
            4 * partition / 2 / share,
            "more than 4 `SHARDS`",
        ),
        Ceiling(
            "the table's quota",
            f"{table_units:,} units/s / {writes:.1f} a payment in the mix",
            table_units / writes,
            "a quota, raised on request; warm throughput before a peak",
        ),
        Ceiling(
            "the bus",
            f"{quotas['bus_events_per_second']:,} events/s / {converts['bus_events']} a conversion",
            quotas["bus_events_per_second"] / converts["bus_events"] / share,
            "a quota, raised on request; or queues fed by the relay itself",
        ),
    ]


def ceilings(model: Model) -> str:
    found = sorted(entry_ceilings(model) + tables_ceilings(model), key=lambda ceiling: ceiling.per_second)
    rows = [[c.name, c.reason, f"{c.per_second:,.0f}", c.beyond] for c in found]
    return table(["ceiling", "from", "payments/s", "beyond it"], rows, 2)


def blocks(model: Model) -> dict[str, str]:
    return {
        "month": month_table(model),
        "prices": price_table(model),
        "kinds": kind_table(model),
        "durations": duration_table(model),
        "ceilings": ceilings(model),
    }


def filled(page: str, made: dict[str, str]) -> str:
    for name, text in made.items():
        marker = re.compile(rf"(<!-- costs: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marker.search(page):
            raise SystemExit(f"docs/costs.md has no place for '{name}'")
        page = marker.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    return page


def main() -> int:
    made = blocks(Model())
    option = sys.argv[1] if len(sys.argv) == 2 else None
    if len(sys.argv) == 1:
        print("\n\n".join(made.values()))
        return 0
    if option not in ("--check", "--write"):
        print(__doc__, file=sys.stderr)
        return 2
    page = PAGE.read_text(encoding="utf-8")
    new = filled(page, made)
    if option == "--write":
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        print("docs/costs.md is not what infra/costs/costs.py computes: run it with --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
