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
from assessor.clients.profiles import ClientProfile, HostName, Pin, Trust
from assessor.probe.evidence import EncryptionAnswer, Evidence, FailureClass

_TLS_ORDER = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

#: Handshake failures that are the server's answer, not our bad luck: another client will meet them too.
_DEFINITE = frozenset({FailureClass.TLS_FAILED, FailureClass.CLOSED, FailureClass.PROTOCOL_ERROR, FailureClass.NOT_TDS})


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
            failure = self.evidence.strict_failure
            if failure in _DEFINITE:
                return self._fails(
                    ReasonClass.STRICT_NOT_SUPPORTED,
                    "The server does not answer a TDS 8.0 handshake: it is older than 2022 or has no provisioned certificate.",
                )
            return self._unknown(
                ReasonClass.UNKNOWN, "Whether the server speaks TDS 8.0 was not seen.", "TDS 8.0 at the endpoint"
            )
        return self._validated()

    def _tds7(self) -> Outcome:
        answer = self.evidence.encryption
        if answer is EncryptionAnswer.STRICT_ONLY:
            return self._fails(
                ReasonClass.STRICT_REQUIRED,
                "The server accepts strict (TDS 8.0) connections only and hangs up on others.",
            )
        mandatory = self.attempt.encrypt is Encrypt.MANDATORY
        if answer is EncryptionAnswer.NOT_SUPPORTED:
            if mandatory:
                return self._fails(ReasonClass.ENCRYPTION_NOT_SUPPORTED, "The server does not support encryption.")
            return self._connects(
                ReasonClass.CONNECTED_IN_CLEAR,
                "The server does not support encryption: even the password travels in clear.",
            )
        if self.evidence.tls is None:
            if self.evidence.tls_failure in _DEFINITE:
                return self._fails(
                    ReasonClass.TLS_VERSION, "The server and the client have no TLS version or cipher in common."
                )
            return self._unknown(ReasonClass.UNKNOWN, "The TLS handshake was not seen to its end.", "the TLS handshake")
        if _TLS_ORDER.index(self.evidence.tls.version) < _TLS_ORDER.index(self.client.tls_minimum):
            below = (
                f"The server offers at most {self.evidence.tls.version}, the client asks for {self.client.tls_minimum}."
            )
            if self.client.tls_below_fails:
                return self._fails(ReasonClass.TLS_VERSION, below)
            return self._unknown(
                ReasonClass.TLS_VERSION,
                below,
                f"whether the client's host still allows {self.evidence.tls.version} (SChannel policy)",
            )
        return self._is_it_looked_at(mandatory=mandatory, forced=answer is EncryptionAnswer.REQUIRED)

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
        doubts = [
            finding
            for finding in self.chain.findings
            if finding.code in self.client.unsure and finding.code not in NOTES
        ]
        if refusals:
            return self._refused(refusals[0])
        match = self._name_matches()
        if match is False:
            return self._fails(ReasonClass.NAME_MISMATCH, self._mismatch_text())
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
        leaf = self.chain.path[0]
        if self.attempt.pin != leaf:
            return self._fails(ReasonClass.PIN_MISMATCH, "The server presents another certificate than the pinned one.")
        for finding in self.chain.findings:
            if finding.depth == 0 and finding.code in (FindingCode.EXPIRED, FindingCode.NOT_YET_VALID):
                if self.client.pin is Pin.STRICT:
                    return self._fails(REASON_OF[finding.code], f"{finding.message} A pin does not help against that.")
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

    def _fails(self, reason: ReasonClass, explanation: str) -> Outcome:
        return self._make(False, reason, explanation, validated=None, error=predicted_error(self.client.errors, reason))

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
