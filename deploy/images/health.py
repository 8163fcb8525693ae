"""Ask this container's own service whether it is well: `python health.py /healthz`, exit code 0 or 1.

Slim images have no curl. Relies on COMMONGRID_HTTP_PORT, which the service listens on.
"""

import os
import sys
import urllib.request

address = f"http://127.0.0.1:{os.environ['COMMONGRID_HTTP_PORT']}{sys.argv[1]}"
try:
    urllib.request.urlopen(address, timeout=4).close()
except OSError as problem:
    sys.exit(f"{address}: {problem}")
