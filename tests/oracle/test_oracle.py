"""The referee: our prediction for ODBC Driver 18 against the driver itself, over real TLS."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from assessor.clients.options import Encrypt
from assessor.lab.behaviour import Behaviour, Encryption

from .cases import Group, group, groups
from .forge import Draft, cn, forge, key
from .play import Tally, compare, play, play_group
from .shapes import SHAPES
from .stand import ACCOUNT, Options, Stand, credentials_of

pytestmark = pytest.mark.oracle

SEED = 20251
CASES = 2080
SHARES = 10
SLICES = 6


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with Stand() as running:  # without the driver this fails, and says what is missing
        yield running


def complain(tally: Tally) -> str:
    return "\n".join((tally.line, *tally.disagreements))


@pytest.mark.parametrize("share", range(SHARES))
def test_the_driver_agrees_with_random_cases(share: int, stand: Stand) -> None:
    tally = play(stand, SEED, CASES, share, SHARES)
    assert tally.cases == CASES // SHARES
    assert not tally.disagreements, complain(tally)


@pytest.mark.parametrize("part", range(SLICES))
def test_the_driver_agrees_with_every_named_shape(part: int, stand: Stand) -> None:
    stranger = forge(Draft(cn("Unrelated Root"), key("ec-p256", "unrelated")))
    tally = Tally()
    for number, (name, make) in enumerate(SHAPES.items()):
        if number % SLICES != part:
            continue
        shown = make(stand.host)
        names = (stand.host.fqdn, stand.host.address, *shown.dials)
        attempts = [Options(server, Encrypt.MANDATORY) for server in names]
        attempts += [
            Options(stand.host.fqdn, Encrypt.STRICT),
            Options(stand.host.fqdn, Encrypt.STRICT, pin=shown.leaf),
            Options(stand.host.fqdn, Encrypt.MANDATORY, trust=True),
        ]
        behaviour = Behaviour(credentials_of(shown), encryption=Encryption.AVAILABLE, accounts=ACCOUNT)
        store = (*shown.roots, stranger)
        play_group(stand, Group(0, number, name, shown, store, "roots", behaviour, tuple(attempts)), tally)
    assert not tally.disagreements, complain(tally)


def test_the_same_seed_gives_the_same_cases(stand: Stand) -> None:
    def labels(seed: int) -> list[tuple[str, tuple[str, ...]]]:
        return [
            (each.label, tuple(f"{told.server} {told.encrypt} {told.host_name}" for told in each.attempts))
            for each in groups(seed, 64, stand.host)
        ]

    assert labels(5) == labels(5)
    assert labels(5) != labels(6)


def test_the_shares_of_a_run_make_up_the_whole(stand: Stand) -> None:
    whole = [each.number for each in groups(3, 83, stand.host)]
    parts = [each.number for share in range(3) for each in groups(3, 83, stand.host, share, 3)]
    assert sorted(parts) == whole
    assert sum(len(each.attempts) for share in range(3) for each in groups(3, 83, stand.host, share, 3)) == 83


def test_a_wrong_prediction_would_be_noticed(stand: Stand) -> None:
    """The referee itself: with the trust store emptied on our side alone, it must complain."""
    sound = SHAPES["sound"](stand.host)
    attempts = (Options(stand.host.fqdn, Encrypt.MANDATORY), Options(stand.host.fqdn, Encrypt.OPTIONAL))
    behaviour = Behaviour(credentials_of(sound), encryption=Encryption.FORCED, accounts=ACCOUNT)
    stranger = forge(Draft(cn("Unrelated Root"), key("ec-p256", "unrelated")))
    evidence = stand.serve(behaviour)
    trusted, _ = stand.store(0, sound.roots)
    _, empty = stand.store(1, (stranger,))
    for options in attempts:
        said, seen = stand.ask_driver(options, trusted)
        assert said.connected
        assert compare(options, stand.predict(options, evidence, stand.assess(evidence, empty)), said, seen)


def test_there_are_at_least_forty_shapes_and_each_says_what_is_odd_about_it() -> None:
    assert len(SHAPES) >= 40
    assert all(make.__doc__ for make in SHAPES.values())


def test_the_generator_is_not_lopsided(stand: Stand) -> None:
    random = Random(1)
    made = [group(random.randrange(1000), number, stand.host) for number in range(60)]
    modes = {(each.behaviour.force_strict, each.behaviour.encryption) for each in made}
    told = [options for each in made for options in each.attempts]
    assert len(modes) >= 4
    assert {options.encrypt for options in told} == set(Encrypt)
    assert any(options.pin for options in told)
    assert any(options.host_name for options in told)
    assert any(options.trust for options in told)
    assert any("\\" in options.server for options in told)
    assert any(options.server.startswith("tcp:") for options in told)
