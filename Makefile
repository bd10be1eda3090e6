# Everything a person or CI runs. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/fieldwise/api/static
# What `make prove` takes for the simulation: the half-open range of seeds.
FIELDWISE_SEEDS ?= 0..100000

# A stamp lies inside what it stamps: who deletes the folder, deletes the stamp.
INSTALLED := $(VENV)/.installed
NODE_MODULES := web/node_modules/.package-lock.json
WEB := $(STATIC)/index.html
# Folders are listed too, so that a deleted file is noticed.
WEB_SOURCES := $(shell find web/src web/public web/index.html web/vite.config.ts web/tsconfig.json 2>/dev/null)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install web client demo test check bench prove clean test-tools lock

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## make .venv with the package and its `fieldwise` command

$(INSTALLED): pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: install ## compile requirements.lock anew: versions and hashes, no addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml requirements.build.in -o requirements.lock

web: $(WEB) ## build the web app into the package

$(NODE_MODULES): web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB): $(NODE_MODULES) $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

client: install $(NODE_MODULES) ## generate the web client anew from the HTTP contract
	$(BIN)/python -m fieldwise.api.openapi > web/openapi.json
	cd web && npm run --silent client

demo: install web ## build the sample warehouse, run three days and serve it (SERVE=0 stops after the run, SF=1 for more data)
	$(BIN)/fieldwise demo $(if $(SF),--sf $(SF)) $(if $(filter 0,$(SERVE)),--no-serve)

test-tools: install
	@bash tools/install-test-tools.sh

check: install $(NODE_MODULES) ## format, lint, types, import contracts, web checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src/fieldwise $(if $(wildcard bench/*.py),bench)
	$(BIN)/lint-imports --no-cache
	cd web && npm run --silent types && npm run --silent lint && npm run --silent test

test: test-tools web check ## all checks and all tests (PYTEST_ARGUMENTS adds options)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGUMENTS)

prove: test-tools web ## the long forms, hours (FIELDWISE_SEEDS=0..100000 chooses the seeds)
	FIELDWISE_SEEDS=$(FIELDWISE_SEEDS) $(BIN)/python -m pytest -n 2 --dist worksteal -m prove --timeout 0 --hypothesis-profile prove $(PYTEST_ARGUMENTS)

bench: install ## measure against the targets; prints tables and writes JSON into bench/
	$(BIN)/python -m bench.all $(BENCH)

clean: ## remove what was built, not the data
	rm -rf $(INSTALLED) $(STATIC) build dist
