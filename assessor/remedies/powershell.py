"""PowerShell for source hosts: trust a certificate after its thumbprint was confirmed, and the registry flag of driver 19.

No text that a server chose stands outside a comment: a script holds a certificate as base64, and thumbprints.
Sources: error-message-when-you-connect.md (KB 2007728), 2026-08-26 (roots go into the local computer's store);
registry-settings.md, 2022-08-31 (``Flag2``).
"""

from __future__ import annotations

from collections.abc import Iterator

from assessor.certificates.certificate import Certificate
from assessor.remedies.actions import Action
from assessor.report.text import shorten, visible


def import_script(action: Action, certificate: Certificate | None) -> str:
    """Import a root (or a self-signed certificate) into the machine's root store.

    ``certificate`` is the one that the target sent, if it sent it. Whoever runs the script types the thumbprint that
    PKI says: it must be that of the certificate, else nothing is imported.
    """
    return _lines(_import(action, certificate))


def remove_script(action: Action, certificate: Certificate | None) -> str:
    """Take the certificate out of the store again."""
    return _lines(_remove(action, certificate))


def _import(action: Action, certificate: Certificate | None) -> Iterator[str]:
    yield from _head(action, "")
    yield "#Requires -RunAsAdministrator"
    yield "param("
    yield "    # SHA-1 thumbprint as PKI tells it, by another way than this file."
    yield "    [Parameter(Mandatory = $true)] [string] $ThumbprintFromPki" + ("" if certificate else ",")
    if certificate is None:
        yield "    # The servers did not send this certificate: get the file from PKI."
        yield "    [Parameter(Mandatory = $true)] [string] $CertificateFile"
    yield ")"
    yield "$ErrorActionPreference = 'Stop'"
    if certificate is None:
        yield "$bytes = [IO.File]::ReadAllBytes((Resolve-Path -LiteralPath $CertificateFile).ProviderPath)"
    else:
        body = [line for line in certificate.pem.splitlines() if line and not line.startswith("-----")]
        yield f"# As sent by the target; SHA-1 thumbprint {certificate.thumbprint}."
        yield "$bytes = [Convert]::FromBase64String(@'"
        yield from body
        yield "'@)"
    yield "$certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)"
    yield "$wanted = ($ThumbprintFromPki -replace '[^0-9A-Fa-f]', '').ToUpperInvariant()"
    yield "if ($wanted.Length -ne 40 -or $certificate.Thumbprint -ne $wanted) {"
    yield "    throw 'Nothing was imported: the thumbprint of this certificate is not the one that PKI says.'"
    yield "}"
    yield "if ($certificate.HasPrivateKey) { throw 'Nothing was imported: the file holds a private key.' }"
    yield "$store = New-Object System.Security.Cryptography.X509Certificates.X509Store -ArgumentList 'Root', 'LocalMachine'"
    yield "$store.Open('ReadWrite')"
    yield "try { $store.Add($certificate) } finally { $store.Close() }"
    yield 'Get-ChildItem -LiteralPath "Cert:\\LocalMachine\\Root\\$wanted" | Format-List Subject, Thumbprint, NotAfter'


def _remove(action: Action, certificate: Certificate | None) -> Iterator[str]:
    yield from _head(action, "UNDO: ")
    yield "#Requires -RunAsAdministrator"
    default = f" = '{certificate.thumbprint}'" if certificate else ""
    mandatory = "" if certificate else "[Parameter(Mandatory = $true)] "
    yield f"param({mandatory}[string] $Thumbprint{default})"
    yield "$ErrorActionPreference = 'Stop'"
    yield "$wanted = ($Thumbprint -replace '[^0-9A-Fa-f]', '').ToUpperInvariant()"
    yield "if ($wanted.Length -ne 40) { throw 'A thumbprint has 40 hexadecimal digits.' }"
    yield 'Remove-Item -LiteralPath "Cert:\\LocalMachine\\Root\\$wanted" -Confirm'


def flag_script(host: str, *, undo: bool) -> str:
    """Set ``Flag2`` of driver 19, without which ``TrustServerCertificate=yes`` is ignored; or back."""
    path = r"HKLM:\SOFTWARE\Microsoft\MSSQLServer\Client\SNI19.0\GeneralFlags\Flag2"
    return _lines(
        [
            f"# {'UNDO: forbid' if undo else 'Allow'} TrustServerCertificate=yes to OLE DB Driver 19 on {_comment(host)}.",
            "# NOT SECURE: every definition on this host that asks for it is no longer validated."
            if not undo
            else "# From then on every definition is validated, whatever it asks for.",
            "# Only after the upgrade: the key does not exist before driver 19 is installed.",
            "#Requires -RunAsAdministrator",
            "$ErrorActionPreference = 'Stop'",
            f"Set-ItemProperty -LiteralPath '{path}' -Name 'Value' -Value {0 if undo else 1} -Type DWord -Confirm",
        ]
    )


def _head(action: Action, lead: str) -> Iterator[str]:
    yield f"# {lead}{_comment(action.title)}"
    yield f"# Run on {_comment(action.on)}, after review. Written by assessor; action {_comment(action.id)}"
    if action.price:
        yield f"# Price: {_comment(action.price)}"
    yield f"# Verify: {_comment(action.verify)}"


def _comment(text: str) -> str:
    return shorten(visible(text), 600)


def _lines(lines: Iterator[str] | list[str]) -> str:
    return "\r\n".join([*lines, ""])
