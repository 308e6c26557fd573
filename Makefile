# `make run` and `make test` need nothing but a Debian-like machine; each sets up what is missing, once.
# PYTHON=python3.13 chooses a Python, VENV=directory another environment, SETUP_YES=1 answers every question with yes.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
export VENV PYTHON

.PHONY: help run test check bench fuzz mutate clean setup-run setup-test
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 - \2/p' Makefile | column -t -s - 2>/dev/null || sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 - \2/p' Makefile

run: setup-run  ## start the hotline: Asterisk, engine, web pages
	@exec $(BIN)/ivr serve

test: setup-test check  ## everything: style, types, all tests, real calls included
	@$(BIN)/pytest -m "not asterisk" -n auto
	@$(BIN)/pytest -m "asterisk and not alone" -n 7 --dist loadfile --no-loadscope-reorder  # calls are mostly waited for
	@$(BIN)/pytest -m alone

check: setup-run  ## style and types only
	@$(BIN)/ruff check ivr_engine tests
	@$(BIN)/ruff format --check ivr_engine tests
	@$(BIN)/mypy

bench: setup-test  ## measure speed on real calls
	@$(BIN)/python -m tests.bench

fuzz: setup-test  ## feed parsers with damaged input, longer than in `make test`
	@$(BIN)/python -m tests.fuzz.fuzz_agi --inputs 500000 --seed 1
	@$(BIN)/python -m tests.fuzz.fuzz_ami --inputs 500000 --seed 1

mutate: setup-test  ## break the shipped flows in every way that is known; each must be refused
	@$(BIN)/python -m tests.flow.mutation

clean:  ## remove what was set up and built here; recordings and settings of yours stay
	@rm -rf $(VENV) .ivr/asterisk .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@docker/setup/packages run
	@docker/setup/python
	@docker/setup/asterisk

setup-test:
	@docker/setup/packages test
	@docker/setup/python
	@docker/setup/asterisk
