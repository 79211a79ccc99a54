# Every command of the project. `make help` lists them.

PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
PY      := $(BIN)/python
PIP     := $(PY) -m pip --disable-pip-version-check -qq
PYTEST  := $(PY) -m pytest
RUFF    := $(BIN)/ruff
MYPY    := $(BIN)/mypy
NPM     ?= npm
UV_PIN  := uv==0.13.9
STAMP   := $(VENV)/.installed
LOCKENV := .cache/lock
CLIENTS := tests/integration/claude_code tests/integration/other_clients

# What ruff, mypy and codespell look at; bench and tools join as they appear.
SOURCES := $(wildcard src tests tools bench)

.DEFAULT_GOAL := help
.PHONY: help install run test check fmt lint types itest faults sim fuzz load soak audit sbom bench perf docs ci lock client coverage drift clean python-ok

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## .venv from the lock with hashes; leaves a working .venv/bin/ccr

$(STAMP): requirements/dev.txt requirements/runtime.txt pyproject.toml
	@$(MAKE) --no-print-directory python-ok
	@if [ ! -x $(PY) ] || ! $(PY) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --clear $(VENV) || { echo "make: could not make $(VENV); on Debian run: apt-get install python3-venv" >&2; exit 1; }; fi
	@echo "Installing into $(VENV) from requirements/dev.txt (hashes checked) ..."
	@$(PIP) install --require-hashes --no-deps -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/ccr --help >/dev/null || { echo "make: $(BIN)/ccr does not start; run it to see why" >&2; exit 1; }
	@touch $@

python-ok:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there; install Python 3.11 or newer (Debian: apt-get install python3 python3-venv), or say PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; install a newer Python, or say PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: the venv module is missing; on Debian run: apt-get install python3-venv" >&2; exit 1; }

run: install ## First config if there is none, then the gateway in the foreground
	@exec $(BIN)/ccr start --foreground

test: install ## Unit, integration, one pass of the real client; says what was skipped and why
	@$(PY) tools/run_suites.py unit integration client

check: lint types coverage drift ## lint types, coverage gates, drift of generated pages

coverage: install
	@$(PY) tools/check_coverage.py

drift: install
	@if [ -f tools/gen_reference.py ]; then $(PY) tools/gen_reference.py --check; else echo "drift: no generated pages yet"; fi

fmt: install ## ruff format; ruff check --fix
	@$(RUFF) format $(SOURCES)
	@$(RUFF) check --fix $(SOURCES)

lint: install ## Format check, ruff, import-linter, deptry, codespell, slotscheck, module size
	@$(PY) tools/run_checks.py

types: install ## mypy strict on src and tests
	@$(MYPY)

itest: install ## The slow integration suites
	@$(PY) tools/run_suites.py slow

faults: install ## The table of faults: what a provider did, what the client was given
	@$(PY) -m tests.support.faulty.run

load: install ## 100 to 5000 streams at once before one worker: who is served, who refused, how soon
	@$(PY) -m tests.support.load $(STEPS)

soak: install ## MINUTES (30) of mixed traffic, 3 clients in 10 leave: what grows is a leak
	@$(PY) -m tests.support.soak $(or $(MINUTES),30) $(SEED)

sim: install ## Lives of a gateway over virtual time, SEEDS=100 of them, each from a fresh seed; SEED=7 shows one again
	@$(PY) -m tests.support.sim.run $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100))

fuzz: install ## Every reader of foreign bytes, SECONDS=60 each, guided by coverage; finds stay in .cache/fuzz
	@$(PY) -m tests.support.fuzz.run --seconds $(or $(SECONDS),60) $(TARGET)

bench: install ## What a request costs, beside a direct call; medians of one run. DOCS=1 writes the documentation's tables
	@$(PY) bench/run.py $(if $(DOCS),--write-docs)
	@$(PY) bench/pairs.py $(if $(DOCS),--write-docs)

peers: install ## The same beside other gateways, installed below .cache (npm, pip, apt-get download); DOCS=1 as above
	@$(PY) bench/peers.py $(if $(DOCS),--write-docs)

perf: install ## Instructions of a request beside their budget, by valgrind, no clock; UPDATE=1 makes what is found the budget
	@$(PY) bench/perf/run.py $(if $(UPDATE),--update)

audit: install ## Locks, what runs at start, bill of materials, known holes
	@$(PY) tools/supply.py

sbom: install ## dist/ccr.cdx.json, the CycloneDX list of what is shipped with us
	@$(PY) tools/supply.py sbom

docs: install ## Build the documentation, warnings are errors
	@$(BIN)/mkdocs build --strict --quiet

ci: ## What a bare machine runs: install, test, check, itest
	@bash .ci/run

lock: python-ok ## Compile requirements/*.txt anew, with hashes and no index address
	@test -x $(LOCKENV)/bin/python || $(PYTHON) -m venv $(LOCKENV)
	@$(LOCKENV)/bin/python -m pip --disable-pip-version-check -qq install $(UV_PIN)
	@$(PYTHON) tools/lock.py $(LOCKENV)/bin/uv

client: ## The real clients (Claude Code, Codex, Gemini CLI), pinned, for their suites (needs node)
	@set -e; for folder in $(CLIENTS); do (cd $$folder && $(NPM) ci --no-audit --no-fund --loglevel=error); done

clean: ## Everything that can be made again
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* build dist site $(addsuffix /node_modules,$(CLIENTS))
