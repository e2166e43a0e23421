"""What ODBC drivers make of a connection: shared by PolyBase, the command-line tools and MSDASQL.

ODBC has no registry flags like OLE DB's: ``TrustServerCertificate`` counts as it stands (2025 reference 4.1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from assessor.clients.errors import predicted_error
from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.clients.outcome import Outcome, ReasonClass
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import ClientProfile, profile
from assessor.collect.inventory import ClientFlags
from assessor.judge.attempts import attempt_of
from assessor.judge.facts import EdgeFacts
from assessor.topology.edges import Edge

#: What each driver takes for ``Encrypt``, in any case; others fail the connection (18 MEASURED, clients reference 1.1).
_WORDS_18: Final = frozenset({"yes", "mandatory", "no", "optional", "strict"})
_WORDS_17: Final = frozenset({"yes", "no"})


def odbc_driver(version: int, facts: EdgeFacts) -> ClientProfile:
    """ODBC Driver 17 or 18 as it runs on the source."""
    return profile(f"odbc-{version}" if facts.is_linux else f"odbc-{version}-windows")


def odbc_outcome(
    client: ClientProfile, options: ConnectionOptions, edge: Edge, facts: EdgeFacts, *, today: bool
) -> Outcome:
    """What ``client`` experiences; for the local server, by whatever name it may be matched."""
    # ODBC asks no registry flags of the host.
    attempt = attempt_of(client, options, ClientFlags())
    outcome = predicted(client, attempt, edge, facts, today=today)
    return _with_bad_words(outcome, client, options)


def predicted(client: ClientProfile, attempt: Attempt, edge: Edge, facts: EdgeFacts, *, today: bool) -> Outcome:
    """The outcome of one attempt; where the local server is dialled, for each name that it may be matched by."""
    assert facts.evidence is not None
    chain = facts.chain_today if today else facts.chain_after
    outcomes = [predict(client, attempt, facts.evidence, chain, host) for host in matched_names(edge, facts)]
    first = outcomes[0]
    if all(outcome.connects == first.connects for outcome in outcomes):
        return first
    refused = next(outcome for outcome in outcomes if outcome.connects is not True)
    return uncertain(refused, "which of its names the client matches when the local server is dialled without a name")


def matched_names(edge: Edge, facts: EdgeFacts) -> tuple[str, ...]:
    """The names that may be compared with the certificate: one, but for ``.`` and its relatives."""
    assert facts.evidence is not None
    if edge.dialled is not None and not edge.dialled.is_local and edge.dialled.host != ".":
        return (edge.dialled.host,)
    identity = facts.source.identity
    names = (facts.evidence.endpoint.host, identity.machine_name if identity else None)
    return tuple(dict.fromkeys(name for name in names if name))


def uncertain(outcome: Outcome, depends_on: str) -> Outcome:
    """``outcome``, which nobody can promise before something else is known."""
    return replace(outcome, connects=None, validated=None, error=None, depends_on=(*outcome.depends_on, depends_on))


def refused_option(outcome: Outcome, client: ClientProfile, explanation: str) -> Outcome:
    """``outcome`` of a client that does not even dial, because it does not know an option."""
    return replace(
        outcome,
        connects=False,
        reason=ReasonClass.BAD_OPTION,
        validated=None,
        explanation=explanation,
        error=predicted_error(client.errors, ReasonClass.BAD_OPTION),
        depends_on=(),
    )


def _with_bad_words(outcome: Outcome, client: ClientProfile, options: ConnectionOptions) -> Outcome:
    is_18 = Encrypt.STRICT in client.encrypt_modes
    word = options.encrypt_word
    is_bad_word = word is not None and word.lower() not in (_WORDS_18 if is_18 else _WORDS_17)
    is_bad_trust = any(pair.lower().startswith("trustservercertificate=") for pair in options.invalid)
    if not is_bad_word and not is_bad_trust:
        return outcome
    what = f"Encrypt={word}" if is_bad_word else "a value of TrustServerCertificate other than yes and no"
    explanation = f"{client.name} refuses {what} before it dials."
    if is_18:
        return refused_option(outcome, client, explanation)
    return uncertain(outcome, f"whether {client.name} takes {what}")
