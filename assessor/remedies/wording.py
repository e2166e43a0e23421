"""How to verify and undo each change, in sentences; and what a certificate must be, over all edges to its server.

Sources: certificate-requirements.md, 2026-02-27; tls-1-3.md, 2026-05-15; 2025 reference, sections 1.7, 2.2 and 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from assessor.remedies.dialled_names import DialledNames
from assessor.remedies.ladder import IN_DEFINITION, RENEW, Change, Remedy
from assessor.snapshot import AssessedEdge


def certificate_text(server: str, names: DialledNames, remedy: Remedy, doubtful: Sequence[str] = ()) -> str:
    """What certificate ``server`` needs so that no edge has to change; ``doubtful`` sources do not trust its present CA."""
    verb = "Renew the certificate" if remedy.setting == RENEW else "Request a server certificate"
    parts = [
        f"{verb} for {server} from a CA whose root {remedy.subject or 'every source'} trusts. "
        f"Names in its SAN: {', '.join(names.san) or '(none known)'}. "
        "RSA 2048 or more, SHA-256, extended key usage Server Authentication, key in a legacy CSP (KeySpec 1). Choose it "
        "in Configuration Manager and restart the instance: until then the old certificate is presented."
    ]
    if doubtful:
        parts.append(f"Make sure that its root is trusted on {', '.join(doubtful)}: what {server} presents now is not.")
    if names.addresses:
        parts.append(
            f"Dialled by IP address too ({', '.join(names.addresses)}): drivers match no address in a certificate, so these "
            "definitions must dial a name."
        )
    if names.unusable:
        parts.append(f"Can't be a name in a certificate: {', '.join(names.unusable)}.")
    if names.carried:
        parts.append(
            f"The certificate in use also carries {', '.join(names.carried)}, which no edge dials; ask whether other clients do."
        )
    return " ".join(parts)


def verify_text(remedy: Remedy, on: str, edges: Sequence[AssessedEdge]) -> str:
    """How to see that the change has taken effect, in a sentence or two."""
    definitions = sorted({edge.name for edge in edges})
    shown = ", ".join(definitions[:5]) + (f" and {len(definitions) - 5} more" if len(definitions) > 5 else "")
    rerun = "Run assessor assess again and compare."
    match remedy.change:
        case Change.CERTIFICATE | Change.INTERMEDIATE | Change.TLS_VERSION | Change.FORCE_STRICT_OFF:
            return f"assessor probe {on}, with each name that is dialled, shows what the server now presents. {rerun}"
        case Change.ROOT | Change.SELF_SIGNED:
            return (
                f"Get-ChildItem Cert:\\LocalMachine\\Root on {on} lists the thumbprint; export the store again "
                f"(assessor trust-script). {rerun}"
            )
        case Change.DISTRIBUTOR_HOST_NAME | Change.DISTRIBUTOR_TRUST:
            return (
                f"EXEC sys.sp_helpdistributor on {on} answers without an error, and Replication Monitor opens. {rerun}"
            )
        case change if change in IN_DEFINITION:
            return f"EXEC sys.sp_testlinkedserver on {on} for {shown}, as a login that uses it. {rerun}"
        case Change.TRACE_FLAG:
            return f"DBCC TRACESTATUS (17600) on {on} shows 1, and each linked server connects: {shown}."
        case _:
            return rerun


def undo_text(remedy: Remedy, on: str) -> str:
    """How to go back, in a sentence."""
    match remedy.change:
        case Change.CERTIFICATE:
            return f"Choose the previous certificate in Configuration Manager on {on} and restart; keep it until the rerun."
        case Change.ROOT | Change.SELF_SIGNED | Change.INTERMEDIATE:
            return f"Remove the certificate from the store of the local computer on {on} by its thumbprint."
        case Change.DISTRIBUTOR_HOST_NAME | Change.DISTRIBUTOR_TRUST:
            return "sp_changedistributor_property with the previous value; the undo script has it."
        case change if change in IN_DEFINITION:
            return "The undo script beside the change puts the definition back as it was read."
        case Change.TRACE_FLAG:
            return f"Take -T17600 out of the start-up parameters of {on} and restart."
        case Change.FORCE_STRICT_OFF:
            return f"Switch Force Strict Encryption on again on {on} and restart."
        case _:
            return "Put back what was there; note it before the change."
