"""What the judge is given for one edge: everything looked up, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from assessor.certificates.chain import ChainAssessment
from assessor.certificates.trust import TrustStore
from assessor.collect.inventory import Inventory, LinkedServer
from assessor.probe.evidence import Evidence

#: Major version of SQL Server 2025.
UPGRADED_MAJOR = 17

#: ``SERVERPROPERTY('EngineEdition')`` of SQL Managed Instance.
MANAGED_INSTANCE = 8

#: The trace flag that keeps OLE DB 18's defaults for linked servers (sp-addlinkedserver-transact-sql.md, 2026-05-01).
LEGACY_TRACE_FLAG = 17600


@dataclass(frozen=True, slots=True)
class EdgeFacts:
    """The facts around one edge. ``today`` is when the run began, ``upgrade`` the planned moment, both UTC."""

    source: Inventory
    wave: int | None  #: the source's; ``None``: it is not upgraded
    evidence: Evidence | None  #: of the edge's endpoint; ``None`` when it was not probed
    chain_today: ChainAssessment
    chain_after: ChainAssessment
    store: TrustStore  #: of the source
    today: datetime
    upgrade: datetime
    horizon: timedelta
    from_source: bool = False  #: the evidence was gathered on the source's own host
    disagreement: str | None = None  #: what another vantage saw differently, in one sentence
    target: Inventory | None = None  #: of the instance that the edge leads to, where it is in the estate
    target_wave: int | None = None

    @property
    def target_major(self) -> int | None:
        """The target's version today: as it says itself, else as its PRELOGIN answer says."""
        if self.target is not None and self.target.identity is not None:
            return self.target.identity.major_version
        major = (self.evidence.server_version or "").partition(".")[0] if self.evidence is not None else ""
        return int(major) if major.isascii() and major.isdigit() else None

    @property
    def major(self) -> int | None:
        """The source's version today; ``None`` when its identity could not be read."""
        return self.source.identity.major_version if self.source.identity else None

    @property
    def is_upgraded(self) -> bool:
        """The plan upgrades the source, and it is not there yet.

        SQL Managed Instance reports version 12 and is not upgraded by its owner (catalog reference, A.1).
        """
        if self.wave is None or self.major is None or self.major >= UPGRADED_MAJOR:
            return False
        return self.source.identity is None or self.source.identity.engine_edition != MANAGED_INSTANCE

    @property
    def stays_older(self) -> bool:
        """The source is older than 2025 and remains so, and with it the drivers that it brought."""
        return self.major is not None and self.major < UPGRADED_MAJOR and not self.is_upgraded

    @property
    def is_linux(self) -> bool:
        """The source runs on Linux, where the driver's registry can't be set (rule LS-18)."""
        return self.source.identity is not None and self.source.identity.platform == "Linux"

    @property
    def legacy_flag(self) -> bool | None:
        """Trace flag 17600 is a start-up parameter, so it outlives the upgrade; ``None`` when that is unknown.

        A start-up flag is on from the start, so a flag that is off now needs no look at the parameters.
        """
        for flag in self.source.trace_flags:
            if flag.number == LEGACY_TRACE_FLAG and (flag.enabled_globally or flag.at_startup):
                return flag.at_startup
        return None if self.source.lacks("trace_flags") else False

    def linked_server(self, name: str) -> LinkedServer | None:
        """The definition behind a linked-server edge."""
        return next((server for server in self.source.linked_servers if server.name == name), None)
