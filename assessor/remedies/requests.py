"""Certificate requests: an ``.inf`` for certreq and a configuration for ``openssl req``, with all names that are dialled.

The key must come from a legacy CSP with KeySpec 1 (AT_KEYEXCHANGE): keys in a KSP are called incompatible
(certificate-requirements.md, 2026-02-27). RSA 2048 and SHA-256 are what validating clients ask for at least.
"""

from __future__ import annotations

from assessor.remedies.dialled_names import DialledNames
from assessor.report.text import visible

KEY_LENGTH = 2048
#: X.509's upper bound of a common name (RFC 5280, appendix A: ub-common-name).
_LONGEST_COMMON_NAME = 64


def common_name(names: DialledNames) -> str:
    """The subject's CN: the first name that fits."""
    return next((name for name in names.san if len(name) <= _LONGEST_COMMON_NAME), names.san[0].partition(".")[0])


def certreq_inf(server: str, names: DialledNames) -> str:
    """Input of ``certreq -new FILE.inf FILE.req``, to be run on the server itself: the key never leaves it."""
    san = [f'_continue_ = "dns={name}{"&" if name != names.san[-1] else ""}"' for name in names.san]
    return "\r\n".join(
        [
            f"; Certificate request of {_ascii(server)}. On that host, as administrator:",
            ";   certreq -new THIS.inf request.req",
            ";   (send request.req to PKI)",
            ";   certreq -accept answer.cer",
            "; Then give the service account read access to the private key, choose the certificate in Configuration Manager",
            "; and restart the instance: until then the old certificate is presented.",
            "; On a failover cluster the same certificate is needed on all nodes: set Exportable = TRUE for that.",
            "[Version]",
            'Signature = "$Windows NT$"',
            "",
            "[NewRequest]",
            f'Subject = "CN={common_name(names)}"',
            "; AT_KEYEXCHANGE in a legacy provider: SQL Server takes no key from a KSP.",
            "KeySpec = 1",
            'ProviderName = "Microsoft RSA SChannel Cryptographic Provider"',
            "ProviderType = 12",
            f"KeyLength = {KEY_LENGTH}",
            "KeyUsage = 0xA0",
            "MachineKeySet = TRUE",
            "Exportable = FALSE",
            "HashAlgorithm = sha256",
            "RequestType = PKCS10",
            "",
            "[EnhancedKeyUsageExtension]",
            "OID = 1.3.6.1.5.5.7.3.1",
            "",
            "[Extensions]",
            '2.5.29.17 = "{text}"',
            *san,
            "",
        ]
    )


def openssl_config(server: str, names: DialledNames, file_stem: str) -> str:
    """Input of ``openssl req -new -config FILE.cnf``, for servers on Linux or where PKI works with OpenSSL."""
    return "\n".join(
        [
            f"# Certificate request of {_ascii(server)}. On that host:",
            f"#   openssl req -new -config {file_stem}.cnf -nodes -keyout {file_stem}.key -out {file_stem}.csr",
            "[req]",
            "prompt = no",
            f"default_bits = {KEY_LENGTH}",
            "default_md = sha256",
            "string_mask = utf8only",
            "distinguished_name = subject",
            "req_extensions = extensions",
            "",
            "[subject]",
            f"CN = {common_name(names)}",
            "",
            "[extensions]",
            "basicConstraints = CA:FALSE",
            "keyUsage = critical, digitalSignature, keyEncipherment",
            "extendedKeyUsage = serverAuth",
            "subjectAltName = @names",
            "",
            "[names]",
            *(f"DNS.{number} = {name}" for number, name in enumerate(names.san, start=1)),
            "",
        ]
    )


def _ascii(text: str) -> str:
    """For a comment: certreq reads the console's code page."""
    return visible(text).encode("ascii", "replace").decode("ascii").replace("$", "?")
