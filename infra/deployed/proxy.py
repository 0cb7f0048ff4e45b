"""A proxy between a function and the service that it calls; it fails on demand."""

import collections
import contextlib
import http.client
import http.server
import threading
import urllib.parse
from collections.abc import Callable, Iterator

# Says of a request whether its answer is something else than the other side's.
Fault = Callable[["Call"], bool]
# What belongs to one connection and not to the message.
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.target = urllib.parse.urlsplit(url).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.fault: Fault | None = None
        # How often which call was spoiled.
        self.spoiled = collections.Counter()

    def handle_error(self, request, client_address) -> None:
        """A function that was started anew leaves its connections."""


class Call(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def any_method(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not (self.server.fault and self.server.fault(self)):
            self.answer(*self.forward())

    do_GET = do_POST = do_PUT = do_DELETE = any_method

    def forward(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """As it came: the signature covers the headers, the host's among them."""
        there = http.client.HTTPConnection(self.server.target, timeout=60)
        with contextlib.closing(there):
            there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                there.putheader(name, value)
            there.endheaders(self.body)
            response = there.getresponse()
            return response.status, response.getheaders(), response.read()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def spoil(self, name: str) -> None:
        self.server.spoiled[name] += 1


def hang_up(call: Call) -> bool:
    """The request never arrives."""
    call.spoil(f"{call.command} {call.path}")
    call.close_connection = True
    return True


def lose_the_first_answer(call: Call) -> bool:
    """The call takes effect and its answer is lost: once for each kind of call."""
    name = f"{call.command} {call.path}"
    if call.server.spoiled[name]:
        return False
    call.spoil(name)
    call.forward()
    call.close_connection = True
    return True


def throttle(call: Call) -> bool:
    """The table has no room, in either of DynamoDB's words for it."""
    service, _, operation = call.headers.get("x-amz-target", "").partition(".")
    if not service.startswith("DynamoDB_"):
        return False
    call.spoil(operation)
    words = ("ThrottlingException", "ProvisionedThroughputExceededException")
    kind = words[call.server.spoiled.total() % len(words)]
    body = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"Rate exceeded"}}'
    call.answer(400, [("content-type", "application/x-amz-json-1.0")], body.encode())
    return True


def throttle_every_other(call: Call) -> bool:
    """Each second request has to be made again."""
    call.server.turn = not getattr(call.server, "turn", False)
    return call.server.turn and throttle(call)


@contextlib.contextmanager
def proxy(url: str, fault: Fault) -> Iterator[Proxy]:
    server = Proxy(url)
    server.fault = fault
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
