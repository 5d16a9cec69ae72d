# The platform's two promises: `make demo` sets up and runs the whole loop, `make test` sets up and passes the tests.
SHELL := /bin/bash
# Images of Python like to set it. Each of hundreds of processes would compile all that it imports, for seconds.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
UV_VERSION := 0.13.9
BIN := .venv/bin
VIDEOS ?=
PEOPLE ?=

IMAGE_LOCKS := airflow task cpu
SBOMS := build/sbom

.PHONY: help setup demo down docs test lint audit sbom pin-bases lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# On a terminal uv shows how far its downloads are; in a log it would list each package.
QUIET := $(shell test -t 2 || echo --quiet)

setup: .venv/.ready ## make .venv from the lock

# The marker is written last: a set-up that was cut off starts again. Where jsonschema finds rfc3987-syntax, which a tool
# for bills of materials brings, it builds 38 parsers at import: seconds of each process of Airflow, for nothing here.
.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and "make: found Python %d.%d, need 3.11, 3.12 or 3.13 (set PYTHON=...)" % v)'
	@echo "make: sets up .venv, once: $$(grep -c == requirements.lock) packages, several GB"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip install $(QUIET) --system-certs --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip uninstall --quiet --python $(BIN)/python rfc3987-syntax
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## run the whole loop under Airflow; VIDEOS=<folder> for your own videos
	$(BIN)/slac demo $(if $(VIDEOS),--videos "$(VIDEOS)") $(if $(PEOPLE),--people $(PEOPLE))

down: ## stop what `make demo` left running
	@test ! -x $(BIN)/slac || $(BIN)/slac down

docs: setup ## serve the documentation on this machine, and build it again when a page changes
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:8001

lint: setup ## style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers auto
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive slac_tasks plugins dags docker bench .ci

audit: setup ## ask for known vulnerabilities of everything that the locks name; 75: nobody could be asked
	$(BIN)/python .ci/audit.py requirements.lock requirements-airflow.lock requirements-task.lock requirements-cpu.lock requirements-uv.lock

sbom: setup $(IMAGE_LOCKS:%=$(SBOMS)/%.json) ## write what both images hold, as CycloneDX, below build/sbom

$(SBOMS)/%.json: requirements-%.lock pyproject.toml
	@mkdir -p $(@D)
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file $@ $<

pin-bases: setup ## pin the base images by the digests of today; 75: no registry answers, and nothing is changed
	$(BIN)/python .ci/pin_bases.py

# A third of their time tests wait for something: one worker more than processors, four at most. Those that play whole
# loops do not wait: a third one beside two would stretch them all, and Airflow works by the clock meanwhile.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 3 ? n + 1 : 4)))
PYTEST := $(BIN)/python -m pytest --dist loadscope --no-loadscope-reorder

test: setup lint ## run all tests
	$(PYTEST) --numprocesses 2 tests/acceptance; loops=$$?; \
	$(PYTEST) --numprocesses $(WORKERS) --ignore tests/acceptance && exit $$loops

lock: ## resolve the dependencies again, with hashes and without any index address
	for part in all:requirements.lock airflow:requirements-airflow.lock task:requirements-task.lock cpu:requirements-cpu.lock uv:requirements-uv.lock; do \
	  case $${part%%:*} in \
	    all) extras="--all-extras pyproject.toml" ;; \
	    airflow) extras="--extra airflow pyproject.toml -c requirements.lock" ;; \
	    task) extras="--extra work --extra networks --extra web --extra weights --extra vlm --extra pose --extra watch pyproject.toml -c requirements.lock" ;; \
	    cpu) extras="--extra work --extra web --extra pose --extra watch pyproject.toml -c requirements-task.lock" ;; \
	    uv) extras="- " ;; \
	  esac; \
	  echo 'uv==$(UV_VERSION)' | $(BIN)/uv pip compile --quiet --no-config --generate-hashes --no-emit-index-url --universal --python-version 3.11 $$extras -o $${part##*:} || exit 1; \
	done

clean: ## stop everything; remove the environment and what the demos made
	@test ! -x $(BIN)/slac || $(BIN)/slac down --remove
	rm -rf .venv .slac
