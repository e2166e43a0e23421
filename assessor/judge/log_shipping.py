"""What becomes of log shipping's reports to its monitor: rules SH-01 and SH-02.

The breaking-changes page (2026-07-02) announces failures where a remote monitor is on 2025 and other members are older;
by the mechanism the change sits on a 2025 *member* that calls the monitor. The TLS 1.3 page (2026-05-15) says that
configurations upgraded in place trust the certificate for compatibility. A valid certificate on the monitor satisfies
all of them; without one the verdict stays open unless the member's own options decide it. Shipping itself goes on.
"""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.clients.outcome import Outcome
from assessor.clients.predict import predict
from assessor.clients.profiles import profile
from assessor.judge.attempts import attempt_of
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.verdicts import Verdict
from assessor.remedies.ladder import Owner, Remedy, RemedyId
from assessor.topology.edges import Edge

_SHIPPING_GOES_ON = (
    "Only the monitor's record and its alerts are at stake: backups are shipped and restored without it."
)
_FLAG2 = "Whether Flag2 also gates the trust that log shipping asks for is not documented."


def judge_log_shipping(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one member's connection to its monitor. Pure."""
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    if facts.stays_older:
        return _older_member(edge, facts)
    rules = ("SH-01", "SH-02") if _mixes(facts) else ("SH-02",)
    if facts.evidence is None:
        return not_assessed(
            f"The monitor can't be probed: {edge.endpoint_gap or 'no evidence'}",
            f"Make {edge.target} reachable over TCP, or probe it from {edge.source}.",
            rules=rules,
        )
    default = _outcome(edge, facts, "oledb-19", ConnectionOptions(encrypt=Encrypt.MANDATORY), today=False)
    is_stated = major >= UPGRADED_MAJOR and edge.options is not None and edge.options.has_text
    if is_stated:
        verdict = _by_its_options(edge, facts)
    elif major >= UPGRADED_MAJOR and edge.options is None:
        return not_assessed(
            f"{edge.source} is on 2025, and what its configuration says about the monitor's certificate is not known: "
            f"{edge.options_gap or 'unknown'}.",
            f"Look at the options that log shipping was set up with on {edge.source} (@monitor_connection_options), or "
            f"read the history of its jobs.",
            rules=rules,
        )
    elif default.connects:
        before = _outcome(edge, facts, _today(facts), ConnectionOptions(), today=True)
        verdict = decide(edge, facts, before, default)
    else:
        verdict = _open(edge, facts, default)
    return replace(verdict, rules=rules, reasons=(*verdict.reasons, *_about_the_mix(edge, facts), _SHIPPING_GOES_ON))


def _today(facts: EdgeFacts) -> str:
    return "oledb-19" if facts.major is not None and facts.major >= UPGRADED_MAJOR else "oledb-18"


def _outcome(edge: Edge, facts: EdgeFacts, client: str, options: ConnectionOptions, *, today: bool) -> Outcome:
    assert facts.evidence is not None
    attempt = attempt_of(profile(client), options, facts.source.client_flags)
    if attempt.flag2 is False:
        attempt = replace(attempt, flag2=None)  # not documented for log shipping, so neither is its refusal
    host = edge.dialled.host if edge.dialled and not edge.dialled.is_local else facts.evidence.endpoint.host
    return predict(profile(client), attempt, facts.evidence, facts.chain_today if today else facts.chain_after, host)


def _by_its_options(edge: Edge, facts: EdgeFacts) -> Verdict:
    assert edge.options is not None
    options = edge.options
    before = _outcome(edge, facts, "oledb-19", options, today=True)
    after = _outcome(edge, facts, "oledb-19", options, today=False)
    assumptions = (_FLAG2,) if options.trust_server_certificate else ()
    return decide(edge, facts, before, after, assumptions)


def _open(edge: Edge, facts: EdgeFacts, default: Outcome) -> Verdict:
    if default.connects is None:
        verdict = decide(edge, facts, default, default)
        return replace(verdict, before=None)
    verdict = not_assessed(
        "Microsoft's pages disagree: by one, log shipping that was upgraded in place trusts any certificate of the monitor; "
        f"by the other, its monitoring can fail. Without that trust: {default.explanation}",
        f"Give {edge.target} a certificate that {edge.source} trusts, which settles it either way; or test on a restored "
        "pair.",
    )
    return replace(verdict, after=default, remedies=_remedies(edge, facts, default))


def _remedies(edge: Edge, facts: EdgeFacts, default: Outcome) -> tuple[Remedy, ...]:
    """Those of the certificate, as for any edge; then the options, which need the configuration to be made anew."""
    before = _outcome(edge, facts, _today(facts), ConnectionOptions(), today=True)
    secure = tuple(
        remedy
        for remedy in decide(edge, facts, before, default).remedies
        if remedy.is_secure and remedy.id not in (RemedyId.HOST_NAME, RemedyId.DIAL_NAME)
    )
    return (
        *secure,
        Remedy(
            RemedyId.TRUST,
            "Set log shipping up again with @monitor_connection_options",
            f"Remove log shipping on {edge.source} and add it again with @monitor_connection_options = "
            "N'Encrypt=Mandatory;TrustServerCertificate=Yes;' (Microsoft's sample). The monitor of a configuration can't be "
            "changed in place.",
            is_secure=False,
            price="The monitor's certificate is no longer checked.",
            owner=Owner.SOURCE_DBA,
            only_after_upgrade=True,
        ),
    )


def _older_member(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The member keeps its driver. What the page says of a monitor on 2025 with older members is all that is left."""
    if not _monitor_gets_2025(facts):
        known = facts.target_major is not None
        reason = f"{edge.source} is not upgraded, so its link to the monitor does not change"
        if known:
            return not_affected(f"{reason}; nor is the monitor on 2025.")
        return not_assessed(
            f"{reason}, but whether the monitor is on 2025 is not known, which is what the breaking-changes page minds.",
            f"Find out the version of {edge.target}.",
            rules=("SH-01",),
        )
    if facts.evidence is not None:
        valid = _outcome(edge, facts, "oledb-19", ConnectionOptions(encrypt=Encrypt.MANDATORY), today=False)
        if valid.connects:
            return not_affected(
                f"{edge.source} keeps its driver, and the certificate of {edge.target} would pass the strictest check from "
                "there, which is what the breaking-changes page asks of a monitor on 2025.",
                rules=("SH-01",),
            )
    return not_assessed(
        f"The monitor {edge.target} is on 2025 or will be, and {edge.source} stays older: the breaking-changes page says "
        "that monitoring can then fail, although the driver of the member does not change. " + _SHIPPING_GOES_ON,
        f"Give {edge.target} a certificate that {edge.source} trusts, which settles it, or test the monitor link.",
        rules=("SH-01",),
    )


def _monitor_gets_2025(facts: EdgeFacts) -> bool:
    return facts.target_major is not None and (facts.target_major >= UPGRADED_MAJOR or facts.target_wave is not None)


def _mixes(facts: EdgeFacts) -> bool:
    """At some step of the plan the monitor is on 2025 and this member is older."""
    if facts.major is None or facts.major >= UPGRADED_MAJOR or not _monitor_gets_2025(facts):
        return False
    if facts.target_major is not None and facts.target_major >= UPGRADED_MAJOR:
        return True
    return facts.wave is not None and facts.target_wave is not None and facts.target_wave < facts.wave


def _about_the_mix(edge: Edge, facts: EdgeFacts) -> tuple[str, ...]:
    if not _mixes(facts):
        return ()
    since = (
        "now"
        if facts.target_wave is None or (facts.target_major or 0) >= UPGRADED_MAJOR
        else f"wave {facts.target_wave}"
    )
    return (
        f"From {since} to wave {facts.wave} the monitor is on 2025 and {edge.source} is older: the mix that the "
        "breaking-changes page warns of.",
    )
