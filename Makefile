# Everything a person or CI runs. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
STATIC := src/fieldwise/api/static
SF ?= 0.1
SERVE ?= 1
HOME_FOLDER ?= .fieldwise
WEB_SOURCES := $(shell find web/src web/public web/index.html web/vite.config.ts web/package.json web/openapi.json -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install web demo test check bench prove clean test-tools lock

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMPS)/install ## make .venv with the package and its `fieldwise` command

$(STAMPS)/install: pyproject.toml requirements.lock
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## compile requirements.lock anew: versions and hashes, no addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml requirements.build.in -o requirements.lock

web: $(STAMPS)/web ## build the web app into the package

$(STAMPS)/node_modules: web/package.json web/package-lock.json
	@mkdir -p $(STAMPS)
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/web: $(STAMPS)/node_modules $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

demo: install web ## build the sample warehouse for three days and serve it (SERVE=0 stops after the run, SF=1 for more data)
	$(BIN)/fieldwise demo --home $(HOME_FOLDER) --sf $(SF) $(if $(filter 0,$(SERVE)),--no-serve,)

test-tools: install
	@bash tools/install-test-tools.sh

check: install $(STAMPS)/node_modules ## format, lint, types, import contracts, web checks
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/ruff check src tests bench tools
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd web && npm run --silent types && npm run --silent lint && npm run --silent test

test: test-tools web check ## all checks and all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not prove" $(PYTEST_ARGUMENTS)

prove: test-tools web ## the long forms, hours: FIELDWISE_SEEDS=0..100000 chooses the seeds
	$(BIN)/python -m pytest -m prove

bench: install ## measure against the targets; prints tables and writes bench/results.json
	$(BIN)/python -m bench.all $(BENCH)

clean: ## remove what was built, not the data
	rm -rf $(STAMPS) $(STATIC) build dist
