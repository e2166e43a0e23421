"""What becomes of the tools that Agent job steps run: rules JB-01, JB-02 and JB-03.

sqlcmd and bcp come with SQL Server and change with it; what comes with PowerShell, .NET or a package does not, or not
in a way that anybody published, and is then not assessed unless the certificate settles it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from assessor.clients.options import ConnectionOptions
from assessor.clients.outcome import Outcome
from assessor.clients.predict import Attempt
from assessor.clients.profiles import ClientProfile, profile
from assessor.collect.inventory import ToolCall
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.odbc import matched_names, odbc_driver, odbc_outcome, predicted, refused_option, uncertain
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Change, Owner, Remedy, RemedyId
from assessor.remedies.places import Place, told_for
from assessor.topology.edges import Edge

#: From this version of the client tools on (folder ``…/ODBC/180/Tools``) they are built on ODBC Driver 18.
_TOOLS_ON_18: Final = 180
_RULES: Final = {"sqlcmd": ("JB-01",), "bcp": ("JB-02",), "osql": ("JB-01",)}
_WHICH_TOOL = (
    "The {tool} that the step finds first is taken to be the one that comes with SQL Server, older before the upgrade and "
    "that of 2025 after it; the host's PATH was not read."
)


def judge_job_step(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one tool in one job step. Pure."""
    call = edge.tool_call
    assert call is not None
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    if _fails_under_force_strict(call, facts, major):
        return _sqlps_under_force_strict(edge, facts)
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded, so the tools on its host do not change.")
    if _is_powershell(call) and facts.source.encryption.force_strict is None:
        return not_assessed(
            f"Whether {edge.source} forces strict encryption is not known, and under it PowerShell steps fail in 2025.",
            "Give the login the right to read the network settings, or look in Configuration Manager.",
            rules=("JB-03",),
        )
    match call.tool:
        case "sqlcmd" | "bcp":
            return _shipped_tool(edge, call, facts)
        case "osql":
            return _osql(edge, call, facts)
        case "invoke-sqlcmd" | "sqlps":
            return _powershell(edge, call, facts)
        case "dbatools":
            return not_affected("dbatools brings its own library, which the upgrade of SQL Server leaves alone.")
        case "script":
            return _script(edge, call)
        case _:
            return _by_provider(edge, call)


# ------------------------------------------------------------------------------------------------------ sqlcmd, bcp


def _shipped_tool(edge: Edge, call: ToolCall, facts: EdgeFacts) -> Verdict:
    if facts.evidence is None:
        return not_assessed(
            f"The target of {call.tool} can't be probed: {edge.endpoint_gap or 'no evidence'}",
            f"Find out which server the step dials, and run the {call.tool} of SQL Server 2025 against it.",
            rules=_RULES[call.tool],
        )
    old, new = odbc_driver(17, facts), odbc_driver(18, facts)
    assumptions: tuple[str, ...] = ()
    if call.tools_version is not None:
        named = new if call.tools_version >= _TOOLS_ON_18 else old
        before = _outcome(named, edge, call, facts, today=True)
        if named is old and before.connects is not False:
            return replace(
                not_affected(
                    f"The step names the {call.tool} of version {call.tools_version} by its path, and that one stays as it is.",
                    before=before,
                ),
                assumptions=("That file stays on the host.",),
            )
        after = _outcome(named, edge, call, facts, today=False)
    else:
        before = _outcome(old if facts.is_upgraded else new, edge, call, facts, today=True)
        after = _outcome(new, edge, call, facts, today=False)
        assumptions = (_WHICH_TOOL.format(tool=call.tool),)
    assumptions += tuple(_about_the_local_server(edge, facts))
    verdict = decide(edge, facts, before, after, assumptions)
    return replace(
        verdict,
        rules=_RULES[call.tool],
        remedies=told_for(_place(edge, call), verdict.remedies, _dialled(edge)),
    )


def _outcome(client: ClientProfile, edge: Edge, call: ToolCall, facts: EdgeFacts, *, today: bool) -> Outcome:
    """The outcome with the switches as this generation of the tool knows them (2025 reference 4.4)."""
    options = edge.options or ConnectionOptions()
    # The switch, not a word of a connection string, is what the tool reads.
    outcome = odbc_outcome(client, replace(options, encrypt_word=None, invalid=()), edge, facts, today=today)
    is_new = client.id.startswith("odbc-18")
    mode = _mode_switch(call)
    if mode is None:
        more = [each for each in call.switches.split() if each in _ONLY_NEW[call.tool]]
        if more and not is_new:
            return refused_option(outcome, client, f"{call.tool} before 2025 does not know {' '.join(more)}.")
        return outcome
    if mode.endswith("?"):
        return uncertain(outcome, f"what {call.tool} makes of the value given to {mode[:2]}")
    if not is_new and (call.tool == "bcp" or mode != "-N"):
        return refused_option(outcome, client, f"{call.tool} before 2025 does not know {mode}.")
    if is_new and " " in mode:
        return refused_option(
            outcome, client, f"{call.tool} of 2025 takes the value glued to the switch: {mode.replace(' ', '')}."
        )
    if is_new and mode in ("-N", "-Y"):
        return uncertain(
            outcome, f"whether {call.tool} of 2025 takes {mode} without a value, on which reports disagree"
        )
    return outcome


#: Switches that came with the tools on ODBC Driver 18.
_ONLY_NEW: Final = {"sqlcmd": ("-F", "-J"), "bcp": ("-u", "-H", "-J")}


def _mode_switch(call: ToolCall) -> str | None:
    """``-Nm``, ``-N``, ``-N m`` or ``-N?`` as written; ``None`` when the switch is not there."""
    letter = "-N" if call.tool == "sqlcmd" else "-Y"
    words = call.switches.split()
    for number, word in enumerate(words):
        if word == letter and number + 1 < len(words) and words[number + 1].lower() in ("s", "m", "o"):
            return f"{word} {words[number + 1]}"
        if word.startswith(letter):
            return word
    return None


def _about_the_local_server(edge: Edge, facts: EdgeFacts) -> Iterator[str]:
    if edge.target == edge.source:
        yield (
            "Inside one machine shared memory may be used instead of TCP; it is taken to present the same certificate to the "
            "same check."
        )
        if len(matched_names(edge, facts)) > 1:
            yield "The local server is dialled without a name; the machine's short and full name were both tried."


def _place(edge: Edge, call: ToolCall) -> Place:
    is_sqlcmd = call.tool == "sqlcmd"
    mode = "-N" if is_sqlcmd else "-Y"
    trust = "-C" if is_sqlcmd else "-u"
    return Place(
        where=f"the {call.tool} call of {call.job}, step {call.step}"
        if call.step
        else f"the {call.tool} call in {call.job}",
        how="Edit the step (sp_update_jobstep). sqlcmd before 2025 takes -C and -N without a value only; bcp before 2025 "
        "knows none of its switches, so its steps can be changed only after the upgrade.",
        trust=f"{mode}m {trust}",
        optional=f"{mode}o",
        strict=f"{mode}s",
        mandatory=f"{mode}m",
        host_name="-F {}" if is_sqlcmd else "-H {}",
        dial="Change -S from {old} to {new}, if that name resolves there",
    )


def _dialled(edge: Edge) -> str:
    return edge.dialled.host if edge.dialled and edge.dialled.host else edge.target


def _osql(edge: Edge, call: ToolCall, facts: EdgeFacts) -> Verdict:
    """Nothing is published about the driver of osql, which is deprecated, in 2025."""
    if facts.evidence is not None:
        strictest = odbc_outcome(odbc_driver(18, facts), ConnectionOptions(), edge, facts, today=False)
        if strictest.connects and strictest.validated:
            before = odbc_outcome(odbc_driver(17, facts), ConnectionOptions(), edge, facts, today=True)
            return decide(edge, facts, before, strictest, ("osql is there after the upgrade, on whichever driver.",))
    return not_assessed(
        "Nothing is published about osql in SQL Server 2025, neither whether it is there nor which driver it uses.",
        "Change the step to sqlcmd, and give the target a certificate that it trusts.",
    )


# ------------------------------------------------------------------------------------------------------- PowerShell


def _is_powershell(call: ToolCall) -> bool:
    return call.subsystem.lower() == "powershell" or call.tool == "sqlps"


def _fails_under_force_strict(call: ToolCall, facts: EdgeFacts, major: int) -> bool:
    return (
        _is_powershell(call)
        and facts.source.encryption.force_strict is True
        and (facts.is_upgraded or major >= UPGRADED_MAJOR)
    )


def _sqlps_under_force_strict(edge: Edge, facts: EdgeFacts) -> Verdict:
    is_upgraded = facts.is_upgraded
    return Verdict(
        kind=VerdictKind.BREAKS if is_upgraded else VerdictKind.FAILS_TODAY,
        reasons=(
            f"{edge.source} has Force Strict Encryption on: PowerShell steps fail under it in SQL Server 2025 (known issues, "
            "2026-08-11), before they dial anything.",
        ),
        rules=("JB-03",),
        before=None,
        after=None,
        error=None,
        remedies=(
            Remedy(
                RemedyId.STRICT,
                f"Move {_step_in_words(edge)} off SQLPS",
                "Make it a CmdExec step that starts PowerShell with a current SqlServer module and -Encrypt Strict. The known-"
                "issues page names the failure; this way around it is our suggestion.",
                is_secure=True,
                price="",
                owner=Owner.SOURCE_DBA,
                on=edge.source,
                subject=edge.name,
            ),
            Remedy(
                RemedyId.LEGACY,
                f"Switch Force Strict Encryption off on {edge.source}",
                "In Configuration Manager, Protocols, Flags; restart the instance.",
                is_secure=False,
                price=f"{edge.source} accepts TDS 7 clients again, also those that do not validate it.",
                owner=Owner.SOURCE_DBA,
                restart=True,
                change=Change.FORCE_STRICT_OFF,
                on=edge.source,
            ),
        ),
        missing=(),
        assumptions=(
            *(
                ("The step works today, although Force Strict is on: nothing is published for older versions.",)
                if is_upgraded
                else ()
            ),
            "No cumulative update has mended the known issue meanwhile.",
        ),
    )


def _step_in_words(edge: Edge) -> str:
    call = edge.tool_call
    assert call is not None
    return f"step {call.step} of {call.job}"


def _powershell(edge: Edge, call: ToolCall, facts: EdgeFacts) -> Verdict:
    """The module decides: SqlServer 22 and later encrypts and validates; 21 and SQLPS do not. Neither is seen from here."""
    if facts.evidence is None:
        return not_assessed(
            f"The target can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Find out which server the step dials, and which version of the SqlServer module it runs.",
        )
    options = edge.options or ConnectionOptions()
    strict, lenient = profile("sqlclient-5"), profile("system-data-sqlclient")
    after = _with_sqlclient(strict, options, edge, facts, today=False)
    before = _with_sqlclient(lenient, options, edge, facts, today=True)
    if after.connects:
        return decide(
            edge, facts, before, after, ("Judged as with the SqlServer module 22, the strictest that may run.",)
        )
    return not_assessed(
        "Which PowerShell module runs is not seen from here: SqlServer 22 and later validates the certificate, 21 and SQLPS do "
        f"not. With the newer one: {after.explanation}",
        "Run Get-Module SqlServer, SqlPs -ListAvailable on the host. An upgrade of SQL Server leaves an installed SqlServer "
        "module alone; what the SQLPS of 2025 does is not published.",
    )


def _with_sqlclient(
    client: ClientProfile, options: ConnectionOptions, edge: Edge, facts: EdgeFacts, *, today: bool
) -> Outcome:
    attempt = Attempt(
        encrypt=options.encrypt or client.encrypt_default,
        trust=options.trust_server_certificate is True,
        host_name_in_certificate=options.host_name_in_certificate,
    )
    return predicted(client, attempt, edge, facts, today=today)


# -------------------------------------------------------------------------------------- what brings its own client


def _by_provider(edge: Edge, call: ToolCall) -> Verdict:
    """Packages and connection strings: the provider that they name decides, and most do not come with SQL Server."""
    provider = (call.provider or "").lower()
    place = call.runs or f"step {call.step} of {call.job}"
    if provider.startswith(("sqlncli", "sqloledb")):
        return not_assessed(
            f"{place} uses {call.provider}. Native Client left the product with 2022; whether it stays on the host is unknown.",
            "Look on the host, and move the connection to MSOLEDBSQL19.",
        )
    if provider.startswith("msoledbsql"):
        return not_affected(f"{place} names {call.provider}, which outside the engine stays the driver that it is.")
    if provider.startswith(("system.data.sqlclient", "microsoft.data.sqlclient")):
        return not_affected(
            f"{place} uses {call.provider}, which comes with .NET or the script: the upgrade of SQL Server leaves it alone."
        )
    if call.tool == "dtexec":
        return not_assessed(
            f"The connections of the package {place} are in the package, which is not seen from here.",
            "Open the package, and assess each connection manager by the provider it names; MSOLEDBSQL in a package still "
            "means driver 18, MSOLEDBSQL19 validates.",
        )
    return not_assessed(
        f"{place} opens a connection by a connection string, and by which library is not seen from here.",
        "Find out which library opens it; the upgrade of SQL Server changes only those that come with it.",
    )


def _script(edge: Edge, call: ToolCall) -> Verdict:
    return not_assessed(
        f"What {call.runs or 'the step'} dials is not written in the job, and its content is not seen from here.",
        "Look in it for sqlcmd, bcp and PowerShell: rules JB-01 to JB-03 say what becomes of each.",
    )
