# Orderhub: `make help` lists everything.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
T ?= tests
NODE := $(abspath $(VENV))/node
CHECKERS = $(if $(wildcard $(NODE)/node_modules),PRISM_DIR=$(NODE) ORDERHUB_AXE=$(NODE)/node_modules/axe-core/axe.min.js)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Orderhub needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

.PHONY: demo
demo: $(VENV)/.installed ## Run a whole shop on this machine; ONCE=1 ends by itself, non-zero when an order went astray
	$(BIN)/orderhub demo $(if $(ONCE),--once)

.PHONY: serve
serve: $(VENV)/.installed ## Start the hub: web, worker and ticks in one process, on SQLite
	$(BIN)/orderhub serve

.PHONY: dev
dev: $(VENV)/.dev ## Set up for development
	@echo "Ready. Next: make test, make check, make demo"

# Two checkers that only npm has; without npm the tests that use them are skipped and say so.
$(VENV)/.node: | $(BIN)/python
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --prefix $(VENV)/node @stoplight/prism-cli@5.16.0 axe-core@4.14.1; \
	else echo "no npm: the checks by Prism and axe are skipped"; fi
	@touch $@

.PHONY: test
test: $(VENV)/.dev $(VENV)/.node ## Run the tests on SQLite and PostgreSQL; T=path runs only those
	$(CHECKERS) $(BIN)/python -m pytest -n 2 $(T)

.PHONY: check
check: $(VENV)/.dev ## Lint, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.PHONY: contracts
contracts: $(VENV)/.dev $(VENV)/.node ## Hold the connectors to the platforms' published material and count what was held
	$(CHECKERS) $(BIN)/python -m pytest -q -p no:randomly tests/contracts

.PHONY: crash
crash: $(VENV)/.dev ## Kill workers and the whole hub while orders pour in, then check the books
	$(BIN)/python -m benchmarks.crash

.PHONY: race
race: $(VENV)/.dev ## Let 1,000 orders run after 100 units, ten times on each database
	ORDERHUB_LONG=1 $(BIN)/python -m pytest -q tests/crash/test_race.py

.PHONY: machines
machines: $(VENV)/.dev ## Walk every state machine 300 times 50 steps on both databases
	ORDERHUB_LONG=1 $(BIN)/python -m pytest -q -n 2 $(shell grep -rlE "RuleBasedStateMachine|StoredMachine" tests --include="test_*.py")

.PHONY: benchmark
benchmark: $(VENV)/.dev ## Measure the intake of orders on SQLite and PostgreSQL
	$(BIN)/python -m benchmarks.intake

.PHONY: routing-benchmark
routing-benchmark: $(VENV)/.dev ## Measure routing decisions, and solve the published order-fulfillment instance
	$(BIN)/python -m benchmarks.routing

.PHONY: stock-benchmark
stock-benchmark: $(VENV)/.dev ## Measure how fast stock goes out to five shops and comes in by API and CSV
	$(BIN)/python -m benchmarks.stock

.PHONY: clean
clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
