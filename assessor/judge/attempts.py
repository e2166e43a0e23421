"""From a definition to the attempt that a driver makes of it: defaults, registry flags, words a driver knows."""

from __future__ import annotations

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.clients.predict import Attempt
from assessor.clients.profiles import ClientProfile, profile
from assessor.collect.inventory import ClientFlags

_MODES = {0: Encrypt.OPTIONAL, 1: Encrypt.MANDATORY, 2: Encrypt.STRICT}
_SECURITY = (Encrypt.OPTIONAL, Encrypt.MANDATORY, Encrypt.STRICT)


def client_for(client: str, options: ConnectionOptions) -> ClientProfile:
    """The profile that a definition runs under: driver 18's defaults differ with the ``Authentication`` keyword."""
    if client == "oledb-18" and options.authentication:
        return profile("oledb-18-authentication")
    return profile(client)


def attempt_of(client: ClientProfile, options: ConnectionOptions, flags: ClientFlags) -> Attempt:
    """The attempt that ``client`` makes of ``options`` on a host with these registry flags.

    Registry and definition: the more secure of both counts (registry-settings.md, 2022-08-31). An unread ``Flag1``
    is taken for 0, its default; the judge states that as an assumption where it matters. ``Flag2`` stays unknown.
    """
    flag1 = flags.sni19_flag1 if client.id == "oledb-19" else flags.sni18_flag1
    encrypt = options.encrypt or client.encrypt_default
    if client.id in ("oledb-19", "oledb-18", "oledb-18-authentication") and flag1 in _MODES:
        encrypt = max(encrypt, _MODES[flag1], key=_SECURITY.index)
    flag2 = flags.sni19_flag2
    return Attempt(
        encrypt=encrypt,
        trust=options.trust_server_certificate is True,
        host_name_in_certificate=options.host_name_in_certificate,
        pin_unread=options.server_certificate is not None,
        flag2=None if flag2 is None else flag2 == 1,
    )
