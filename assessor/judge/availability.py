"""What becomes of the connections of availability groups, failover clusters and mirroring: rule AG-01.

The cluster's own connection runs on ODBC 18 and trusts the certificate by default, so nothing breaks; where
``CLUSTER_CONNECTION_OPTIONS`` says otherwise, it decides. Data moves between database mirroring endpoints, which have an
encryption of their own (connect-with-strict-encryption.md, 2026-05-29; alter-availability-group-transact-sql.md, 2026-01-02).
"""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.options import Encrypt
from assessor.clients.outcome import Outcome
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import profile
from assessor.judge.decide import decide, not_affected, not_assessed
from assessor.judge.facts import EdgeFacts
from assessor.judge.verdicts import Verdict
from assessor.topology.edges import AvailabilityRole, Edge

_NOT_TDS = (
    "Replicas and mirroring partners talk through their database mirroring endpoints, whose encryption is their own: "
    "no TLS of TDS, and no driver that the upgrade changes."
)
_CLIENT = "odbc-18-windows"


def judge_availability(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one connection of a group, a cluster or a mirrored database. Pure."""
    if edge.role is not AvailabilityRole.CLUSTER_CONNECTION:
        return not_affected(_NOT_TDS)
    if edge.options is None:
        return not_assessed(
            f"Whether cluster connection options are set is not known: {edge.options_gap or 'unknown'}.",
            "Look at sys.dm_server_registry or the cluster resource; without options the connection trusts any certificate.",
            rules=("AG-01",),
        )
    if not edge.options.has_text:
        return not_affected(
            "The cluster's connection encrypts and trusts the certificate by default on 2025, so it needs no certificate "
            "and nothing breaks.",
            rules=("AG-01",),
        )
    if edge.options.invalid:
        return not_assessed(
            f"CLUSTER_CONNECTION_OPTIONS of {edge.name} has {', '.join(edge.options.invalid)}, and what the driver makes of "
            "it is not known.",
            "Look at cluster.log, or correct the option.",
            rules=("AG-01",),
        )
    if facts.evidence is None:
        return not_assessed(
            f"CLUSTER_CONNECTION_OPTIONS are set, and {edge.target} can't be probed: {edge.endpoint_gap or 'no evidence'}",
            f"Probe {edge.target} from its own host.",
            rules=("AG-01",),
        )
    verdict = decide(edge, facts, _outcome(edge, facts, today=True), _outcome(edge, facts, today=False))
    return replace(
        verdict,
        rules=("AG-01",),
        remedies=(),
        assumptions=(
            *verdict.assumptions,
            "Which name the cluster's resource dials where HostNameInCertificate is not set is not published; taken to be "
            "the one in the estate file.",
        ),
    )


def _outcome(edge: Edge, facts: EdgeFacts, *, today: bool) -> Outcome:
    assert facts.evidence is not None
    assert edge.options is not None
    trust = edge.options.trust_server_certificate
    attempt = Attempt(
        encrypt=edge.options.encrypt or Encrypt.MANDATORY,
        trust=trust is not False,  # the default here is to trust
        host_name_in_certificate=edge.options.host_name_in_certificate,
        pin_unread=edge.options.server_certificate is not None,
    )
    host = edge.dialled.host if edge.dialled and not edge.dialled.is_local else facts.evidence.endpoint.host
    return predict(profile(_CLIENT), attempt, facts.evidence, facts.chain_today if today else facts.chain_after, host)
