"""``assessor probe``: the certificate of one or more servers, and what each client makes of it."""

from __future__ import annotations

import shutil
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from assessor.certificates.certificate import Certificate
from assessor.certificates.trust import load_certificates, load_trust_store, system_trust_store
from assessor.cli.options import Format
from assessor.clients.profiles import load_profiles, profile
from assessor.errors import ExitCode, UsageError
from assessor.examination import Question, examine
from assessor.names import BadDataSource, DataSource, parse_data_source
from assessor.probe.endpoints import Unprobed, endpoint_for
from assessor.probe.evidence import Endpoint
from assessor.probe.scheduler import probe_all
from assessor.probe.settings import ProbeSettings
from assessor.probe.targets import read_targets
from assessor.report.examination import examination_text, examinations_json
from assessor.routes import RouteError, Routes


def probe(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...", help=r"As a client dials it: HOST, HOST\INST, HOST,1433, tcp:…", show_default=False
        ),
    ] = None,
    targets_file: Annotated[
        Path | None,
        typer.Option(
            "--targets", metavar="FILE", help="Targets from a file, as probe-list writes it.", show_default=False
        ),
    ] = None,
    trust_store: Annotated[
        Path | None,
        typer.Option(
            help="PEM, DER or PKCS #7 file, or a folder of them. [default: this machine's store]", show_default=False
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Judge validity on this date, e.g. 2027-03-20. [default: now]", show_default=False
        ),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this client; repeatable. [default: all]", show_default=False),
    ] = None,
    host_name_in_certificate: Annotated[
        str | None, typer.Option(metavar="NAME", help="As the option HostNameInCertificate.", show_default=False)
    ] = None,
    server_certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="As the option ServerCertificate: the certificate to pin.", show_default=False
        ),
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST[:PORT]=ADDRESS[:PORT]", help="Dial ADDRESS for HOST; repeatable.", show_default=False
        ),
    ] = None,
    vantage: Annotated[
        str | None,
        typer.Option(
            metavar="HOST", help="What this machine is called in the result. [default: its name]", show_default=False
        ),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="text or json, on stdout.")] = Format.TEXT,
) -> None:
    """Read the certificate of each TARGET over TDS, without logging in, and say what each client would experience.

    Exit codes: 0 all targets answered, 2 bad usage, 3 some did not answer, 4 none did.
    """
    question = Question(
        clients=tuple(profile(each) for each in client) if client else load_profiles(),
        store=load_trust_store(trust_store) if trust_store else system_trust_store(),
        at=_moment(at),
        host_name_in_certificate=host_name_in_certificate,
        pin=_pin(server_certificate),
    )
    parsed = [_parse(text) for text in _targets(targets or [], targets_file)]
    settings = ProbeSettings(routes=parse_routes(route or []))
    if vantage is not None:
        settings = replace(settings, vantage=vantage.strip() or settings.vantage)
    evidence = probe_all([endpoint for _, endpoint in parsed], settings, threading.Event())
    by_id = {each.endpoint.id: each for each in evidence}
    examinations = [examine(source, by_id[endpoint.id], question) for source, endpoint in parsed]
    if output is Format.JSON:
        sys.stdout.write(examinations_json(examinations))
    else:
        width = shutil.get_terminal_size((120, 24)).columns
        for examination in examinations:
            sys.stdout.write(examination_text(examination, width, sys.stdout.isatty()))
    reached = sum(examination.evidence.reachable for examination in examinations)
    if reached == 0:
        raise typer.Exit(int(ExitCode.NOTHING_REACHED))
    if reached < len(examinations):
        raise typer.Exit(int(ExitCode.NOT_ALL_ASSESSED))


def _targets(given: list[str], file: Path | None) -> list[str]:
    if file is None:
        if not given:
            raise UsageError("No target was named; write assessor probe HOST, or name a list with --targets FILE.")
        return given
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{file} can't be read ({reason}); check --targets.") from None
    return [*given, *read_targets(text, str(file))]


def _parse(text: str) -> tuple[DataSource, Endpoint]:
    if not text.strip():
        raise UsageError(
            "A target is empty; write it as a client dials it, such as SQL01,1433 (or . for this machine)."
        )
    try:
        source = parse_data_source(text)
    except BadDataSource as error:
        raise UsageError(str(error)) from None
    endpoint = endpoint_for(source, "localhost")
    if isinstance(endpoint, Unprobed):
        raise UsageError(f"{text} can't be probed: {endpoint.reason}")
    return source, endpoint


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise UsageError(f"--at {text!r} is no date; write it as 2027-03-20.") from None


def _pin(path: Path | None) -> Certificate | None:
    if path is None:
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror}); check --server-certificate.") from None
    certificates = load_certificates(data, str(path))
    if len(certificates) != 1:
        raise UsageError(f"{path} holds {len(certificates)} certificates; name a file with the one to pin.")
    return certificates[0]


def parse_routes(texts: list[str]) -> Routes:
    """What ``--route`` was given. Raises :class:`UsageError`."""
    table: dict[str, str] = {}
    for text in texts:
        host, equals, address = text.partition("=")
        if not equals:
            raise UsageError(f"--route {text!r} is not of the form HOST=ADDRESS.")
        table[host.strip()] = address.strip()
    try:
        return Routes.parse(table)
    except RouteError as error:
        raise UsageError(f"--route: {error}") from None
