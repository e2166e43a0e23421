"""Building and judging a chain, with OpenSSL's own command line as a second referee."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from oracle.forge import Draft, cn, key
from oracle.shapes import SHAPES, Shown

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import MAX_DEPTH, assess_chain
from assessor.certificates.findings import NOTES, FindingCode

from .making import HOST, assess, certificate, codes, forge, intermediate_draft, leaf_draft, store, under_intermediate

STRANGER = forge(Draft(cn("Unrelated"), key("ec-p256", "unrelated")))


def shape(name: str) -> Shown:
    return SHAPES[name](HOST)


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("sound", None),
        ("root_is_sent_too", None),
        ("out_of_order", None),
        ("unrelated_extras", None),
        ("cross_signed_root_expired", None),
        ("root_renewed", None),
        ("path_length_with_self_issued", None),
        ("version_1_root", None),
        ("sha1_root", None),
        ("broken_root_signature", None),
        # Of two equal issuers the one that is sent first is taken, and OpenSSL never looks back.
        ("cross_signed", FindingCode.UNTRUSTED_ROOT),
        ("expired_leaf", FindingCode.EXPIRED),
        ("expired_intermediate", FindingCode.CA_EXPIRED),
        ("leaf_of_tomorrow", FindingCode.NOT_YET_VALID),
        ("intermediate_of_tomorrow", FindingCode.CA_NOT_YET_VALID),
        ("leaf_signs_leaf", FindingCode.NOT_A_CA),
        ("version_1_intermediate", FindingCode.NOT_A_CA),
        ("path_length_exceeded", FindingCode.PATH_LENGTH),
        ("client_only", FindingCode.WRONG_EKU),
        ("key_usage_not_for_tls", FindingCode.KEY_USAGE),
        ("leaf_rsa_1024", FindingCode.WEAK_KEY),
        ("weak_intermediate", FindingCode.WEAK_CA_KEY),
        ("sha1_leaf", FindingCode.WEAK_SIGNATURE),
        ("broken_signature", FindingCode.BAD_SIGNATURE),
        ("algorithms_disagree", FindingCode.BAD_SIGNATURE),
        ("constraint_permitted_other_domain", FindingCode.NAME_CONSTRAINTS),
        ("unknown_critical", FindingCode.UNKNOWN_CRITICAL),
        ("mimic_root_with_identifiers", FindingCode.UNTRUSTED_ROOT),
        ("self_signed_twin_in_store", FindingCode.SELF_SIGNED),
        ("mutual_signers", FindingCode.CHAIN_TOO_LONG),
    ],
)
def test_the_first_finding_is_the_fault(name: str, finding: FindingCode | None) -> None:
    found = codes(assess(shape(name)))
    assert (found[0] if found else None) is finding


def test_every_fault_is_found_and_not_only_the_first() -> None:
    leaf = leaf_draft(HOST, kind="rsa-1024", days=(-100, -1), signature="sha1")
    shown = under_intermediate(leaf, intermediate_draft(kind="rsa-2048", days=(-900, -3)))
    found = set(codes(assess(shown, STRANGER)))
    expected = {FindingCode.WEAK_KEY, FindingCode.WEAK_SIGNATURE, FindingCode.EXPIRED, FindingCode.CA_EXPIRED}
    assert expected < found
    assert found & {FindingCode.UNTRUSTED_ROOT, FindingCode.INTERMEDIATE_MISSING}


def test_a_missing_intermediate_is_known_by_name_when_another_server_sent_it() -> None:
    shown = shape("intermediate_not_sent")
    known = [certificate(each) for each in shown.intermediates]
    chain = assess_chain([certificate(shown.leaf)], store(*shown.roots), datetime.now(UTC), known=known)
    assert codes(chain)[0] is FindingCode.INTERMEDIATE_MISSING


def test_a_date_decides_by_the_moment_asked_for() -> None:
    shown = shape("sound")
    ends = certificate(shown.leaf).not_after
    assert codes(assess(shown, at=ends - timedelta(seconds=1))) == []
    assert codes(assess(shown, at=ends + timedelta(seconds=1))) == [FindingCode.EXPIRED]
    assert assess(shown).valid_until == ends


def test_an_end_within_the_horizon_is_noted_and_no_fault() -> None:
    shown = shape("sound")
    sent = [certificate(each) for each in (shown.leaf, *shown.sent)]
    chain = assess_chain(sent, store(*shown.roots), datetime.now(UTC), horizon=timedelta(days=400))
    assert [finding.code for finding in chain.findings] == [FindingCode.EXPIRES_SOON]
    assert set(NOTES) >= {FindingCode.EXPIRES_SOON}


def test_no_certificate_is_no_chain() -> None:
    chain = assess_chain([], store(STRANGER), datetime.now(UTC))
    assert chain.path == ()
    assert not chain.is_anchored


def test_cas_that_signed_each_other_end_at_the_depth_limit() -> None:
    chain = assess(shape("mutual_signers"))
    assert len(chain.path) == MAX_DEPTH + 2
    assert not chain.is_anchored


def test_a_name_or_date_that_can_t_be_read_never_makes_a_chain_hold() -> None:
    from oracle.forge import tlv

    odd = leaf_draft(HOST, moments=(tlv(0x17, b"2001010000Z"), tlv(0x18, b"99991231235959Z")))
    assert FindingCode.UNREADABLE in codes(assess(under_intermediate(odd)))


class TestAgainstOpenSslVerify:
    """The same chain, store and moment in ``openssl verify``: the same first error, in the same words."""

    #: With the name constraints of a CN only, as in TLS; the verdicts then are those of the TLS library.
    OPTIONS = ("-purpose", "sslserver", "-auth_level", "2")

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl's command line is not installed")
    @pytest.mark.parametrize("part", range(3))
    @pytest.mark.parametrize("trusted", ["roots", "nothing", "all"])
    def test_every_shape_gets_the_same_first_error(self, part: int, trusted: str, tmp_path: Path) -> None:
        for number, (name, make) in enumerate(SHAPES.items()):
            if number % 3 != part:
                continue
            shown = make(HOST)
            certificates = {
                "roots": (*shown.roots, STRANGER),
                "nothing": (STRANGER,),
                "all": (*shown.intermediates, *shown.roots, STRANGER),
            }[trusted]
            at = datetime.now(UTC).replace(microsecond=0)
            chain = assess(shown, *certificates, at=at)
            first = next((finding.openssl for finding in chain.findings if finding.code not in NOTES), "")
            assert self.openssl(shown, [certificate(each) for each in certificates], at, tmp_path) == first, name

    def openssl(self, shown: Shown, trusted: list[Certificate], at: datetime, folder: Path) -> str:
        files = {
            "leaf": shown.leaf.pem,
            "sent": "".join(each.pem for each in (shown.leaf, *shown.sent)),
            "trusted": "".join(each.pem for each in trusted),
        }
        for name, text in files.items():
            (folder / name).write_text(text, "ascii")
        command = [
            "openssl", "verify", *self.OPTIONS, "-attime", str(int(at.timestamp())), "-no-CApath", "-no-CAstore",
            "-CAfile", str(folder / "trusted"), "-untrusted", str(folder / "sent"), str(folder / "leaf"),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        for line in done.stderr.splitlines():
            if line.startswith("error ") and " lookup: " in line:
                return line.partition(" lookup: ")[2]
        assert done.returncode == 0, done.stderr
        return ""
