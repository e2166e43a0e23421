"""Edges of modules, jobs and external data sources, judged: an instance that opens one, and one endpoint behind it."""

from __future__ import annotations

from typing import Any

from assessor.collect.inventory import (
    EncryptionSettings,
    FeatureSettings,
    Gap,
    Identity,
    Inventory,
    LinkedServer,
    TraceFlag,
    Usage,
)
from assessor.judge.judge import Case, judge_edges
from assessor.probe.evidence import EncryptionAnswer, Evidence, TlsSession
from assessor.snapshot import AssessedEdge
from assessor.topology.build import build_edges

from . import cases

SRC = "src.corp.example"


def judged(
    *,
    chain: tuple[str, ...] | None = None,
    encryption: EncryptionAnswer = EncryptionAnswer.OFF,
    strict: bool = False,
    version: str = "15.0.4430.1",
    platform: str = "Windows",
    wave: int | None = 1,
    trusts: bool = True,
    probed: bool = True,
    force_strict: bool | None = False,
    features: FeatureSettings = FeatureSettings(ad_hoc_queries=True),  # noqa: B008 - frozen
    trace_flags: tuple[TraceFlag, ...] = (),
    gaps: tuple[Gap, ...] = (),
    loaded: str | None = "AB" * 20,
    self_generated: bool | None = False,
    linked_servers: tuple[LinkedServer, ...] = (),
    usages: tuple[Usage, ...] = (),
    known: bool = True,
    **facts: Any,
) -> AssessedEdge:
    """The first edge that this instance opens. ``chain`` is what every endpoint presents; the fallback when ``None``."""
    identity = Identity("SRC", "SRC", "SRC", "SRC", None, version, None, 3, platform, "corp.example")
    inventory = Inventory(
        instance=SRC,
        identity=identity if known else None,
        encryption=EncryptionSettings(
            force_strict=force_strict, loaded_thumbprint=loaded, self_generated=self_generated
        ),
        trace_flags=trace_flags,
        linked_servers=linked_servers,
        usages=usages,
        gaps=gaps,
        feature_settings=features,
        **facts,
    )
    edges = build_edges([inventory], [SRC]).edges
    session = TlsSession("TLSv1.2", "cipher", None, chain if chain is not None else cases.fallback())
    evidence = {}
    for edge in edges:
        if edge.endpoint is not None and probed:
            evidence[edge.endpoint.id] = Evidence(
                edge.endpoint,
                "probehost",
                cases.TODAY,
                encryption=encryption,
                tls=None if encryption is EncryptionAnswer.STRICT_ONLY else session,
                strict=session if strict or encryption is EncryptionAnswer.STRICT_ONLY else None,
            )
    trust = cases.store(*((cases.root(),) if trusts else ()))
    case = Case(
        inventories={SRC: inventory},
        waves={SRC: wave},
        stores={SRC: trust},
        default_store=trust,
        evidence=evidence,
        today=cases.TODAY,
        upgrade_date=cases.UPGRADE,
        horizon_days=90,
    )
    return judge_edges(edges, case)[0]
