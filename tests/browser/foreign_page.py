#!/usr/bin/env python3
"""A page in a real browser that tries to act on the tools of one machine.

It comes from another origin, and from a name that its owner rebinds to this machine. A server that checks nothing shows
that the page does what it says: what reaches that one must not work here.

Usage: foreign_page.py GUERDON-BINARY [CHROMIUM]
"""

import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

# Each attempt is a request; its result is what the page could learn of it.
PAGE = """<!doctype html><title>x</title><script>
const results = {};
async function attempt(name, url, options) {
  try {
    const answer = await fetch(url, options);
    results[name] = [answer.type, answer.status, (await answer.text()).slice(0, 2000)];
  } catch (error) { results[name] = ["error", 0, String(error)]; }
}
async function run() {
  const target = TARGET, json = JSON.stringify({ seconds: 90000 });
  await attempt("blind", target + "/local/clock", { method: "POST", mode: "no-cors", body: json });
  await attempt("form", target + "/local/clock",
    { method: "POST", mode: "no-cors", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "seconds=90000" });
  await attempt("json", target + "/local/clock",
    { method: "POST", headers: { "content-type": "application/json", "x-local-token": "guess" }, body: json });
  await attempt("read-outbox", target + "/local/outbox/1000", {});
  await attempt("read-page", target + "/sim", {});
  await attempt("read-clock", target + "/local/clock", {});
  document.body.textContent = "RES" + "ULTS" + JSON.stringify(results) + "E" + "ND";
}
addEventListener("load", run);
</script><body></body>"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def serve(address, handler):
    server = http.server.ThreadingHTTPServer(address, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def page_for(target):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = PAGE.replace("TARGET", json.dumps(target)).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def unguarded(seen):
    """A server that checks nothing, and lets every page read."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            seen.append((self.command, self.path))
            self.send_response(200)
            for name in ("access-control-allow-origin", "access-control-allow-headers", "access-control-allow-methods"):
                self.send_header(name, "*")
            self.send_header("content-length", "5")
            self.end_headers()
            self.wfile.write(b"moved")

        do_GET = do_POST = do_OPTIONS = answer

        def log_message(self, *_):
            pass

    return Handler


def rebinding(port):
    """The other end of a name on the stack's own port: the page at first, the stack itself after that."""
    listener = socket.create_server(("127.0.0.2", port))
    body = PAGE.replace("TARGET", "''").encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    served = threading.Event()

    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def accept():
        while True:
            browser, _ = listener.accept()
            threading.Thread(target=handle, args=(browser,), daemon=True).start()

    def handle(browser):
        first = browser.recv(65536)
        if first.startswith(b"GET /page ") and not served.is_set():
            served.set()
            browser.sendall(head.encode() + body)
            browser.close()
            return
        stack = socket.create_connection(("127.0.0.1", port))
        stack.sendall(first)
        threading.Thread(target=pump, args=(stack, browser), daemon=True).start()
        pump(browser, stack)

    threading.Thread(target=accept, daemon=True).start()


def visit(chromium, url, rules):
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   f"--user-data-dir={profile}", f"--host-resolver-rules={rules}", "--timeout=20000",
                   "--virtual-time-budget=15000", "--dump-dom", url]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"RESULTS(.*)END", dom, re.S)
    if not found:
        sys.exit(f"the page did not finish:\n{dom[:2000]}")
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def start(binary, port, folder):
    environment = {**os.environ, "GUERDON_PORT": str(port), "GUERDON_DATA": folder}
    process = subprocess.Popen([binary], env=environment, cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            get(port, "/local/clock")
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit("the stack did not start")


def learned(results, where, token):
    """Fails when the page could read anything of the stack."""
    for name, (kind, status, text) in results.items():
        if token in text or (kind != "opaque" and 200 <= status < 300):
            sys.exit(f"{where}: {name} got {status} {text[:200]!r}")
    print(f"{where}: {', '.join(f'{name} {kind} {status}' for name, (kind, status, _) in results.items())}")


def main():
    binary, chromium = str(pathlib.Path(sys.argv[1]).resolve()), (sys.argv[2:] or ["chromium"])[0]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        stack = start(binary, port, folder)
        try:
            token = (pathlib.Path(folder) / "local-token").read_text().strip()
            before = get(port, "/local/clock")
            # The control: the same page, and a server that checks nothing.
            seen = []
            control = serve(("127.0.0.1", 0), unguarded(seen))
            shop = serve(("127.0.0.1", 0), page_for(f"http://127.0.0.1:{control}"))
            results = visit(chromium, f"http://shop.example:{shop}/", "MAP shop.example 127.0.0.1")
            if ("POST", "/local/clock") not in seen or results["read-outbox"][2] != "moved":
                sys.exit(f"the page does not do what it should: {seen} {results}")
            print(f"control: {len(seen)} requests arrived")
            shop = serve(("127.0.0.1", 0), page_for(f"http://127.0.0.1:{port}"))
            results = visit(chromium, f"http://shop.example:{shop}/", "MAP shop.example 127.0.0.1")
            learned(results, "another origin", token)
            rebinding(port)
            rules = "MAP rebound.example 127.0.0.2"
            learned(visit(chromium, f"http://rebound.example:{port}/page", rules), "a rebound name", token)
            after = get(port, "/local/clock")
            passed = after["unix_seconds"] - before["unix_seconds"]
            if passed >= 3600:
                sys.exit(f"a page moved the clock by {passed} seconds")
            print(f"the clock went {passed} seconds, by itself")
        finally:
            stack.terminate()
            stack.wait()


main()
