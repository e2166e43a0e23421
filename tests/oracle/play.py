"""Play cases: ask our prediction and the driver, compare, count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from assessor.clients.options import Encrypt
from assessor.clients.outcome import Outcome, ReasonClass
from assessor.lab.conversation import Seen

from . import words
from .cases import Group, groups
from .driver import Said
from .stand import Options, Stand

_PREFIX = "[Microsoft][ODBC Driver 18 for SQL Server]"


@dataclass(slots=True)
class Tally:
    """What came out of many cases."""

    cases: int = 0
    agreements: int = 0
    refusals: int = 0
    same_words: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    other_words: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.agreements += other.agreements
        self.refusals += other.refusals
        self.same_words += other.same_words
        self.reasons.update(other.reasons)
        self.shapes.update(other.shapes)
        self.other_words.update(other.other_words)
        self.disagreements += other.disagreements

    @property
    def line(self) -> str:
        """The last line of a run."""
        return (
            f"cases {self.cases}, agreements {self.agreements}, disagreements {len(self.disagreements)} "
            f"(same words in {self.same_words} of {self.refusals} refusals)"
        )


def play(stand: Stand, seed: int, cases: int, share: int = 0, shares: int = 1) -> Tally:
    """Play one share of ``cases`` cases of ``seed``."""
    tally = Tally()
    for group in groups(seed, cases, stand.host, share, shares):
        play_group(stand, group, tally)
    return tally


def play_group(stand: Stand, group: Group, tally: Tally) -> None:
    """Probe the group's server once, then play its attempts."""
    evidence = stand.serve(group.behaviour)
    path, store = stand.store(group.number, group.store)
    chain = stand.assess(evidence, store)
    for options in group.attempts:
        predicted = stand.predict(options, evidence, chain)
        said, seen = stand.ask_driver(options, path)
        tally.cases += 1
        tally.reasons[predicted.reason.value] += 1
        tally.shapes[group.shape] += 1
        if (fault := compare(options, predicted, said, seen)) is not None:
            tally.disagreements.append(_report(group, options, predicted, said, fault))
            continue
        tally.agreements += 1
        if not said.connected:
            tally.refusals += 1
            if has_same_words(predicted, said):
                tally.same_words += 1
            else:
                shown = predicted.error.text.removeprefix(_PREFIX) if predicted.error else "no text"
                tally.other_words[shown, said.text.replace(_PREFIX, "")[:240]] += 1


def compare(options: Options, predicted: Outcome, said: Said, seen: Seen | None) -> str | None:
    """Why the two do not agree; ``None`` when they do."""
    if predicted.connects is None:
        return f"undecided: depends on {', '.join(predicted.depends_on)}"
    if predicted.connects is not said.connected:
        return "connects" if said.connected else "does not connect"
    if said.connected:
        return _compare_session(predicted, seen)
    meant = words.classes(said, strict=options.encrypt is Encrypt.STRICT)
    if meant is None:
        return "says what is not in the tables"
    if predicted.reason not in meant:
        return f"means {' or '.join(sorted(each.value for each in meant))}"
    return None


def _compare_session(predicted: Outcome, seen: Seen | None) -> str | None:
    if seen is None or not seen.logged_in:
        return "connected, but not to our server"
    kinds = {ReasonClass.CONNECTED, ReasonClass.CONNECTED_UNVALIDATED}
    if seen.tls is None:
        kinds = {ReasonClass.CONNECTED_IN_CLEAR}
    elif not seen.encrypted:
        kinds = {ReasonClass.CONNECTED_LOGIN_ONLY}
    if predicted.reason in kinds:
        return None
    return f"connected in another way ({'in clear' if seen.tls is None else seen.tls}, encrypted {seen.encrypted})"


def has_same_words(predicted: Outcome, said: Said) -> bool:
    """The text that we show a person is what the driver printed: OpenSSL's verdict, or else the whole."""
    if predicted.error is None:
        return False
    ours = words.verify_text(predicted.error.text)
    if ours is not None:
        return ours == words.verify_text(said.text)
    return predicted.error.text.removeprefix(_PREFIX) in said.text.replace(_PREFIX, "")


def _report(group: Group, options: Options, predicted: Outcome, said: Said, fault: str) -> str:
    told = [f"Encrypt={options.encrypt.value}"]
    if options.trust:
        told.append("TrustServerCertificate=yes")
    if options.host_name is not None:
        told.append(f"HostNameInCertificate={options.host_name}")
    if options.pin is not None:
        told.append("ServerCertificate=" + ("the leaf" if options.pin is group.shown.leaf else "another"))
    ours = f"{predicted.connects} {predicted.reason.value}: {predicted.explanation}"
    theirs = "connected" if said.connected else f"{said.state} {said.text.replace(_PREFIX, '')}"
    return f"{group.label}\n  SERVER={options.server};{';'.join(told)}\n  we: {ours}\n  driver {fault}: {theirs}"
