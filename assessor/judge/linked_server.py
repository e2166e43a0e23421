"""What becomes of a linked server: rules LS-01 to LS-18."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assessor.clients.odbc_drivers import OTHER, client_of_driver
from assessor.clients.options import ConnectionOptions
from assessor.clients.outcome import Outcome, PredictedError, ReasonClass
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import ClientProfile, profile
from assessor.clients.providers import ProviderFamily, resolve
from assessor.judge.attempts import attempt_of, client_for
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.odbc import odbc_outcome
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Change, Owner, Remedy, RemedyId
from assessor.topology.edges import Edge

_REFUSALS = frozenset(
    {
        ReasonClass.UNTRUSTED_ROOT,
        ReasonClass.INTERMEDIATE_MISSING,
        ReasonClass.INVALID_CA,
        ReasonClass.PATH_LENGTH,
        ReasonClass.NAME_CONSTRAINTS,
        ReasonClass.WRONG_USAGE,
        ReasonClass.WEAK_KEY,
        ReasonClass.WEAK_SIGNATURE,
        ReasonClass.BAD_CERTIFICATE,
        ReasonClass.NOT_YET_VALID,
    }
)


def judge_linked_server(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one linked-server definition. Pure."""
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    family = resolve(edge.provider or "", edge.product or "", major)
    if not family.is_known:
        return not_assessed(
            f"The provider {edge.provider!r} is not in our list, so nobody can say what the upgrade does to it.",
            "Find out whether it is a SQL Server client, and add it to clients/providers.toml.",
        )
    if family.client == "msdasql":
        return _msdasql(edge, facts)
    if not family.is_sql_server_client:
        return not_affected(
            f"{family.meaning} ({edge.provider}) has a driver of its own, which the upgrade leaves alone."
        )
    return _sql_server_client(edge, facts, family)


def _sql_server_client(edge: Edge, facts: EdgeFacts, family: ProviderFamily) -> Verdict:
    before_id = family.client
    after_id = before_id
    if facts.is_upgraded:
        after_id = resolve(edge.provider or "", edge.product or "", UPGRADED_MAJOR).client
    changes = after_id != before_id
    if edge.options is None:
        # The upgrade may leave the driver alone, and yet nobody knows whether the connection works: with other options
        # it would be one that fails today.
        also = "" if changes else f" {_stays(edge, facts)} Whether it works is unknown all the same."
        return not_assessed(
            f"The encryption options of {edge.name} can't be read: {edge.options_gap or 'unknown'}.{also}",
            "Run as a login with ALTER ANY LINKED SERVER, or read the provider string yourself and decide by the Rules sheet.",
            rules=("LS-14",) if _is_rerouted(edge) else (),
        )
    if facts.evidence is None:
        if not changes:
            return not_affected(_stays(edge, facts))
        return not_assessed(
            f"The target can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Name a TCP address in the definition, or test it by hand after the upgrade of a test instance.",
        )
    before = _predict(client_for(before_id, edge.options), edge, edge.options, facts, today=True)
    if not changes and not _is_current(before_id):
        if before.connects is False:
            return _with_rules(decide(edge, facts, before, before), edge, facts, before)
        return not_affected(_stays(edge, facts), before=before)
    return _after(edge, facts, before, after_id)


def _after(edge: Edge, facts: EdgeFacts, before: Outcome, after_id: str) -> Verdict:
    assert edge.options is not None
    options, legacy = edge.options, facts.legacy_flag
    after = _predict(client_for(after_id, options), edge, options, facts, today=False)
    assumptions: tuple[str, ...] = ()
    if legacy:
        after = _predict(client_for("oledb-18", options), edge, options, facts, today=False)
        assumptions = (
            "Trace flag 17600 is a start-up parameter, and keeps OLE DB 18's behaviour as documented; its scope is not "
            "documented further.",
        )
    elif legacy is None and _flag_matters(edge, facts, after):
        after = _uncertain(
            after, "whether trace flag 17600 stays on after the upgrade (DBCC TRACESTATUS and start-up parameters)"
        )
    if options.invalid and after.connects is not False:
        after = _uncertain(after, f"what the driver makes of {', '.join(options.invalid)}; write yes or no")
    elif options.invalid:
        trusting = replace(options, trust_server_certificate=True)
        if _predict(client_for(after_id, trusting), edge, trusting, facts, today=False).connects is not False:
            after = _uncertain(after, f"what the driver makes of {', '.join(options.invalid)}; write yes or no")
    if options.ineffective:
        assumptions += (
            f"{', '.join(options.ineffective)}: a spaced keyword is taken to have no effect in a provider string.",
        )
    if facts.is_linux and after.validated:
        assumptions += (
            "Which trust store the engine's own driver reads on Linux is not documented; Microsoft's advice there is to "
            "import the CA into the system's.",
        )
    verdict = decide(edge, facts, before, after, assumptions)
    return _with_rules(verdict, edge, facts, after)


def _flag_matters(edge: Edge, facts: EdgeFacts, after: Outcome) -> bool:
    """Driver 18's behaviour, which trace flag 17600 keeps, would lead to another verdict."""
    assert edge.options is not None
    kept = _predict(client_for("oledb-18", edge.options), edge, edge.options, facts, today=False)
    return after.connects is False or (kept.connects, kept.validated) != (after.connects, after.validated)


def _predict(
    client: ClientProfile, edge: Edge, options: ConnectionOptions, facts: EdgeFacts, *, today: bool
) -> Outcome:
    assert facts.evidence is not None
    attempt: Attempt = attempt_of(client, options, facts.source.client_flags)
    if facts.is_linux:
        attempt = replace(attempt, flag2=None)
    dialled = edge.dialled.host if edge.dialled else facts.evidence.endpoint.host
    host = dialled if dialled not in ("", ".", "(local)") else facts.evidence.endpoint.host
    chain = facts.chain_today if today else facts.chain_after
    return predict(client, attempt, facts.evidence, chain, host)


def _uncertain(outcome: Outcome, depends_on: str) -> Outcome:
    return replace(outcome, connects=None, error=None, depends_on=(*outcome.depends_on, depends_on))


def _is_current(client: str) -> bool:
    """Already the driver of 2025, by version or by name: it validates today."""
    return client == "oledb-19"


def _stays(edge: Edge, facts: EdgeFacts) -> str:
    if facts.wave is None:
        return f"{edge.source} is not upgraded, so the driver that {edge.name} uses does not change."
    return f"{edge.name} uses the same driver before and after the upgrade."


def _is_rerouted(edge: Edge) -> bool:
    return (edge.provider or "").upper().startswith(("SQLNCLI", "SQLOLEDB"))


def _with_rules(verdict: Verdict, edge: Edge, facts: EdgeFacts, after: Outcome) -> Verdict:
    return replace(verdict, rules=tuple(dict.fromkeys((*verdict.rules, *_rules(verdict, edge, facts, after)))))


def _rules(verdict: Verdict, edge: Edge, facts: EdgeFacts, after: Outcome) -> Iterator[str]:
    assert edge.options is not None
    yield from _deciding_rules(edge, facts, after)
    if edge.options.invalid or edge.options.ineffective:
        yield "LS-12"
    if _is_rerouted(edge) and after.client == "oledb-19":
        yield "LS-14"
    needs_edit = verdict.kind in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY, VerdictKind.WORKS_INSECURELY)
    if needs_edit and (edge.product or "").strip().lower() == "sql server":
        yield "LS-13"
    if any("sp_serveroption takes 128" in remedy.detail for remedy in verdict.remedies):
        yield "LS-15"
    if facts.is_linux and (edge.options.trust_server_certificate or after.validated):
        yield "LS-18"


def _deciding_rules(edge: Edge, facts: EdgeFacts, after: Outcome) -> Iterator[str]:
    assert edge.options is not None
    asks_trust = edge.options.trust_server_certificate is True
    if after.reason is ReasonClass.CONNECTED:
        yield "LS-17"
    elif after.reason is ReasonClass.CONNECTED_LOGIN_ONLY:
        yield "LS-05"
    elif after.reason is ReasonClass.CONNECTED_UNVALIDATED:
        yield "LS-06" if asks_trust else "LS-05"
    elif after.reason is ReasonClass.STRICT_REQUIRED:
        yield "LS-08"
    elif after.reason is ReasonClass.STRICT_NOT_SUPPORTED:
        yield "LS-09"
    elif after.reason is ReasonClass.BAD_OPTION:
        yield "LS-11"
    elif after.reason is ReasonClass.TLS_VERSION:
        yield "OS-03"
    elif after.reason is ReasonClass.NAME_MISMATCH:
        yield "LS-02"
    elif after.reason is ReasonClass.EXPIRED:
        yield "LS-03"
    elif after.reason in _REFUSALS:
        yield "LS-01"
        if facts.chain_after.path and facts.chain_after.path[0].is_fallback:
            yield "LS-04"
    if after.connects is not True and after.reason in _REFUSALS | {ReasonClass.NAME_MISMATCH, ReasonClass.EXPIRED}:
        if after.encrypt == "optional":
            yield "LS-05"
        if asks_trust and after.encrypt == "strict":
            yield "LS-10"
        elif asks_trust:
            yield "LS-07" if facts.source.client_flags.sni19_flag2 is None else "LS-06"


def _msdasql(edge: Edge, facts: EdgeFacts) -> Verdict:
    """MSDASQL keeps its ODBC driver; but a provider string stops non-sysadmins on builds from April 2026 on."""
    if not facts.is_upgraded:
        return not_affected(_stays(edge, facts))
    if edge.options is None:
        return not_assessed(
            f"The provider string of {edge.name} can't be read: {edge.options_gap or 'unknown'}",
            "Run as a login with ALTER ANY LINKED SERVER.",
            rules=("LS-16",),
        )
    today = _today_by_driver(edge, facts)
    if today is not None and today.connects is False:
        return replace(decide(edge, facts, today, today), rules=("LS-16",), remedies=())
    if not edge.options.has_text or edge.options.has_user_id_keyword:
        return not_affected(
            f"{edge.name} goes through MSDASQL: {_driver_in_words(edge)}.", before=today, rules=("LS-16",)
        )
    return Verdict(
        kind=VerdictKind.BREAKS,
        reasons=(
            f"{edge.name} uses MSDASQL with a provider string: on SQL Server 2025 from CU4 or the security update of "
            "2026-04-14 on, callers who are not sysadmin get Msg 7416. Sysadmins do not, so a smoke test as sysadmin passes.",
            f"Its encryption does not change: {_driver_in_words(edge)}.",
        ),
        rules=("LS-16",),
        before=today,
        after=None,
        error=_error_7416(),
        remedies=(
            Remedy(
                RemedyId.DIAL_NAME,
                f"Add User ID= to the provider string of {edge.name}, or move the string into a DSN",
                "Put User ID=<the same value> besides UID in the provider string, or name a system DSN as data source and "
                "drop the string. Neither changes encryption.",
                is_secure=True,
                price="",
                owner=Owner.SOURCE_DBA,
                change=Change.USER_ID,
                on=edge.source,
                subject=edge.name,
            ),
        ),
        missing=(),
        assumptions=(
            "The instance is upgraded to CU4 (2026-04-16), a later CU or a later security update.",
            *(() if today is not None and today.connects else (f"That {edge.name} works today was not seen.",)),
        ),
    )


def _driver_in_words(edge: Edge) -> str:
    """Whose word counts behind MSDASQL, as far as the definition tells."""
    options = edge.options
    if options is None or options.driver is None:
        return "its DSN decides, which is kept on the host and not seen from here; the upgrade leaves it alone"
    client = client_of_driver(options.driver)
    if client is None:
        return f"its ODBC driver {options.driver!r} decides, which is not in our list; the upgrade of SQL Server leaves it alone"
    if client == OTHER:
        return f"its ODBC driver {options.driver!r} is no SQL Server client, and the upgrade leaves it alone"
    return (
        f"its ODBC driver {options.driver!r} decides, and the upgrade leaves that driver alone: it changes on the day somebody "
        "names another one"
    )


def _today_by_driver(edge: Edge, facts: EdgeFacts) -> Outcome | None:
    """What the named driver experiences today, where it is one of Microsoft's for SQL Server and the target was probed."""
    if facts.evidence is None or edge.options is None or edge.options.driver is None:
        return None
    client = client_of_driver(edge.options.driver)
    if client is None or client == OTHER:
        return None
    return odbc_outcome(profile(client), edge.options, edge, facts, today=True)


def _error_7416() -> PredictedError:
    return PredictedError(
        number=7416,
        text="Access to the remote server is denied because no login-mapping exists.",
        source="SupportArticles-docs, Troubleshoot MSDASQL linked server fails with error 7416, 2026-05-14",
    )
