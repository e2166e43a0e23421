"""Replication agents' command lines: what they say is read, and nothing that could be secret is kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.clients.agent_command import parse_agent_command

PUSH = (
    "-Subscriber [STORES01\\POS] -SubscriberDB [Tills] -Publisher [SALES01] -Distributor [REPL01] "
    "-DistributorSecurityMode 1 -Publication [Till prices] -PublisherDB [Orders] -EncryptionLevel 2   -Continuous"
)


def test_a_command_names_its_servers_and_its_level() -> None:
    command = parse_agent_command(PUSH)
    assert (command.publisher, command.subscriber, command.distributor) == ("SALES01", "STORES01\\POS", "REPL01")
    assert (command.publisher_database, command.publication, command.subscriber_database) == (
        "Orders",
        "Till prices",
        "Tills",
    )
    assert command.encryption_level == 2
    assert command.shown == " ".join(PUSH.split())


@pytest.mark.parametrize("text", ["-encryptionlevel 2", "-EncryptionLevel [2]", '-ENCRYPTIONLEVEL "2"'])
def test_switches_are_read_in_any_case_and_values_in_any_wrapping(text: str) -> None:
    assert parse_agent_command(text).encryption_level == 2


@pytest.mark.parametrize("text", ["", "-Continuous", "-EncryptionLevel", "-EncryptionLevel high", "-EncryptionLevel 9"])
def test_a_level_that_is_not_said_or_is_none_is_not_known(text: str) -> None:
    assert parse_agent_command(text).encryption_level is None


def test_the_last_of_two_equal_switches_counts() -> None:
    assert parse_agent_command("-EncryptionLevel 0 -EncryptionLevel 2").encryption_level == 2


def test_a_bracket_inside_a_name_is_doubled() -> None:
    assert parse_agent_command("-Publication [odd]] name] -Continuous").publication == "odd] name"


@pytest.mark.parametrize(
    "text",
    [
        "-SubscriberLogin repl -SubscriberPassword {} -Publisher [A]",
        "-SubscriberPassword [{}] -Publisher [A]",
        '-SubscriberPassword "{}"',
        "-SubscriberPassword [{}",
        "-SubscriberPassword []{}",
        "-SubscriberPassword -{}",
        "-DistributorPassword two {} words",
        "{}",
        "-Secret{} x",
        "-Publisher [A;PWD={}]",
        "-Publisher [A]{}",
    ],
)
def test_what_could_be_a_secret_is_masked(text: str) -> None:
    secret = "Canary-4711"
    command = parse_agent_command(text.format(secret))
    assert secret not in repr(command)
    assert "***" in command.shown


@settings(deadline=None, max_examples=200)
@given(secret=st.text(min_size=6, max_size=30))
def test_no_quoted_password_survives_whatever_it_is_made_of(secret: str) -> None:
    wrapped = "[" + secret.replace("]", "]]") + "]"
    command = parse_agent_command(f"-Publisher [A] -SubscriberPassword {wrapped} -Continuous")
    assert command.shown == "-Publisher [A] -SubscriberPassword *** -Continuous"


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error_and_redacting_again_shows_no_more(text: str) -> None:
    shown = parse_agent_command(text).shown
    assert len(parse_agent_command(shown).shown) <= len(shown)
