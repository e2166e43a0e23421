"""The outcome function: client profile × options × evidence × validation → connects or fails, and why.

Pure. Four questions in this order (clients reference, section 0): which TLS and TDS mode results, is the certificate
looked at in that mode, does the chain hold, does the name match. A question that the evidence can't answer yields
``connects=None`` with what it depends on; nothing unknown is taken for success.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import ChainAssessment
from assessor.certificates.findings import NOTES, REASON_OF, Finding, FindingCode
from assessor.certificates.hostnames import covers
from assessor.clients.errors import predicted_error
from assessor.clients.options import Encrypt
from assessor.clients.outcome import Basis, Outcome, PredictedError, ReasonClass
from assessor.clients.profiles import ClientProfile, HostName, Pin, TlsBelow, Trust
from assessor.probe.evidence import EncryptionAnswer, Evidence, FailureClass, TlsSession

_TLS_ORDER = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

#: Handshake failures that are the server's answer, not our bad luck: another client will meet them too.
_DEFINITE = frozenset({FailureClass.TLS_FAILED, FailureClass.CLOSED, FailureClass.PROTOCOL_ERROR, FailureClass.NOT_TDS})

#: In what a TLS server says that knows no ALPN ``tds/8.0``: something else than SQL Server, or an old one.
_NO_ALPN = "no application protocol"

#: In what our own OpenSSL says when it can't use the server's ECDSA key.
_KEY_REFUSED = "ecc cert"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The options of one attempt, defaults already applied by :func:`attempt_of` or by the caller."""

    encrypt: Encrypt
    trust: bool = False
    host_name_in_certificate: str | None = None
    pin: Certificate | None = None
    pin_unread: bool = False  #: a pin is named but its file lies on another host
    flag2: bool | None = True  #: OLE DB 19's registry permission to trust; ``None`` when unknown


def predict(
    client: ClientProfile, attempt: Attempt, evidence: Evidence, chain: ChainAssessment, dialled: str
) -> Outcome:
    """What ``client`` experiences when it dials ``dialled`` (a host: no instance, no port) at this endpoint.

    ``chain`` is the endpoint's chain judged in the client's trust store at the moment of the attempt.
    """
    return _Prediction(client, attempt, evidence, chain, dialled).outcome()


@dataclass(frozen=True, slots=True)
class _Prediction:
    client: ClientProfile
    attempt: Attempt
    evidence: Evidence
    chain: ChainAssessment
    dialled: str

    def outcome(self) -> Outcome:
        attempt, client = self.attempt, self.client
        if attempt.encrypt not in client.encrypt_modes:
            return self._fails(
                ReasonClass.BAD_OPTION, f"{client.name} has no Encrypt={attempt.encrypt.value.capitalize()}."
            )
        if self._has_pin and not self._pin_counts and client.pin_otherwise_refused:
            return self._fails(ReasonClass.BAD_OPTION, "ServerCertificate can only be used with Encrypt=Strict.")
        if self.evidence.failure is not None:
            return self._unknown(
                ReasonClass.UNREACHABLE,
                "The endpoint could not be probed.",
                f"what {self.evidence.endpoint.id} presents ({self.evidence.failure.value.replace('_', ' ')}"
                f" when probed from {self.evidence.vantage})",
            )
        return self._strict() if attempt.encrypt is Encrypt.STRICT else self._tds7()

    # -- which mode results ---------------------------------------------------------------------------------------

    def _strict(self) -> Outcome:
        if self.evidence.strict is None:
            failure, detail = self.evidence.strict_failure, self.evidence.strict_failure_detail
            if failure is FailureClass.TLS_FAILED and _KEY_REFUSED in detail:
                return self._key_refused(self._validated())
            if failure is FailureClass.TLS_FAILED and _NO_ALPN not in detail:
                return self._fails(
                    ReasonClass.TLS_VERSION,
                    "The server answers TLS, but has no version or cipher in common with TDS 8.0, which asks for TLS 1.2.",
                    _alert(detail),
                )
            if failure in _DEFINITE:
                return self._fails(
                    ReasonClass.STRICT_NOT_SUPPORTED,
                    "The server does not answer a TDS 8.0 handshake: it is older than 2022 or has no provisioned certificate.",
                )
            return self._unknown(
                ReasonClass.UNKNOWN, "Whether the server speaks TDS 8.0 was not seen.", "TDS 8.0 at the endpoint"
            )
        return self._curve_unknown_to_client() or self._validated()

    def _tds7(self) -> Outcome:
        answer = self.evidence.encryption
        if answer is None:
            return self._unknown(
                ReasonClass.UNKNOWN, "The server's encryption mode was not seen.", "the server's answer to PRELOGIN"
            )
        if answer is EncryptionAnswer.STRICT_ONLY:
            return self._fails(
                ReasonClass.STRICT_REQUIRED,
                "The server accepts strict (TDS 8.0) connections only and hangs up on others.",
            )
        mandatory = self.attempt.encrypt is Encrypt.MANDATORY
        # ON is no answer to a client that asked for no encryption; a server that gives it encrypts all the same.
        forced = answer in (EncryptionAnswer.REQUIRED, EncryptionAnswer.ON)
        if answer is EncryptionAnswer.NOT_SUPPORTED:
            if mandatory:
                return self._fails(ReasonClass.ENCRYPTION_NOT_SUPPORTED, "The server does not support encryption.")
            return self._connects(
                ReasonClass.CONNECTED_IN_CLEAR,
                "The server does not support encryption: even the password travels in clear.",
            )
        if self.evidence.tls is None:
            detail = self.evidence.tls_failure_detail
            if self.evidence.tls_failure is FailureClass.TLS_FAILED and _KEY_REFUSED in detail:
                return self._key_refused(self._is_it_looked_at(mandatory=mandatory, forced=forced))
            if self.evidence.tls_failure in _DEFINITE:
                return self._fails(
                    ReasonClass.TLS_VERSION,
                    "The server and the client have no TLS version or cipher in common.",
                    _alert(detail),
                )
            return self._unknown(ReasonClass.UNKNOWN, "The TLS handshake was not seen to its end.", "the TLS handshake")
        if (curve := self._curve_unknown_to_client()) is not None:
            return curve
        if any(word in self.evidence.tls.cipher for word in self.client.lacks_ciphers):
            return self._unknown(
                ReasonClass.TLS_VERSION,
                f"The server chose the cipher {self.evidence.tls.cipher}, which the client does not offer.",
                "whether the server has another cipher in common with the client",
            )
        below = self._below_minimum(self.evidence.tls)
        if below is not None and self.client.tls_below is not TlsBelow.UNSIGNED_KEY_EXCHANGE:
            return below
        outcome = self._is_it_looked_at(mandatory=mandatory, forced=forced)
        # The certificate comes before the key exchange, so a refused one is what is reported.
        return outcome if below is None or outcome.connects is False else below

    def _key_refused(self, looked_at: Outcome) -> Outcome:
        """Our own TLS client would not use the server's ECDSA key, after it had seen the certificate.

        Before TLS 1.3 OpenSSL wants digitalSignature in such a certificate's key usage, also where nothing is
        validated, and finds none where the extensions can't be read (ssl_check_srvr_ecc_cert_and_alg).
        """
        # A pin is compared only when the handshake is over.
        if looked_at.connects is False and not (self._has_pin and self._pin_counts):
            return looked_at
        if not self.client.curves:  # not OpenSSL
            return self._unknown(
                ReasonClass.UNKNOWN,
                "The server's key was refused by OpenSSL.",
                "whether the client takes the server's key",
            )
        return self._fails(
            ReasonClass.BAD_CERTIFICATE,
            "The server's ECDSA key may not sign, or its certificate can't be read, so TLS 1.2 can't use it.",
            "key_not_for_signing",
        )

    def _curve_unknown_to_client(self) -> Outcome | None:
        leaf = self.chain.path[0] if self.chain.path else None
        if leaf is None or leaf.curve is None or not self.client.curves or leaf.curve in self.client.curves:
            return None
        return self._fails(
            ReasonClass.TLS_VERSION,
            f"The server's key lies on the curve {leaf.curve}, which the client does not offer in TLS.",
            "handshake_failure",
        )

    def _below_minimum(self, tls: TlsSession) -> Outcome | None:
        """What an old TLS version comes to; ``None`` when the client goes along with it, or it is not old."""
        if _TLS_ORDER.index(tls.version) >= _TLS_ORDER.index(self.client.tls_minimum):
            return None
        below = f"The server offers at most {tls.version}, the client asks for {self.client.tls_minimum}."
        match self.client.tls_below:
            case TlsBelow.FAILS:
                return self._fails(ReasonClass.TLS_VERSION, below)
            case TlsBelow.UNKNOWN:
                return self._unknown(
                    ReasonClass.TLS_VERSION,
                    below,
                    f"whether the client's host still allows {tls.version} (its TLS policy)",
                )
            case TlsBelow.UNSIGNED_KEY_EXCHANGE:
                # Before TLS 1.2 a signed key exchange is signed with SHA-1 and MD5, which security level 2 refuses;
                # with RSA key exchange the server signs nothing, and the old version passes.
                if tls.cipher.startswith(("ECDHE-", "DHE-")):
                    return self._fails(
                        ReasonClass.TLS_VERSION,
                        f"The server offers at most {tls.version} and signs its key exchange with SHA-1 "
                        f"({tls.cipher}), which the client refuses.",
                        "legacy_signature",
                    )
                return None

    # -- is the certificate looked at -----------------------------------------------------------------------------

    def _is_it_looked_at(self, *, mandatory: bool, forced: bool) -> Outcome:
        looks = mandatory or self.client.validates_optional or (forced and self.client.validates_forced)
        if not looks:
            return self._unvalidated(encrypted=mandatory or forced)
        if not self.attempt.trust or self.client.trust is Trust.NONE:
            return self._validated()
        if self.client.trust is Trust.HONOURED or self.attempt.flag2 is True:
            return self._unvalidated(encrypted=mandatory or forced)
        validated = self._validated()
        if self.attempt.flag2 is False:
            if validated.connects is False:
                return replace(
                    validated,
                    explanation=f"TrustServerCertificate=yes has no effect because Flag2 is 0 on the client's host. "
                    f"{validated.explanation}",
                )
            return validated
        if validated.connects:
            return validated
        return self._unknown(
            validated.reason,
            f"TrustServerCertificate=yes counts only if Flag2 is 1 on the client's host, and that is not known. "
            f"Without it: {validated.explanation}",
            "Flag2 of SNI19.0 on the client's host",
        )

    def _unvalidated(self, *, encrypted: bool) -> Outcome:
        if encrypted:
            return self._connects(
                ReasonClass.CONNECTED_UNVALIDATED, "The session is encrypted, but the certificate is not looked at."
            )
        return self._connects(
            ReasonClass.CONNECTED_LOGIN_ONLY,
            "Only the login packet is encrypted; the session is in clear and the certificate is not looked at.",
        )

    # -- chain, then name -----------------------------------------------------------------------------------------

    @property
    def _has_pin(self) -> bool:
        return self.attempt.pin is not None or self.attempt.pin_unread

    @property
    def _pin_counts(self) -> bool:
        if self.client.pin is Pin.STRICT:
            return self.attempt.encrypt is Encrypt.STRICT
        return self.client.pin is Pin.MANDATORY_AND_STRICT and self.attempt.encrypt is not Encrypt.OPTIONAL

    def _validated(self) -> Outcome:
        if self._has_pin and self._pin_counts:
            return self._pinned()
        if not self.chain.path:
            return self._unknown(
                ReasonClass.UNKNOWN, "The server's certificate was not seen.", "the server's certificate"
            )
        refusals = [finding for finding in self.chain.findings if finding.code in self.client.minds]
        first = [finding for finding in refusals if finding.code not in self.client.after_name]
        doubts = [
            finding
            for finding in self.chain.findings
            if finding.code in self.client.unsure and finding.code not in NOTES
        ]
        if first:
            return self._refused(first[0])
        match = self._name_matches()
        if match is False:
            return self._fails(ReasonClass.NAME_MISMATCH, self._mismatch_text())
        if refusals:
            return self._refused(refusals[0])
        if doubts:
            return self._unknown(
                REASON_OF[doubts[0].code],
                f"{doubts[0].message} What {self.client.name} makes of it is not documented.",
                f"how the client's host treats this ({doubts[0].code.value.replace('_', ' ')})",
            )
        if match is None:
            return self._unknown(
                ReasonClass.NAME_MISMATCH,
                f"{self._wanted()[0]} is an IP address, and how {self.client.name} matches one is not documented.",
                "how the client matches an IP address; dial a name instead",
            )
        return self._connects(
            ReasonClass.CONNECTED, "The certificate is trusted, in date and covers the name dialled.", True
        )

    def _pinned(self) -> Outcome:
        if self.attempt.pin is None:
            return self._unknown(
                ReasonClass.PIN_MISMATCH,
                "The definition pins a certificate in a file on the source host, which was not read.",
                "the pinned certificate file on the source host",
            )
        if not self.chain.path:
            return self._unknown(
                ReasonClass.UNKNOWN, "The server's certificate was not seen.", "the server's certificate"
            )
        leaf = self.chain.path[0]
        if self.client.pin is Pin.STRICT:
            for finding in self.chain.findings:
                if finding.depth == 0 and finding.code in (FindingCode.EXPIRED, FindingCode.NOT_YET_VALID):
                    return self._fails(
                        REASON_OF[finding.code], f"{finding.message} A pin does not help against that.", "pinned"
                    )
        if self.attempt.pin != leaf:
            return self._fails(ReasonClass.PIN_MISMATCH, "The server presents another certificate than the pinned one.")
        if leaf.unreadable:
            return self._fails(
                ReasonClass.BAD_CERTIFICATE,
                f"The pinned certificate has extensions that can't be read: {leaf.unreadable}.",
                "pinned",
            )
        return self._connects(ReasonClass.CONNECTED, "The server presents exactly the pinned certificate.", True)

    def _wanted(self) -> tuple[str, ...]:
        override = self.attempt.host_name_in_certificate
        if not override or self.client.host_name is HostName.NONE:
            return (self.dialled,)
        if self.client.host_name is HostName.REPLACES:
            return (override,)
        return (self.dialled, override)

    def _name_matches(self) -> bool | None:
        answers = [covers(self.chain.path[0], name, self.client.names) for name in self._wanted()]
        if True in answers:
            return True
        return None if None in answers else False

    def _mismatch_text(self) -> str:
        names = self.chain.path[0].names
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return f"The certificate covers {shown or 'no name at all'}, not {' or '.join(self._wanted())}."

    def _refused(self, finding: Finding) -> Outcome:
        reason = REASON_OF[finding.code]
        basis = Basis.INFERRED if finding.code in self.client.inferred else self.client.basis
        error = predicted_error(self.client.errors, reason, finding.openssl or None)
        return replace(self._fails(reason, finding.message), basis=basis, error=error)

    # -- the three endings ----------------------------------------------------------------------------------------

    def _connects(self, reason: ReasonClass, explanation: str, validated: bool = False) -> Outcome:
        return self._make(True, reason, explanation, validated=validated)

    def _fails(self, reason: ReasonClass, explanation: str, case: str | None = None) -> Outcome:
        error = predicted_error(self.client.errors, reason, case=case)
        return self._make(False, reason, explanation, validated=None, error=error)

    def _unknown(self, reason: ReasonClass, explanation: str, depends_on: str) -> Outcome:
        return self._make(None, reason, explanation, validated=None, depends_on=(depends_on,))

    def _make(
        self,
        connects: bool | None,
        reason: ReasonClass,
        explanation: str,
        *,
        validated: bool | None,
        error: PredictedError | None = None,
        depends_on: tuple[str, ...] = (),
    ) -> Outcome:
        return Outcome(
            client=self.client.id,
            encrypt=self.attempt.encrypt,
            connects=connects,
            reason=reason,
            validated=validated,
            explanation=explanation,
            error=error,
            basis=self.client.basis,
            depends_on=depends_on,
            sources=self.client.sources,
        )


def _alert(detail: str) -> str | None:
    """Which of the two alerts a server gave that has no TLS in common with us: a case of the error table."""
    return "handshake_failure" if "handshake failure" in detail else None
