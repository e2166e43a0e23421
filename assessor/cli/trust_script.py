"""``assessor trust-script``: the PowerShell that exports a source host's trust store."""

from __future__ import annotations

import sys
from importlib.resources import files


def trust_script() -> None:
    """Print the PowerShell that exports what a Windows host trusts, for `trust_store` in the estate file.

    It reads the Root and CA (intermediate) stores of the local computer, leaves out what is disallowed, and prints
    the registry flags of the OLE DB drivers. Run it on each source host: assessor trust-script > export-trust.ps1
    """
    sys.stdout.write(files("assessor.certificates").joinpath("export_trust.ps1").read_text("utf-8"))
