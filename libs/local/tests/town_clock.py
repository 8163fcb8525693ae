"""A tiny real service for the supervisor to look after: it tells what it was told.

`python -m town_clock migrate | all`. BROKEN in its environment makes it fail at the start.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Clock(BaseHTTPRequestHandler):
    """Answers everything with its environment and its process's number."""

    def do_GET(self) -> None:
        told = {name: value for name, value in os.environ.items() if name.startswith(("COMMONGRID_", "TOWN_"))}
        body = json.dumps({"pid": os.getpid(), "told": told}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def main(command: str) -> None:
    """Runs the command."""
    if command == "all":
        if os.environ.get("TOWN_BROKEN"):
            raise SystemExit("the town clock has no hands")
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        address = os.environ["COMMONGRID_HTTP_HOST"], int(os.environ["COMMONGRID_HTTP_PORT"])
        ThreadingHTTPServer(address, Clock).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
