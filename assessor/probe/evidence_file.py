"""Reads evidence back from what ``assessor probe --format json`` printed on another machine."""

from __future__ import annotations

import codecs
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from assessor.errors import UsageError
from assessor.probe.evidence import Endpoint, Evidence
from assessor.report.text import prose, shorten, visible
from assessor.routes import canonical_host

_LARGEST_FILE: Final = 256 * 1024 * 1024
_LONGEST_NAME: Final = 300


class _Record(BaseModel):
    evidence: Evidence


@cache
def _adapter() -> TypeAdapter[list[_Record]]:
    return TypeAdapter(list[_Record])


def evidence_as_json(evidence: Evidence) -> object:
    """The evidence whole, as plain JSON values: what :func:`read_evidence` reads back unchanged."""
    return TypeAdapter(Evidence).dump_python(evidence, mode="json")


def read_evidence(path: Path) -> tuple[Evidence, ...]:
    """The evidence in one file. Raises :class:`~assessor.errors.UsageError` with file, place and mend."""
    shown = visible(str(path))
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UsageError(
                f"{shown} is larger than evidence can be; name a file that `assessor probe --format json` wrote."
            )
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown} can't be read ({error.strerror}); check --evidence.") from None
    return parse_evidence(data, shown)


def parse_evidence(data: bytes, shown: str) -> tuple[Evidence, ...]:
    """The evidence in the bytes of a file. UTF-16 is accepted, for PowerShell 5.1 writes it when it redirects."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    if not text.strip():
        raise UsageError(f"{shown} is empty; write it again with `assessor probe --format json`.")
    try:
        records = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        at = f" at {shorten(visible(place), 100)}" if place else ""
        raise UsageError(
            f"{shown} is not what `assessor probe --format json` writes{at} ({shorten(prose(first['msg']), 150)}); "
            "probe again with this version of assessor."
        ) from None
    evidence = tuple(record.evidence for record in records)
    for number, each in enumerate(evidence):
        if complaint := _complaint(each):
            raise UsageError(
                f"{shown}: target {number + 1} {complaint}; write it again with `assessor probe --format json`."
            )
    return evidence


def _complaint(evidence: Evidence) -> str | None:
    """Why this can't be what a probe saw, or ``None``."""
    if (evidence.failure is None) != (evidence.encryption is not None):
        return "has to have either a failure or an encryption setting"
    if evidence.probed_at.tzinfo is None:
        return "does not say in which time zone it was probed"
    if not evidence.vantage.strip() or len(evidence.vantage) > _LONGEST_NAME:
        return "does not say which machine probed it"
    if not _is_endpoint(evidence.endpoint):
        return "has an endpoint that is none"
    return None


def _is_endpoint(endpoint: Endpoint) -> bool:
    host, port = endpoint.host, endpoint.port
    if not host or host != canonical_host(host) or len(host) > _LONGEST_NAME:
        return False
    return 1 <= port <= 65535 if port is not None else bool(endpoint.instance)
