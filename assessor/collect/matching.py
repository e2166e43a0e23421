"""Saved outputs of the collect script become inventories: which file is of which instance of the estate.

An output is known by what the instance says of itself, never by its file's name. Whatever can't be used, or could be
two things, becomes a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from assessor.collect.connection import AnswerTooLarge
from assessor.collect.failures import Failure, scrub
from assessor.collect.inventory import Gap, GapKind, Identity, Inventory
from assessor.collect.ledger import Ledger, unreached
from assessor.collect.plan import Catalogue, Step
from assessor.collect.queries import load_queries
from assessor.collect.rows import BadAnswer
from assessor.collect.saved import LARGEST_FILE, SavedOutput, UnreadableOutput, read_outputs
from assessor.errors import UsageError
from assessor.estate import Estate, EstateInstance
from assessor.names import DEFAULT_PORT
from assessor.report.text import visible
from assessor.routes import canonical_host

_CERTAIN: Final = 2
_PLAUSIBLE: Final = 1
_NETBIOS: Final = 15  #: characters that ``MachineName`` keeps of a host's name


@dataclass(frozen=True, slots=True)
class SavedOutputs:
    """What a folder of saved outputs holds."""

    outputs: tuple[SavedOutput, ...]
    unreadable: tuple[tuple[str, str], ...] = ()  #: file and reason


def read_folder(folder: Path) -> SavedOutputs:
    """Read every file in ``folder``. Raises :class:`~assessor.errors.UsageError` when there is no folder to read.

    A file that is no output, or not a whole one, is kept with the reason, for it may be the one that matters.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    except OSError as error:
        raise UsageError(
            f"{folder} can't be read as a folder ({error.strerror}); name the one with the saved outputs."
        ) from None
    if not files:
        raise UsageError(f"{folder} is empty; save the output of the collect script into it, one file an instance.")
    outputs: list[SavedOutput] = []
    unreadable: list[tuple[str, str]] = []
    for file in files:
        try:
            if file.stat().st_size > LARGEST_FILE:
                raise UnreadableOutput("it is larger than the queries can have asked for")
            outputs.extend(read_outputs(file.read_bytes(), file.name))
        except UnreadableOutput as error:
            unreadable.append((file.name, str(error)))
        except OSError as error:
            unreadable.append((file.name, f"it can't be read ({error.strerror})"))
    return SavedOutputs(tuple(outputs), tuple(unreadable))


def inventory_of(output: SavedOutput, address: str, catalogue: Catalogue) -> Inventory:
    """The inventory that a live run would have made of the same answers."""
    ledger = Ledger(catalogue)
    taken = True
    while taken:
        taken = False
        for step in ledger.open_steps():
            saved = output.answers.get(step)
            if saved is None:
                continue
            taken = True
            if saved.error is not None:
                ledger.enter_failure(step, saved.error)
                continue
            try:
                ledger.enter(step, saved.answer(ledger.query_of(step)))
            except (BadAnswer, AnswerTooLarge) as error:
                ledger.enter_failure(step, Failure(GapKind.FAILED, None, scrub(str(error))))

    def unasked(step: Step) -> tuple[GapKind, str]:
        return GapKind.FAILED, f"the saved output (script for version {scrub(output.major)}) has no answer to this"

    return ledger.close(address, unasked, collected_at=output.started, connection_validated=None)


def inventories_from(saved: SavedOutputs, estate: Estate) -> tuple[dict[str, Inventory], tuple[Gap, ...]]:
    """The inventory of each instance that has an output, by address; and a gap for each file that came to nothing."""
    catalogue = Catalogue(load_queries())
    gaps = [_gap(f"{file} is left out: {reason}") for file, reason in saved.unreadable]
    claims: dict[str, list[tuple[SavedOutput, Inventory]]] = defaultdict(list)
    for output in saved.outputs:
        inventory = inventory_of(output, "", catalogue)
        addresses = list(_addresses(inventory, estate.instances))
        if inventory.identity is None:
            gaps.append(_gap(f"{output.origin} is left out: {inventory.gaps[0].message}"))
        elif not addresses:
            gaps.append(
                _gap(
                    f"{output.origin} is left out: it is of {_called(inventory.identity)}, and no instance of the estate file "
                    "has such an address"
                )
            )
        elif addresses[0][1] == _PLAUSIBLE and len(addresses) > 1:
            names = ", ".join(address for address, _ in addresses)
            gaps.append(
                _gap(
                    f"{output.origin} is left out: it is of {_called(inventory.identity)}, which may be any of {names}"
                )
            )
        else:
            for address, _ in addresses:
                claims[address].append((output, inventory))
    found: dict[str, Inventory] = {}
    for instance in estate.instances:
        if instance.address in claims:
            found[instance.address] = _settle(instance.address, claims[instance.address], gaps)
    return found, tuple(gaps)


def _settle(address: str, claims: list[tuple[SavedOutput, Inventory]], gaps: list[Gap]) -> Inventory:
    if len({_itself(inventory.identity) for _, inventory in claims if inventory.identity}) > 1:
        files = " and ".join(
            f"{output.origin} ({_called(inventory.identity)})" for output, inventory in claims if inventory.identity
        )
        return unreached(
            address,
            GapKind.FAILED,
            f"different servers claim this address: {files}; write the address with the full DNS name of the one you mean",
        )
    newest_output, newest = max(claims, key=lambda claim: claim[0].started)
    for output, _ in claims:
        if output is not newest_output:
            gaps.append(
                _gap(
                    f"{output.origin} is left out: {newest_output.origin} is a newer output of {address}",
                    loses="nothing, unless the newer one was refused more",
                )
            )
    return replace(newest, instance=address)


def _gap(message: str, loses: str = "what the file says about an instance") -> Gap:
    return Gap("inventory", GapKind.FAILED, visible(message), loses)


def _called(identity: Identity) -> str:
    return (identity.fqdn and f"{identity.server_name} ({identity.fqdn})") or identity.server_name


def _itself(identity: Identity | None) -> str:
    assert identity is not None
    return f"{identity.server_name}|{identity.machine_name}|{identity.domain}".lower()


def _addresses(inventory: Inventory, instances: Iterable[EstateInstance]) -> Iterator[tuple[str, int]]:
    """The addresses that may mean this instance, all of the greatest certainty that any has."""
    if inventory.identity is None:
        return
    ranked = [(each.address, _certainty(each, inventory, inventory.identity)) for each in instances]
    best = max((rank for _, rank in ranked), default=0)
    if best:
        yield from ((address, rank) for address, rank in ranked if rank == best)


def _certainty(instance: EstateInstance, inventory: Inventory, identity: Identity) -> int:
    source = instance.data_source
    host = canonical_host(source.host)
    ports = {listener.port for listener in inventory.listeners if listener.kind == "TSQL"}
    named = (identity.instance_name or "").lower()
    rank = _host_certainty(host, inventory, identity)
    if source.port is not None:
        if not ports:
            return min(rank, _PLAUSIBLE)
        return rank if source.port in ports else 0
    if source.instance is not None:
        return rank if source.instance.lower() == named else 0
    return rank if not named or DEFAULT_PORT in ports else 0


def _host_certainty(host: str, inventory: Inventory, identity: Identity) -> int:
    machine = (identity.machine_name or "").lower()
    server = identity.server_name.partition("\\")[0].lower()
    fqdn = (identity.fqdn or "").lower()
    short, dot, _ = host.partition(".")
    if host in {fqdn, server, machine} - {""} or any(host == each.address for each in inventory.listeners):
        return _CERTAIN
    if dot and fqdn:
        return 0  # the same short name in another domain is another host
    doubtful = {
        machine,
        server,
        (identity.physical_name or "").lower(),
        (identity.registered_name or "").partition("\\")[0].lower(),
    } - {""}
    if short in doubtful or (len(short) > _NETBIOS and short[:_NETBIOS] == machine):
        return _PLAUSIBLE
    return 0
