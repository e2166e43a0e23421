"""What becomes of replication's connections: rules RP-01, RP-02, RP-06 to RP-08, and what is left open about the agents.

Microsoft's pages disagree about the agents: the TLS 1.3 page (2026-05-15) says that replication as a whole uses
OLE DB 19 with Encrypt=Mandatory, the breaking-changes page (2026-07-02) that data keeps flowing and only the publisher's
hidden link to a remote distributor fails. A valid certificate satisfies both; without one an agent is *not assessed*,
unless its own switch decides: ``-EncryptionLevel`` 2 verifies the certificate, before the upgrade and after it
(replication-distribution-agent.md, 2025-05-30; levels 3 and 4 need a sender on 2025).
"""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.options import ENCRYPT_WORDS, ConnectionOptions, Encrypt
from assessor.clients.outcome import Outcome, ReasonClass
from assessor.clients.predict import predict
from assessor.clients.profiles import profile
from assessor.judge.attempts import attempt_of
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.linked_server import judge_linked_server
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Change, Owner, Remedy, RemedyId
from assessor.topology.edges import AgentSwitches, Edge, ReplicationRole

#: Values of ``-EncryptionLevel``.
_ISSUER_UNCHECKED, _VERIFIES, _TOWARDS_MANAGED_INSTANCE, _TLS_1_3 = 1, 2, 3, 4
#: An agent has no definition that could be edited: what helps it is a certificate.
_OF_THE_CERTIFICATE = frozenset({RemedyId.CERTIFICATE, RemedyId.IMPORT_SELF_SIGNED})

_DATA_FLOWS = (
    "Data keeps flowing; changes to publications, Replication Monitor and the agents' status in SSMS fail "
    "(breaking-changes page, 2026-07-02)."
)


def judge_replication(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one replication conversation. Pure."""
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded, so its side of replication does not change.")
    if edge.role is ReplicationRole.IMMEDIATE_UPDATING:
        verdict = judge_linked_server(edge, facts)
        return replace(verdict, rules=tuple(dict.fromkeys((*verdict.rules, "RP-07"))))
    if facts.evidence is None:
        return not_assessed(
            f"The partner can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Name the partner's TCP address in a route, or probe it from the source host.",
            rules=("RP-01",) if edge.role is ReplicationRole.DISTRIBUTOR_LINK else (),
        )
    if edge.role is ReplicationRole.DISTRIBUTOR_LINK and major >= UPGRADED_MAJOR:
        return _link_on_2025(edge, facts)
    old = "oledb-18" if major < UPGRADED_MAJOR else "oledb-19"
    after = _outcome(edge, facts, "oledb-19", today=False)
    if edge.agent is not None and edge.agent.level is not None and edge.agent.level >= _VERIFIES:
        mandatory = ConnectionOptions(encrypt=Encrypt.MANDATORY)
        return _verifying_agent(edge, facts, edge.agent, _outcome(edge, facts, old, mandatory, today=True), after)
    before = _outcome(edge, facts, old, today=True)
    if edge.role is ReplicationRole.DISTRIBUTOR_LINK:
        return _distributor_link(edge, facts, before, after)
    return _agent(edge, facts, before, after)


def _outcome(
    edge: Edge, facts: EdgeFacts, client_id: str, options: ConnectionOptions | None = None, *, today: bool
) -> Outcome:
    assert facts.evidence is not None
    client = profile(client_id)
    if options is None:
        options = ConnectionOptions(encrypt=Encrypt.MANDATORY if client_id == "oledb-19" else None)
    attempt = attempt_of(client, options, facts.source.client_flags)
    if edge.role is ReplicationRole.DISTRIBUTOR_LINK and attempt.flag2 is False:
        attempt = replace(attempt, flag2=None)  # whether it gates trust_distributor_certificate is not documented
    host = edge.dialled.host if edge.dialled and edge.dialled.host else facts.evidence.endpoint.host
    return predict(client, attempt, facts.evidence, facts.chain_today if today else facts.chain_after, host)


def _distributor_link(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome) -> Verdict:
    if facts.legacy_flag is not False and after.connects is False:
        return not_assessed(
            f"Whether trace flag 17600 also covers the hidden link to the distributor is not documented. "
            f"Without it: {after.explanation}",
            "Test on a restored pair, or give the distributor a valid certificate, which settles it.",
            rules=("RP-01",),
        )
    return _with_the_links_rules(edge, facts, decide(edge, facts, before, after))


def _link_on_2025(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The publisher is on 2025 already: its own properties decide, today and later."""
    properties = facts.source.distributor_properties
    if properties is None:
        default = _outcome(edge, facts, "oledb-19", today=False)
        return not_assessed(
            f"{edge.source} is on 2025 already, and the security properties of its distributor were not read. "
            f"With the defaults: {default.explanation}",
            "Grant SELECT on msdb.dbo.MSdistributor, or look there at encrypt_distributor_connection, "
            "trust_distributor_certificate and host_name_in_distributor_certificate.",
            rules=("RP-01",),
        )
    values = {each.name.lower(): (each.value or "").strip() for each in properties}
    word = values.get("encrypt_distributor_connection", "")
    trust = values.get("trust_distributor_certificate", "").lower()
    if (word and word.lower() not in ENCRYPT_WORDS) or trust not in ("", "yes", "no"):
        return not_assessed(
            f"A security property of the distributor has a value that no page describes: {word or trust!r}.",
            "Set it anew with sp_changedistributor_property.",
            rules=("RP-01",),
        )
    options = ConnectionOptions(
        encrypt=ENCRYPT_WORDS.get(word.lower(), Encrypt.MANDATORY),
        trust_server_certificate=trust == "yes",
        host_name_in_certificate=values.get("host_name_in_distributor_certificate") or None,
    )
    before = _outcome(edge, facts, "oledb-19", options, today=True)
    after = _outcome(edge, facts, "oledb-19", options, today=False)
    stated = (
        "; ".join(f"{name} = {value}" for name, value in values.items() if value) or "none is set, so the defaults hold"
    )
    verdict = decide(edge, facts, before, after, (f"Security properties of the distributor: {stated}.",))
    return _with_the_links_rules(edge, facts, verdict)


def _with_the_links_rules(edge: Edge, facts: EdgeFacts, verdict: Verdict) -> Verdict:
    if verdict.kind not in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY):
        return replace(verdict, rules=("RP-01", "RP-08") if edge.in_availability_group else ("RP-01",))
    rules = ["RP-01", "RP-02"]
    reasons = [*verdict.reasons, _DATA_FLOWS, "sp_adddistributor against this distributor would fail too."]
    if "(peer-to-peer)" in edge.detail:
        reasons.append("Every peer with a remote distributor is a publisher of its own and needs the property, too.")
    if edge.in_availability_group:
        rules.append("RP-08")
        reasons.append("The publisher is in an availability group: a distributor property must be set on every node.")
    secure = tuple(remedy for remedy in verdict.remedies if remedy.is_secure and remedy.id is not RemedyId.HOST_NAME)
    secure = tuple(remedy for remedy in secure if remedy.id is not RemedyId.DIAL_NAME)
    return replace(
        verdict,
        rules=tuple(rules),
        reasons=tuple(reasons),
        remedies=(*secure, *_properties(edge, facts, verdict.after)),
        assumptions=(
            *verdict.assumptions,
            "The pages do not say whether Flag2 also gates trust_distributor_certificate.",
        ),
    )


def _properties(edge: Edge, facts: EdgeFacts, after: Outcome | None) -> tuple[Remedy, ...]:
    where = f"Run on {edge.source}" + (" and every node of its group." if edge.in_availability_group else ".")
    remedies: list[Remedy] = []
    leaf = facts.chain_after.path[0] if facts.chain_after.path else None
    names = [name for name in (leaf.dns_names if leaf else ()) if "*" not in name]
    if names and after is not None and after.reason is ReasonClass.NAME_MISMATCH:
        remedies.append(
            Remedy(
                RemedyId.HOST_NAME,
                f"Set host_name_in_distributor_certificate to {names[0]}",
                "EXEC sys.sp_changedistributor_property N'host_name_in_distributor_certificate', "
                f"N'{_literal(names[0])}'. {where}",
                is_secure=True,
                price="",
                owner=Owner.SOURCE_DBA,
                only_after_upgrade=True,
                change=Change.DISTRIBUTOR_HOST_NAME,
                on=edge.source,
                setting=names[0],
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
            change=Change.DISTRIBUTOR_TRUST,
            on=edge.source,
            setting="yes",
        )
    )
    return tuple(remedies)


def _agent(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome) -> Verdict:
    """An agent that does not verify today: level 0 or 1, or none stated."""
    level = edge.agent.level if edge.agent is not None else None
    is_unread = level is None and (edge.agent is None or not edge.agent.profile_known)
    if is_unread and facts.major is not None and facts.major >= UPGRADED_MAJOR and not _offers_strict(facts):
        return not_assessed(
            f"{edge.source} is on 2025, where -EncryptionLevel 4 asks for TLS 1.3, and what this agent's job step and "
            f"profile say was not read.",
            "Grant SELECT on msdb.dbo.sysjobsteps, or look at the agent's command line.",
            rules=("RP-06",),
        )
    if after.connects is not False or before.connects is False:
        verdict = decide(edge, facts, before, after, _about_agents(edge))
        return replace(verdict, rules=("RP-06",) if level == _ISSUER_UNCHECKED else ())
    how = (
        f"Give {edge.target} a certificate that {edge.source} trusts, which settles it either way, or test the agent on a "
        "restored pair."
    )
    if level == _ISSUER_UNCHECKED:
        return not_assessed(
            "-EncryptionLevel 1 encrypts without checking who issued the certificate; whether driver 19 still honours that "
            f"while Flag2 is 0 is not published, and this certificate would not pass: {after.explanation}",
            how,
            rules=("RP-06",),
        )
    verdict = not_assessed(
        "Microsoft's pages disagree on whether replication agents validate after the upgrade, and this certificate would "
        f"not pass: {after.explanation}",
        how,
    )
    return replace(verdict, assumptions=_about_agents(edge))


def _verifying_agent(edge: Edge, facts: EdgeFacts, agent: AgentSwitches, before: Outcome, after: Outcome) -> Verdict:
    """Level 2 and more: the certificate of every server that the agent calls is verified (RP-06)."""
    said = f"-EncryptionLevel {agent.level} ({agent.stated_in}, {agent.job}) verifies the certificate of every server called."
    if agent.level == _TOWARDS_MANAGED_INSTANCE and after.connects is not True:
        return not_assessed(
            f"-EncryptionLevel 3 verifies towards SQL Managed Instance and is not enforced towards SQL Server, and this "
            f"certificate would not pass: {after.explanation}",
            f"Give {edge.target} a certificate that {edge.source} trusts, which settles it.",
            rules=("RP-06",),
        )
    if agent.level is not None and agent.level > _VERIFIES and facts.major is not None and facts.major < UPGRADED_MAJOR:
        return not_assessed(
            f"-EncryptionLevel {agent.level} needs a sender on 2025, and {edge.source} is not there yet: what the agent does "
            "with it today is not published.",
            "Read the agent's history, and set level 2 until the upgrade.",
            rules=("RP-06",),
        )
    if agent.level == _TLS_1_3 and after.connects and not _offers_strict(facts):
        return not_assessed(
            f"-EncryptionLevel 4 asks for TLS 1.3, which {edge.target} was not seen to offer.",
            f"Read the agent's history, or set level 2 for {edge.target}.",
            rules=("RP-06",),
        )
    if after.reason is ReasonClass.NAME_MISMATCH and _alias_may_help(edge, facts):
        return not_assessed(
            f"{said} {after.explanation} A client alias on the agent's machine, short name to FQDN, would mend it, and aliases "
            "can't be read from here.",
            f"Look for an alias {edge.name} on {edge.source} (cliconfg), or at the agent's history: if it runs today, the "
            "upgrade changes nothing as long as the alias stays.",
            rules=("RP-06",),
        )
    verdict = decide(edge, facts, before, after, _about_agents(edge))
    remedies = tuple(remedy for remedy in verdict.remedies if remedy.id in _OF_THE_CERTIFICATE)
    return replace(verdict, reasons=(*verdict.reasons, said), rules=("RP-06",), remedies=remedies)


def _alias_may_help(edge: Edge, facts: EdgeFacts) -> bool:
    """The name dialled is short, and the certificate covers a full name that begins with it."""
    short = (edge.dialled.host if edge.dialled is not None else "").lower()
    leaf = facts.chain_after.path[0] if facts.chain_after.path else None
    if not short or "." in short or leaf is None:
        return False
    return any(name.lower().startswith(f"{short}.") for name in (*leaf.dns_names, *leaf.common_names))


def _offers_strict(facts: EdgeFacts) -> bool:
    return facts.evidence is not None and facts.evidence.strict is not None


def _about_agents(edge: Edge) -> tuple[str, ...]:
    found = [
        "The driver of the agents is published for replication as a whole only (OLE DB 19); bulk copies of the Distribution "
        "Agent go through ODBC."
    ]
    if edge.agent is None or not edge.agent.profile_known:
        found.append(f"Its -EncryptionLevel is not known: {edge.options_gap or 'the profile was not read'}.")
    elif edge.agent.level is None:
        found.append("No -EncryptionLevel is stated; the default is not published and is taken to be 0.")
    return tuple(found)


def _literal(text: str) -> str:
    """``text`` inside a T-SQL string literal: names in certificates are other people's data."""
    return text.replace("'", "''")
