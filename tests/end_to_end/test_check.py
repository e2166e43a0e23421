"""`assessor check` against the demo estate: real connections, and nothing but the permission test on them."""

from __future__ import annotations

import threading

from assessor.collect.checking import Prospect, check_all
from assessor.collect.driver import find_driver
from assessor.estate import load_estate
from assessor.lab.estate import Lab


def test_the_demo_estate_is_checked_without_reading_anything(demo_lab: Lab) -> None:
    found = check_all(load_estate(demo_lab.estate_file), find_driver(None), threading.Event())
    by_host = {each.instance.split(".")[0]: each for each in found}
    assert "18456" in (by_host["audit01"].failure or "")
    assert [each.instance for each in found if each.failure] == [by_host["audit01"].instance]
    hr01 = {each.query: each for each in by_host["hr01"].queries}
    assert hr01["linked_servers"].prospect is Prospect.EMPTY
    assert hr01["linked_servers"].why == "without ALTER ANY LINKED SERVER"
    assert {each.query: each for each in by_host["sales01"].queries}["linked_servers"].prospect is Prospect.WORKS
    assert by_host["fin01"].works, "a sysadmin"
