# Needs make and Python 3.11 or newer with pip; everything else goes into .venv, from the lock files.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin

# Tests wait more than they compute, so one process more than there are processors; each has a Postgres of its own. A
# file's tests stay together, since they share what they start; files begin in their order, which has the short ones last.
# When a process ends early, all do: the scheduler of the others would wait forever for the tests that it had.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() + 1, 8))')
BESIDE := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# A test of real servers may fail because the machine was busy. It is tried once more, and its first failure is shown all the
# same. Five in a run at most, none of the tests that only compute, and none that says that something was lost.
AGAIN := --reruns 1 --max-suite-reruns 5 --rerun-show-tracebacks --rerun-except 'was lost|twice|is missing' \
	--rerun-exclude-path tests/unit --rerun-exclude-path tests/property

INSTALL = $(BIN)/python -m pip --disable-pip-version-check install

# A line that tells how many packages are there so far; what pip said is shown only if it fails.
define install_locked
@total=$$(grep -c '==' $(1)); log=.venv/install.log; : >$$log; \
$(INSTALL) --require-hashes --requirement $(1) >$$log 2>&1 & pid=$$!; \
while kill -0 $$pid 2>/dev/null; do \
	printf '\r  %s of %s packages' "$$(grep -cE '^(Collecting|Requirement already satisfied)' .venv/install.log)" "$$total"; sleep 1; \
done; \
if wait $$pid; then printf '\r  %s packages are there          \n' "$$total"; else echo; cat .venv/install.log >&2; exit 1; fi
endef

# xds-protos brings older copies of OpenTelemetry's messages under the same names: the right ones are put back.
define restore_messages
@sed -n '/^opentelemetry-proto==/,/[^\\]$$/p' requirements.lock >.venv/messages.txt
@$(INSTALL) -qq --force-reinstall --no-deps --require-hashes --requirement .venv/messages.txt
endef

# A Python that was upgraded or removed leaves an environment that does nothing.
ifneq ($(wildcard .venv/bin),)
ifneq ($(shell $(BIN)/python -c 'import pip, sys; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
$(info .venv was made by a Python that is gone or older than 3.11: making it anew)
$(shell rm -rf .venv)
endif
endif

.DELETE_ON_ERROR:
.PHONY: help setup run test test-quick soak bench check docs format lock dist sbom licences audit manifests keep-version clean

help: ## Show this.
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' Makefile | expand -t 12

setup: .venv/.development ## Create or update the environment in .venv.

run: .venv/.runtime ## Serve on 127.0.0.1:8080 with a Postgres of its own; ARGS="--port 9000" passes settings.
	@exec $(BIN)/fairlead serve $(ARGS)

test: .venv/.development ## Run the tests, which takes up to 20 minutes on two cores.
	@echo "running the tests, which takes up to 20 minutes on two cores; make test-quick takes about two"
	$(BIN)/pytest $(BESIDE) $(AGAIN) $(ARGS)

test-quick: .venv/.development ## Run the tests that need no server, but for the few long ones, in about two minutes.
	$(BIN)/pytest $(BESIDE) tests/unit tests/property -m "not soak and not long" $(ARGS)

soak: .venv/.development ## Run the long tests at full size.
	$(BIN)/pytest -m soak -o faulthandler_timeout=0 $(ARGS)

bench: .venv/.development ## Measure; ARGS="--server URL" measures another server.
	$(BIN)/python -m tests.bench $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m tests.bench.traffic)
	$(if $(ARGS),,$(BIN)/python -m tests.bench.policies)
	$(if $(ARGS),,$(BIN)/python -m tests.bench.floods)

check: .venv/.development ## Run every static check.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs --quiet build --strict

docs: .venv/.development ## Build the documentation into .site.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: .venv/.development ## Format the code, and fix what can be fixed mechanically.
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format

lock: .venv/.development ## Resolve the dependencies anew into the lock files.
	$(BIN)/uv $(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(BIN)/uv $(COMPILE) pyproject.toml --group build --group dev --constraints requirements.lock \
		--output-file requirements-dev.lock

COMPILE = --quiet pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'

DIST ?= dist

dist: .venv/.development ## Build the sdist and the wheel into dist, with the versions that the tests ran with.
	$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir $(DIST)
	@# pipx and pip take no hashes for what is installed beside a file.
	sed -e '/--hash/d' -e 's/ *\\$$//' requirements.lock > $(DIST)/constraints.txt

# What is installed with Fairlead, and nothing else.
dist/environment/.made: requirements.lock .venv/.development
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python dist/environment
	$(BIN)/uv pip sync --quiet --python dist/environment/bin/python --require-hashes requirements.lock
	@touch $@

sbom: dist/environment/.made ## Write what is installed with Fairlead to dist/fairlead.cdx.json (CycloneDX).
	$(BIN)/cyclonedx-py environment dist/environment/bin/python --pyproject pyproject.toml --output-reproducible \
		--output-file dist/fairlead.cdx.json

licences: dist/environment/.made ## Write docs/licences.md.
	$(BIN)/python deploy/licences.py dist/environment/bin/python

audit: .venv/.development ## Look for known vulnerabilities of what is installed; asks pypi.org.
	$(BIN)/uv tool run pip-audit --requirement requirements.lock --disable-pip

manifests: .venv/.development ## Render the Helm chart into Kustomize's base.
	$(BIN)/python deploy/manifests.py

keep-version: dist ## After a release: keep its wheel for the test of the next one's upgrade.
	rm -f tests/upgrades/*.whl
	cp dist/fairlead-$$($(BIN)/fairlead version | cut -d' ' -f2)-py3-none-any.whl tests/upgrades/

clean: ## Remove the environment and what the tools cache; .data stays.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .site *.egg-info

# Debian's Python makes environments only with its package python3-venv; without it, the system's pip fills one in.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found" >&2; exit 1; }
	@echo "making an environment in .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv \
		&& $(PYTHON) -m pip --quiet --python .venv/bin/python install pip; } \
	|| { rm -rf .venv; echo "$(PYTHON) has neither venv nor pip. Install python3-venv (Debian, Ubuntu), python3-pip" \
		"(Fedora, RHEL, openSUSE), py3-pip (Alpine) or python-pip (Arch), and try again" >&2; exit 1; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing what Fairlead needs into .venv, which takes about half a minute ..."
	$(call install_locked,requirements.lock)
	$(call restore_messages)
	@$(INSTALL) -qq --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.development: requirements-dev.lock .venv/.runtime
	@echo "installing what the tests need into .venv, which takes about half a minute ..."
	$(call install_locked,requirements-dev.lock)
	$(call restore_messages)
	@touch $@
