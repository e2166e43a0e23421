"""The driver's side of the oracle: a process of its own that connects when told to. Run as a script.

Reads one JSON object a line, ``{"connect": connection string, "store": PEM file}``, and answers with one,
``{"ok": bool, "state": SQLSTATE, "text": message}``. It gets its names from nss_wrapper, preloaded by its parent, and
imports nothing of this project: what it says is the driver's word alone.
"""

from __future__ import annotations

import json
import os
import sys

import pyodbc  # type: ignore[import-not-found,unused-ignore]

LOGIN_TIMEOUT = 8


def connect(string: str, store: str) -> dict[str, object]:
    # OpenSSL reads the variable anew for every SSL_CTX, and the driver makes one for every connection.
    os.environ["SSL_CERT_FILE"] = store
    try:
        pyodbc.connect(string, timeout=LOGIN_TIMEOUT, autocommit=True).close()
    except pyodbc.Error as error:
        state, text = (str(each) for each in (*error.args, "", "")[:2])
        return {"ok": False, "state": state, "text": text}
    return {"ok": True, "state": "", "text": ""}


def main() -> None:
    pyodbc.pooling = False
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(connect(order["connect"], order["store"])), flush=True)


if __name__ == "__main__":
    main()
