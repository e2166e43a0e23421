"""Draws ``docs/fidelity.md``: per client, what was measured, what is only documented, what is inferred, what is open.

``python -m tests.oracle --record`` notes a run in ``measured.json`` and draws the page anew;
``python -m tests.oracle.fidelity`` draws it alone, after a change to the profiles.
"""

from __future__ import annotations

import ctypes
import json
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assessor.atomic import write_whole
from assessor.certificates.hostnames import IpAddress
from assessor.clients.outcome import Basis
from assessor.clients.profiles import ClientProfile, HostName, Pin, TlsBelow, Trust, load_profiles

from .driver import driver_library
from .play import Tally
from .stand import CLIENT

MEASURED = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
_RUNS_KEPT = 10

_INTRODUCTION = """\
# Fidelity

How far each client profile can be relied upon. Drawn from `assessor/clients/profiles.toml` and from the runs noted in
`tests/oracle/measured.json` by `python -m tests.oracle.fidelity`; correct the profiles, not this page.

- **measured**: our prediction was compared with the real client over real TLS, case by case;
- **documented**: a published statement says so, and the source is named;
- **inferred**: our reasoning from the mechanism;
- **open**: nobody has published it, and a verdict that would need it says *not assessed*.

No Windows client was measured: SChannel does not run here. Nothing was measured against a real SQL Server either; the
server is the lab, which FreeTDS, python-tds and Microsoft's driver take for one.
"""


def record(seed: int, tally: Tally) -> None:
    """Note a run, the newest first, and draw the page."""
    noted = _noted()
    run = {
        "seed": seed,
        "cases": tally.cases,
        "agreements": tally.agreements,
        "disagreements": len(tally.disagreements),
        "refusals": tally.refusals,
        "same_words": tally.same_words,
        "shapes": len(tally.shapes),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "driver": _driver_version(),
        "openssl": _openssl_version(),
        "system": _system(),
        "reasons": dict(tally.reasons.most_common()),
    }
    runs = [run, *(each for each in noted["runs"] if each["seed"] != seed)][:_RUNS_KEPT]
    write_whole(MEASURED, (json.dumps({"client": CLIENT, "runs": runs}, indent=1) + "\n").encode())
    write_whole(PAGE, page().encode())


def page() -> str:
    """The page as Markdown."""
    noted = _noted()
    parts = [_INTRODUCTION, *_measurements(noted)]
    for client in load_profiles():
        parts.append("\n".join(_section(client, noted)))
    return "\n".join(parts)


def _noted() -> dict[str, Any]:
    if not MEASURED.exists():
        return {"client": CLIENT, "runs": []}
    noted: dict[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    return noted


def _measurements(noted: dict[str, Any]) -> Iterator[str]:
    yield "## Measurements\n"
    yield f"Client `{noted['client']}`, by `make oracle SEED=… CASES=…`. *Same words*: the text that we predict is printed.\n"
    yield "| date | seed | cases | agreements | disagreements | same words | shapes | driver | OpenSSL | system |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for run in noted["runs"]:
        words = f"{run['same_words']} of {run['refusals']} refusals"
        yield (
            f"| {run['date']} | {run['seed']} | {run['cases']} | {run['agreements']} | {run['disagreements']} | {words} "
            f"| {run['shapes']} | {run['driver']} | {run['openssl']} | {run['system']} |"
        )
    yield ""
    if noted["runs"]:
        total = sum(run["cases"] for run in noted["runs"])
        counts: dict[str, int] = {}
        for run in noted["runs"]:
            for reason, count in run["reasons"].items():
                counts[reason] = counts.get(reason, 0) + count
        yield f"Outcomes among these {total} cases:\n"
        yield "| outcome | cases |"
        yield "|---|---|"
        for reason, count in sorted(counts.items(), key=lambda each: -each[1]):
            yield f"| {reason.replace('_', ' ')} | {count} |"
        yield ""


def _section(client: ClientProfile, noted: dict[str, Any]) -> Iterator[str]:
    yield f"## {client.name}\n"
    yield f"`{client.id}`"
    yield ""
    if client.id == noted["client"] and client.basis is Basis.MEASURED:
        total = sum(run["cases"] for run in noted["runs"])
        yield f"**Measured:** {total} cases in {len(noted['runs'])} runs, listed above. It holds for Debian's OpenSSL at"
        yield "security level 2; Ubuntu's refuses TLS 1.0 and 1.1 altogether, and RHEL's crypto policies may refuse more."
    else:
        yield "**Measured:** nothing."
    yield ""
    word = "Documented" if client.basis is not Basis.INFERRED else "Inferred"
    yield f"**{word}:** {'; '.join(_documented(client))}."
    yield ""
    yield "Sources:"
    yield ""
    yield from (f"- {source}" for source in client.sources)
    yield ""
    inferred = sorted(code.value.replace("_", " ") for code in client.inferred)
    yield f"**Inferred:** {'that it refuses these: ' + ', '.join(inferred) if inferred else 'nothing'}."
    yield ""
    opens = list(_open(client))
    yield f"**Open:** {'; '.join(opens) if opens else 'nothing that the tool asks'}."
    yield ""


def _documented(client: ClientProfile) -> Iterator[str]:
    modes = ", ".join(mode.value for mode in client.encrypt_modes)
    yield f"Encrypt is {client.encrypt_default.value} unless stated, and may be {modes}"
    yield {
        Trust.HONOURED: "TrustServerCertificate=yes is honoured",
        Trust.REGISTRY: "TrustServerCertificate=yes counts only with Flag2 = 1 in the registry of the client's host",
        Trust.NONE: "TrustServerCertificate does not exist",
    }[client.trust]
    if client.validates_optional:
        yield "an optional connection is validated all the same"
    elif client.validates_forced:
        yield "an optional connection is validated where the server forces encryption"
    else:
        yield "an optional connection is never validated"
    yield {
        Pin.NONE: "no certificate can be pinned",
        Pin.STRICT: "a pinned certificate counts with Encrypt=Strict only",
        Pin.MANDATORY_AND_STRICT: "a pinned certificate counts with Mandatory and Strict",
    }[client.pin]
    yield {
        HostName.NONE: "HostNameInCertificate does not exist",
        HostName.REPLACES: "HostNameInCertificate replaces the dialled name",
        HostName.ADDS: "HostNameInCertificate may match in place of the dialled name",
    }[client.host_name]
    yield f"it speaks {client.tls_minimum} and later"


def _open(client: ClientProfile) -> Iterator[str]:
    if client.names.ip_address is IpAddress.UNKNOWN:
        yield "how a dialled IP address is matched"
    if client.tls_below is TlsBelow.UNKNOWN:
        yield f"whether its host still allows TLS below {client.tls_minimum}"
    if client.trust is Trust.REGISTRY:
        yield "Flag2 where the registry of the source host was not read"
    if client.unsure:
        yield "what it makes of " + ", ".join(sorted(code.value.replace("_", " ") for code in client.unsure))


def _driver_version() -> str:
    found = re.search(r"-(\d+\.\d+)\.so\.([\d.]+)$", driver_library().name)
    return f"{found[1]}.{found[2]}" if found else driver_library().name


def _openssl_version() -> str:
    library = ctypes.CDLL("libssl.so.3")
    library.OpenSSL_version.restype = ctypes.c_char_p
    version: bytes = library.OpenSSL_version(0)
    return version.decode("ascii").removeprefix("OpenSSL ").split(" ")[0]


def _system() -> str:
    release = platform.freedesktop_os_release()
    return f"{release.get('NAME', 'Linux').removesuffix(' GNU/Linux')} {release.get('VERSION_ID', '')}".strip()


if __name__ == "__main__":
    write_whole(PAGE, page().encode())
