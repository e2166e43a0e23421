"""What becomes of replication's connections: rules RP-01, RP-02 and RP-08, and what is left open about the agents.

Microsoft's pages disagree about the agents: the TLS 1.3 page (2026-05-15) says that replication as a whole uses
OLE DB 19 with Encrypt=Mandatory, the breaking-changes page (2026-07-02) that data keeps flowing and only the publisher's
hidden link to a remote distributor fails. A valid certificate satisfies both; without one an agent is *not assessed*.
"""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.clients.outcome import Outcome
from assessor.clients.predict import predict
from assessor.clients.profiles import profile
from assessor.judge.attempts import attempt_of
from assessor.judge.decide import decide, not_affected, not_assessed
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Owner, Remedy, RemedyId
from assessor.topology.edges import Edge, ReplicationRole

_DATA_FLOWS = (
    "Data keeps flowing; changes to publications, Replication Monitor and the agents' status in SSMS fail "
    "(breaking-changes page, 2026-07-02)."
)


def judge_replication(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one replication conversation. Pure."""
    major = facts.major
    if major is None:
        return not_assessed(f"The version of {edge.source} is not known.", f"Let the tool connect to {edge.source}.")
    if not facts.is_upgraded and major < UPGRADED_MAJOR:
        return not_affected(f"{edge.source} is not upgraded, so its side of replication does not change.")
    if facts.evidence is None:
        return not_assessed(
            f"The partner can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Name the partner's TCP address in a route, or probe it from the source host.",
            rules=("RP-01",) if edge.role is ReplicationRole.DISTRIBUTOR_LINK else (),
        )
    before = _outcome(edge, facts, "oledb-18" if major < UPGRADED_MAJOR else "oledb-19", today=True)
    after = _outcome(edge, facts, "oledb-19", today=False)
    if edge.role is ReplicationRole.DISTRIBUTOR_LINK:
        return _distributor_link(edge, facts, before, after)
    return _agent(edge, facts, before, after)


def _outcome(edge: Edge, facts: EdgeFacts, client_id: str, *, today: bool) -> Outcome:
    assert facts.evidence is not None
    client = profile(client_id)
    encrypt = Encrypt.MANDATORY if client_id == "oledb-19" else None
    attempt = attempt_of(client, ConnectionOptions(encrypt=encrypt), facts.source.client_flags)
    host = edge.dialled.host if edge.dialled and edge.dialled.host else facts.evidence.endpoint.host
    return predict(client, attempt, facts.evidence, facts.chain_today if today else facts.chain_after, host)


def _distributor_link(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome) -> Verdict:
    if facts.major is not None and facts.major >= UPGRADED_MAJOR and after.connects is False:
        return not_assessed(
            f"{edge.source} is on 2025 already, and the security properties of its distributor were not read. "
            f"Without them: {after.explanation}",
            "Look at encrypt_distributor_connection and trust_distributor_certificate (sp_helpdistributor_properties).",
            rules=("RP-01",),
        )
    if facts.legacy_flag is not False and after.connects is False:
        return not_assessed(
            f"Whether trace flag 17600 also covers the hidden link to the distributor is not documented. "
            f"Without it: {after.explanation}",
            "Test on a restored pair, or give the distributor a valid certificate, which settles it.",
            rules=("RP-01",),
        )
    verdict = decide(edge, facts, before, after)
    if verdict.kind not in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY):
        return replace(verdict, rules=("RP-01", "RP-08") if edge.in_availability_group else ("RP-01",))
    rules = ["RP-01", "RP-02"]
    reasons = [*verdict.reasons, _DATA_FLOWS, "sp_adddistributor against this distributor would fail too."]
    if edge.in_availability_group:
        rules.append("RP-08")
        reasons.append("The publisher is in an availability group: a distributor property must be set on every node.")
    secure = tuple(remedy for remedy in verdict.remedies if remedy.is_secure and remedy.id is not RemedyId.HOST_NAME)
    secure = tuple(remedy for remedy in secure if remedy.id is not RemedyId.DIAL_NAME)
    return replace(
        verdict,
        rules=tuple(rules),
        reasons=tuple(reasons),
        remedies=(*secure, *_properties(edge, facts)),
        assumptions=(
            *verdict.assumptions,
            "The pages do not say whether Flag2 also gates trust_distributor_certificate.",
        ),
    )


def _properties(edge: Edge, facts: EdgeFacts) -> tuple[Remedy, ...]:
    where = f"Run on {edge.source}" + (" and every node of its group." if edge.in_availability_group else ".")
    remedies: list[Remedy] = []
    leaf = facts.chain_after.path[0] if facts.chain_after.path else None
    names = [name for name in (leaf.dns_names if leaf else ()) if "*" not in name]
    if names and facts.chain_after.is_anchored:
        remedies.append(
            Remedy(
                RemedyId.HOST_NAME,
                f"Set host_name_in_distributor_certificate to {names[0]}",
                f"EXEC sys.sp_changedistributor_property N'host_name_in_distributor_certificate', N'{_literal(names[0])}'. {where}",
                is_secure=True,
                price="",
                owner=Owner.SOURCE_DBA,
                only_after_upgrade=True,
            )
        )
    remedies.append(
        Remedy(
            RemedyId.TRUST,
            "Set trust_distributor_certificate to yes",
            f"EXEC sys.sp_changedistributor_property N'trust_distributor_certificate', N'yes'. {where} "
            "Set it back to no once the distributor has a valid certificate.",
            is_secure=False,
            price="The distributor's certificate is no longer checked.",
            owner=Owner.SOURCE_DBA,
            only_after_upgrade=True,
        )
    )
    return tuple(remedies)


def _agent(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome) -> Verdict:
    if after.connects is not False or before.connects is False:
        return decide(edge, facts, before, after)
    return not_assessed(
        "Microsoft's pages disagree on whether replication agents validate after the upgrade, and this certificate would "
        f"not pass: {after.explanation}",
        f"Give {edge.target} a certificate that {edge.source} trusts, which settles it either way, or test the agent on a "
        "restored pair.",
    )


def _literal(text: str) -> str:
    """``text`` inside a T-SQL string literal: names in certificates are other people's data."""
    return text.replace("'", "''")
