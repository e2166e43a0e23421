"""The folder that ``assessor remedies`` writes: requests, scripts and their undo, and a README that lists them in order.

Pure: it makes texts. Nothing in them is ever executed by us. A change that no script would be right for is listed in the
README with the reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.collect.inventory import Inventory
from assessor.errors import UsageError
from assessor.names import BadDataSource, is_ip_address, parse_data_source
from assessor.remedies.actions import Action, actions_for, breaking_without_action, plan_actions
from assessor.remedies.dialled_names import DialledNames
from assessor.remedies.ladder import IN_DEFINITION, Change
from assessor.remedies.powershell import flag_script, import_script, remove_script
from assessor.remedies.requests import certreq_inf, openssl_config
from assessor.remedies.tsql import NotScripted, Script, definition_script, distributor_script
from assessor.report.text import shorten, visible
from assessor.snapshot import AssessedEdge, Snapshot
from assessor.topology.edges import EdgeKind

README = "README.md"
_DISTRIBUTOR = frozenset({Change.DISTRIBUTOR_HOST_NAME, Change.DISTRIBUTOR_TRUST})
_NOT_IN_A_FILE_NAME = re.compile(r"[^a-z0-9._-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&:-])")


@dataclass(frozen=True, slots=True)
class RemedyFile:
    """One file: its path below the folder, with ``/``, and its bytes."""

    path: str
    data: bytes


def remedy_files(snapshot: Snapshot, *, secure_only: bool = False, only: str | None = None) -> tuple[RemedyFile, ...]:
    """Every file to write, the README first. ``only`` limits them to changes done on one server.

    Raises :class:`~assessor.errors.UsageError` when no change is done on that server.
    """
    everything = plan_actions(snapshot, secure_only=secure_only)
    actions = [action for action in everything if only is None or _is_named(action.on, only)]
    if only is not None and not actions:
        known = ", ".join(sorted({visible(action.on) for action in everything})) or "none"
        raise UsageError(f"There is nothing to change on {visible(only)}. Changes are due on: {known}.")
    writer = _Writer(snapshot)
    for number, action in enumerate(actions, start=1):
        writer.add(number, action)
    readme = _readme(snapshot, actions, everything, writer, secure_only=secure_only, only=only)
    return (RemedyFile(README, readme.encode("utf-8", "replace")), *writer.files)


def file_slug(text: str) -> str:
    """``text`` as part of a file name on any system; texts that had to be changed get six digits of their own."""
    lowered = text.lower()
    slug = _NOT_IN_A_FILE_NAME.sub("-", lowered).strip("-.")[:48].strip("-.")
    if slug and slug == lowered and not _RESERVED.fullmatch(slug):
        return slug
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{slug}-{digest}" if slug and not _RESERVED.fullmatch(slug) else f"server-{digest}"


def _is_named(server: str, wanted: str) -> bool:
    """``wanted`` is the server's address, in any case, or the first label of it."""
    full, short = server.casefold(), wanted.casefold()
    host, rest = re.match(r"([^\\,]*)(.*)", full, re.DOTALL).groups()  # type: ignore[union-attr]
    return short in (full, host.partition(".")[0] + rest)


@dataclass(slots=True)
class _Writer:
    snapshot: Snapshot
    files: list[RemedyFile] = field(default_factory=list)
    of_action: dict[str, list[str]] = field(default_factory=dict)  #: action id → paths
    notes: dict[str, list[str]] = field(default_factory=dict)  #: action id → why there is no script, or what else
    _edges: dict[str, AssessedEdge] = field(init=False)
    _inventories: dict[str, Inventory] = field(init=False)

    def __post_init__(self) -> None:
        self._edges = {edge.id: edge for edge in self.snapshot.edges}
        self._inventories = {inventory.instance: inventory for inventory in self.snapshot.inventories}

    def add(self, number: int, action: Action) -> None:
        """Write whatever files help with one action."""
        self.of_action.setdefault(action.id, [])
        part = "" if action.chosen else "alternatives/" if action.is_alternative else "hardening/"
        folder = f"{part}{number:03}-{action.kind.value}-{file_slug(action.on)}"
        if action.kind is Change.CERTIFICATE and action.names is not None:
            self._certificate(folder, action, action.names)
        elif action.kind in (Change.ROOT, Change.SELF_SIGNED):
            self._trust(folder, action)
        elif action.kind in IN_DEFINITION:
            self._definition(folder, action)
        elif action.kind in _DISTRIBUTOR:
            inventory = self._inventories.get(action.on)
            if inventory is None:
                self._note(action, f"{action.on} was not read, so there is no script for it.")
            else:
                self._script(folder, action, lambda: distributor_script(action, inventory))

    # ------------------------------------------------------------------ by kind

    def _certificate(self, folder: str, action: Action, names: DialledNames) -> None:
        if names.san:
            stem = file_slug(action.on)
            self._file(f"{folder}/{stem}.inf", action, certreq_inf(action.on, names).encode("ascii"))
            self._file(f"{folder}/{stem}.cnf", action, openssl_config(action.on, names, stem).encode("ascii"))
        else:
            self._note(action, "No name is dialled that a certificate could carry, so there is no request.")
        by_address = [self._edges[edge] for edge in action.edges if _dials_address(self._edges[edge])]
        for number, edge in enumerate(by_address, start=1):
            name = names.common_name
            if name is None or edge.kind is not EdgeKind.LINKED_SERVER:
                continue
            dial = replace(
                action,
                title=f"Dial {name} instead of an IP address in {edge.name}",
                kind=Change.DATA_SOURCE,
                on=edge.source,
                subject=edge.name,
                setting=name,
            )
            self._definition(f"{folder}/dial-{number}-{file_slug(edge.source)}", dial)

    def _trust(self, folder: str, action: Action) -> None:
        inventory = self._inventories.get(action.on)
        if inventory is not None and inventory.identity is not None and inventory.identity.platform == "Linux":
            self._note(
                action,
                "The host runs Linux: put the CA's certificate into the system's CA folder. Whether the engine's own driver "
                "reads it there is not documented: test it.",
            )
            return
        certificate = self._sent(action)
        if certificate is None:
            self._note(action, "No server sent this certificate: get the file and its thumbprint from PKI.")
        self._file(f"{folder}/trust.ps1", action, _windows(import_script(action, certificate)))
        self._file(f"{folder}/trust.undo.ps1", action, _windows(remove_script(action, certificate)))

    def _definition(self, folder: str, action: Action) -> None:
        inventory = self._inventories.get(action.on)
        row = next((row for row in inventory.linked_servers if row.name == action.subject), None) if inventory else None
        if inventory is None or row is None:
            self._note(
                action, f"The definition {action.subject} on {action.on} was not read, so there is no script for it."
            )
            return
        is_scripted = self._script(folder, action, lambda: definition_script(action, inventory, row))
        if action.kind is not Change.TRUST or inventory.client_flags.sni19_flag2 == 1 or not is_scripted:
            return
        if inventory.identity is not None and inventory.identity.platform == "Linux":
            self._note(
                action, "The host runs Linux, where Flag2 can't be set: this change may have no effect (rule LS-18)."
            )
            return
        self._note(action, "After the upgrade read Flag2: while it is 0, TrustServerCertificate=yes is ignored.")
        self._file(f"{folder}/flag2.ps1", action, _windows(flag_script(action.on, undo=False)))
        self._file(f"{folder}/flag2.undo.ps1", action, _windows(flag_script(action.on, undo=True)))

    # ------------------------------------------------------------------ parts

    def _script(self, folder: str, action: Action, make: Callable[[], Script]) -> bool:
        try:
            script = make()
        except NotScripted as why:
            self._note(action, f"No script for {action.subject or action.on}: {why}.")
            return False
        stem = file_slug(action.subject) if action.subject else action.kind.value
        self._file(f"{folder}/{stem}.sql", action, _windows(script.change))
        self._file(f"{folder}/{stem}.undo.sql", action, _windows(script.undo))
        return True

    def _sent(self, action: Action) -> Certificate | None:
        """The certificate to trust, if one of the targets sent it: the last of its chain, or its own."""
        endpoints = {endpoint.id: endpoint for endpoint in self.snapshot.endpoints}
        for edge_id in action.edges:
            endpoint = endpoints.get(self._edges[edge_id].endpoint or "")
            for pem in endpoint.evidence.chain if endpoint else ():
                try:
                    certificate = Certificate.from_pem(pem)
                    wanted = action.kind is Change.SELF_SIGNED or certificate.subject == action.subject
                    if wanted and certificate.is_self_signed:
                        return certificate
                except UnreadableCertificate:
                    break
        return None

    def _file(self, path: str, action: Action, data: bytes) -> None:
        taken = {file.path for file in self.files}
        stem, dot, ending = path.rpartition("/")[2].partition(".")
        folder, number, free = path.rpartition("/")[0], 1, path
        while free in taken:
            number += 1
            free = f"{folder}/{stem}-{number}{dot}{ending}"
        self.files.append(RemedyFile(free, data))
        self.of_action[action.id].append(free)

    def _note(self, action: Action, text: str) -> None:
        self.notes.setdefault(action.id, []).append(text)


def _dials_address(edge: AssessedEdge) -> bool:
    try:
        return edge.data_source is not None and is_ip_address(parse_data_source(edge.data_source).host)
    except BadDataSource:
        return False


def _windows(text: str) -> bytes:
    """With a byte order mark, without which SSMS, sqlcmd and PowerShell 5.1 take a file for the console's code page."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8-sig", "replace")


# ------------------------------------------------------------------------------------------------ the README


def _readme(
    snapshot: Snapshot,
    actions: Sequence[Action],
    everything: Sequence[Action],
    writer: _Writer,
    *,
    secure_only: bool,
    only: str | None,
) -> str:
    chosen = [action for action in actions if action.chosen]
    hardening = [action for action in actions if not action.chosen and not action.is_alternative]
    others = [action for action in actions if action.is_alternative]
    lines = [
        f"# What to change: {_md(snapshot.estate.name)}",
        "",
        f"For the upgrade on {snapshot.estate.upgrade_date}, from the assessment of {snapshot.run.started:%Y-%m-%d %H:%M} UTC.",
        "Every file is for review: assessor executes nothing. Each script stops by itself on the wrong instance, before the",
        "upgrade where it needs it, and while a secret is missing. Each has its undo beside it.",
        "",
    ]
    if only is not None:
        lines += [f"Only what is done on {_md(only)}.", ""]
    if secure_only:
        lines += ["Changes that switch validation or encryption off are left out (`--secure-only`).", ""]
    lines += ["## In this order", ""]
    numbers = {action.id: number for number, action in enumerate(actions, start=1)}

    def entries(of: Sequence[Action]) -> list[str]:
        return [line for action in of for line in _entry(numbers[action.id], action, writer, everything)]

    lines += entries(chosen)
    lines += [] if chosen else ["Nothing has to be changed that a script could change.", ""]
    helpless = breaking_without_action(snapshot, everything)
    if helpless:
        lines += [
            "## Still breaking",
            "",
            "No change is known" + (" that is secure" if secure_only else "") + " for:",
            "",
        ]
        lines += [f"- {_md(edge.source)} → {_md(edge.target)} ({_md(edge.name)})" for edge in helpless]
        lines.append("")
    if hardening:
        lines += ["## Hardening", "", "Nothing breaks without these; with them, validation can be switched on.", ""]
        lines += entries(hardening)
    if others:
        lines += ["## Alternatives", "", "Instead of, not besides, the changes above.", ""]
        lines += entries(others)
    return "\n".join(lines)


def _entry(number: int, action: Action, writer: _Writer, everything: Sequence[Action]) -> Iterator[str]:
    yield f"### {number}. {_md(action.title)}"
    yield ""
    mends = (
        f"mends {len(action.edges)}, {action.unblocks} of which break" if action.edges else "mends nothing that breaks"
    )
    if action.hardens:
        mends += f"; lets {len(action.hardens)} more be validated"
    wave = "" if action.wave is None else f", before wave {action.wave}"
    when = "only after the upgrade" if action.only_after_upgrade else f"now{wave}"
    yield f"- {mends}; by {action.owner.value} on {_md(action.on)}; {when}" + ("; restart" if action.restart else "")
    if not action.is_secure:
        yield f"- **NOT SECURE.** {_md(action.price)}"
    elif action.price:
        yield f"- Price: {_md(action.price)}"
    yield f"- {_md(action.detail)}"
    for path in writer.of_action.get(action.id, ()):
        yield f"- [{path}]({path})"
    for note in writer.notes.get(action.id, ()):
        yield f"- {_md(note)}"
    yield f"- Verify: {_md(action.verify)}"
    yield f"- Undo: {_md(action.undo)}"
    instead = {
        other.id: other for edge in action.edges for other in actions_for(edge, everything) if other.id != action.id
    }
    if action.chosen and instead:
        shown = [_md(other.title) for other in list(instead.values())[:3]]
        more = f" and {len(instead) - 3} more" if len(instead) > 3 else ""
        yield f"- Instead, for all or some of it: {'; '.join(shown)}{more}"
    yield ""


def _md(text: str) -> str:
    """Text for Markdown: one line, no markup of its own."""
    return _MARKDOWN.sub(r"\\\1", shorten(visible(text), 1000)).replace("\\<", "&lt;").replace("\\&", "&amp;")
