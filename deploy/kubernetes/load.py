"""A steady load for prove.sh, whose every acknowledged event can be looked for.

load.py send URL_OF_PARSER URL_OF_EXPERT TOKENS FOLDER    until SIGTERM; FOLDER/acknowledged gets the name of every event,
                                                          FOLDER/refused a line for every try that was not acknowledged
load.py check FOLDER DATABASE                             whether all of them are stored
"""

import http.client
import os
import pathlib
import re
import signal
import sqlite3
import sys
import threading
import time
import urllib.parse

HEADER = '"timestamp","severity","ip","protocol","port","hostname","tag","asn","geo"'
ROWS = 20
stop = threading.Event()
lock = threading.Lock()


def uuid7():
    random = os.urandom(10).hex()
    digits = f"{int(time.time() * 1000):012x}7{random[:3]}8{random[3:18]}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def report(names):
    """A report of Shadowserver whose rows have these names."""
    rows = [
        f'"2026-11-20 00:00:00","high","198.51.100.{index % 250 + 1}","tcp","3389","{name}","rdp","0","PL"'
        for index, name in enumerate(names)
    ]
    return "\n".join([HEADER] + rows) + "\n"


def packet(names):
    """A packet of events for the first expert."""
    events = ",".join(
        f'{{"type":"event","id":"{uuid7()}","attributes":{{"@timestamp":"2026-11-20T00:00:00Z",'
        f'"source":{{"ip":"198.51.100.{index % 250 + 1}","reverse_dns":"{name}"}}}}}}'
        for index, name in enumerate(names)
    )
    return f'{{"jsonapi":{{"version":"1.1"}},"meta":{{"format-name":"IntelMQ-IDF","version":"3.1","id":"{uuid7()}"}},"data":[{events}]}}'


class Sender:
    """Sends one body after the other; what is not acknowledged is sent again, as every sender must."""

    def __init__(self, letter, url, path, kind, body, token, folder, pause):
        self.letter, self.path, self.body, self.pause = letter, path, body, pause
        self.host = urllib.parse.urlsplit(url).netloc
        self.headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        self.file = open(folder / "acknowledged", "a")
        self.refused = open(folder / "refused", "a")
        self.target = "parser" if letter.startswith("p") else "expert"
        self.bodies = 0
        self.longest = 0.0
        self.answers = {}

    def once(self, body):
        # A connection for every body: services spread connections, not requests.
        connection = http.client.HTTPConnection(self.host, timeout=70)
        try:
            connection.request("POST", self.path, body, self.headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    def run(self):
        while not stop.is_set():
            names = [f"{self.letter}{self.bodies}-{row}.load.example" for row in range(ROWS)]
            body = self.body(names)
            begin = time.monotonic()
            while True:
                status = self.once(body)
                if status in (200, 202):
                    break
                self.answers[status] = self.answers.get(status, 0) + 1
                with lock:
                    self.refused.write(f"{self.target} {status}\n")
                    self.refused.flush()
                if stop.is_set():
                    return
                time.sleep(0.2)
            took = time.monotonic() - begin
            self.longest = max(self.longest, took)
            self.bodies += 1
            with lock:
                self.file.write("\n".join(names) + "\n")
                self.file.flush()
            time.sleep(max(0.0, self.pause - took))


def send(parser, expert, tokens, folder):
    tokens, folder = pathlib.Path(tokens), pathlib.Path(folder)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    intake, edge = ((tokens / name).read_text().strip() for name in ("intake", "edge"))
    senders = [
        Sender(f"p{n}x", parser, "/v1/reports?file_name=2026-11-20-scan_rdp-load.csv", "text/csv", report, intake, folder, 0.25)
        for n in range(3)
    ] + [
        Sender(f"e{n}x", expert, "/v1/packets", "application/vnd.api+json", packet, edge, folder, 0.5) for n in range(2)
    ]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    for word, first in (("reports to the parser", "p"), ("packets to the expert", "e")):
        mine = [sender for sender in senders if sender.letter.startswith(first)]
        bodies = sum(sender.bodies for sender in mine)
        refused = {}
        for sender in mine:
            for status, count in sender.answers.items():
                refused[status] = refused.get(status, 0) + count
        words = ", ".join(f"{count} × {status}" for status, count in refused.items()) or "none"
        print(
            f"{bodies} {word} of {ROWS} events in {took:.0f} s, {bodies * ROWS / took:.0f} events a second; not acknowledged at once: "
            f"{words}; longest wait for an acknowledgement {max(sender.longest for sender in mine):.1f} s"
        )


def check(folder, database):
    acknowledged = set(pathlib.Path(folder, "acknowledged").read_text().split())
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = 0
        stored = set()
        for (event,) in connection.execute("SELECT event FROM events"):
            rows += 1
            stored.update(re.findall(r"[pe]\dx\d+-\d+\.load\.example", event)[:1])
    missing = acknowledged - stored
    print(f"{len(acknowledged)} events acknowledged, {len(missing)} of them missing, {rows} rows stored, {len(stored)} different")
    for name in sorted(missing)[:10]:
        print(f"missing: {name}", file=sys.stderr)
    return 1 if missing or not acknowledged else 0


if len(sys.argv) < 4:
    sys.exit(__doc__)
sys.exit({"send": send, "check": check}[sys.argv[1]](*sys.argv[2:]))
