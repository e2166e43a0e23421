"""The entry point: loads the command line, so that Ctrl-C while modules load is no traceback either."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``assessor``. See :func:`assessor.cli.main` for how it ends."""
    try:
        from assessor.cli import main as run  # the slow part: drivers, spreadsheets, cryptography
    except KeyboardInterrupt:
        sys.stderr.write("assessor: interrupted; nothing was written.\n")
        raise SystemExit(130) from None
    run()
