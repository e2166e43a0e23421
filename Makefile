# Every target does its own set-up (tools/setup) and is instant to set up the second time.
#
#   make demo      the emulated estate, assessed from start to workbook
#   make test      the tests            make test ARGS="tests/probe -k prelogin" WORKERS=4
#   make lint      ruff and mypy
#   make oracle    random cases against Microsoft's ODBC driver    make oracle SEED=7 CASES=20000
#   make tsql      every query in Microsoft's own T-SQL parser, under Mono
#   make clean     remove what make made, .venv included (reports/ is yours and stays)

SHELL := /bin/bash
PY := .venv/bin/python

# Somebody else's Python settings must not leak into the virtual environment.
unexport PYTHONPATH
unexport PYTHONHOME
unexport PYTHONDONTWRITEBYTECODE

# One worker a core, and never fewer than two: the tests must hold when they run side by side.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 2 ? 2 : n)))

.DEFAULT_GOAL := help
.PHONY: help demo test lint oracle tsql clean setup setup-test setup-tsql

help:
	@sed -n 's/^#   //p' Makefile

# `make -j2 demo test` works, one after the other: set-up must not run twice at once, and both use all cores.
.NOTPARALLEL:

setup:
	@tools/setup run

setup-test:
	@tools/setup test

setup-tsql:
	@tools/setup tsql

demo: setup
	@.venv/bin/assessor demo

test: setup-test
	@$(PY) -m pytest -n $(WORKERS) $(ARGS) </dev/null

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

oracle: setup-test
	@$(PY) -m tests.oracle $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES)) $(ARGS) </dev/null

tsql: setup-tsql
	@$(PY) -m tools.tsql $(ARGS) </dev/null

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
