# Needs make and Python 3.11 or newer with pip; everything else goes into .venv, from the lock files.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALL = $(BIN)/python -m pip --disable-pip-version-check -qq install

.DELETE_ON_ERROR:
.PHONY: help setup run test soak bench check format lock clean

help: ## Show this.
	@sed -n 's/^\([a-z]*\):.*## /  \1	/p' Makefile | expand -t 12

setup: .venv/.development ## Create or update the environment in .venv.

run: .venv/.runtime ## Serve on 127.0.0.1:8080 with a Postgres of its own; ARGS="--port 9000" passes settings.
	@exec $(BIN)/fairlead serve $(ARGS)

test: .venv/.development ## Run the tests.
	$(BIN)/pytest $(ARGS)

soak: .venv/.development ## Run the long tests at full size.
	$(BIN)/pytest -m soak $(ARGS)

bench: .venv/.development ## Measure; ARGS="--server URL" measures another server.
	$(BIN)/python -m tests.bench $(ARGS)

check: .venv/.development ## Run every static check.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.development ## Format the code, and fix what can be fixed mechanically.
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format

lock: .venv/.development ## Resolve the dependencies anew into the lock files.
	$(BIN)/uv $(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(BIN)/uv $(COMPILE) pyproject.toml --group build --group dev --constraints requirements.lock \
		--output-file requirements-dev.lock

COMPILE = --quiet pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'

clean: ## Remove the environment and what the tools cache; .data stays.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# Debian's Python makes environments only with its package python3-venv; without it, the system's pip fills one in.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found" >&2; exit 1; }
	$(PYTHON) -m venv .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv \
		&& $(PYTHON) -m pip --quiet --python .venv/bin/python install pip; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.development: requirements-dev.lock .venv/.runtime
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@
