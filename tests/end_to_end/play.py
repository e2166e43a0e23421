"""Dials with Microsoft's ODBC driver in a process of its own: OpenSSL reads its trust store once, at load.

Reads one JSON object a line ({"id", "connection"}) and answers one a line ({"id", "connects", "message"}). A login that
is refused has passed TLS, which is all that is asked. Started with SSL_CERT_FILE, and with libnss_wrapper for names.
"""

from __future__ import annotations

import json
import sys

import pyodbc


def main() -> None:
    pyodbc.pooling = False
    for line in sys.stdin:
        case = json.loads(line)
        try:
            pyodbc.connect(case["connection"], timeout=8, autocommit=True).close()
            answer = {"id": case["id"], "connects": True, "message": ""}
        except pyodbc.Error as error:
            text = str(error)
            answer = {"id": case["id"], "connects": "(18456)" in text, "message": text}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
