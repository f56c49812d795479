# What a person does often is one command here; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# bare | kind | current | auto: kind where a Docker engine answers, else bare
CLUSTER ?= auto
# What pytest is to run, and more options for it
TESTS ?= tests/unit tests/contract tests/security tests/chart tests/integration tests/e2e
PYTEST ?=
# Unit tests run on all cores; the others share servers and a cluster, and run one after the other.
PARALLEL := --numprocesses=auto --dist=worksteal
REST = $(filter-out tests/unit,$(TESTS))
# Which benchmarks, all by default
BENCH ?=

UV := .tools/uv/bin/uv
BIN := .venv/bin
STAMP := .venv/.synchronised
RUN := PYTHONPATH=$(CURDIR) $(BIN)/python -m
SOURCES := voxk8s tests helm/voxk8s/files

export CLUSTER
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# The interpreter is the machine's own; the virtual environment is this clone's, whatever is active.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# Where it is set, each of some thousand processes of the tests would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environment

.PHONY: venv
venv: $(STAMP) ## Create .venv from uv.lock
	@:

$(STAMP): pyproject.toml uv.lock build_backend.py $(wildcard voxk8s/kernels/native/*.[ch]) | $(UV)
	@begin=$$SECONDS; \
	$(UV) sync --quiet --frozen --all-extras --reinstall-package voxk8s || { \
	    echo "error: cannot create .venv from uv.lock (is the package index reachable?)" >&2; exit 1; }; \
	touch $@; echo "  ✓ Python environment .venv ($$((SECONDS - begin)) s)" >&2

$(UV):
	@begin=$$SECONDS; \
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "error: python3 of version 3.11 or newer is needed" >&2; exit 1; }; \
	if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        export DEBIAN_FRONTEND=noninteractive; \
	        { apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv; } >/dev/null; \
	    else \
	        echo "error: python3's venv module is needed: install the package python3-venv" >&2; exit 1; \
	    fi; \
	fi; \
	rm -rf .tools/uv; \
	{ python3 -m venv .tools/uv && .tools/uv/bin/python -m pip install --quiet \
	    --disable-pip-version-check --require-hashes -r .ci/uv.txt; } || { rm -rf .tools/uv; \
	    echo "error: cannot install uv (is the package index reachable?)" >&2; exit 1; }; \
	echo "  ✓ uv ($$((SECONDS - begin)) s)" >&2

.PHONY: tools
tools: venv ## Get kubectl, helm and kubeconform into .tools/bin
	@$(RUN) tests.tools.cluster tools

# ---- cluster

.PHONY: cluster-up
cluster-up: venv ## Start a Kubernetes (CLUSTER=auto|kind|bare|current); kubeconfig in .cluster/
	@$(RUN) tests.tools.cluster up

.PHONY: cluster-down
cluster-down: venv ## Stop it and leave nothing behind
	@$(RUN) tests.tools.cluster down

.PHONY: cluster-status
cluster-status: venv ## Say what runs
	@$(RUN) tests.tools.cluster status

.PHONY: images
images: cluster-up ## Build the images and bring them into the cluster
	@$(RUN) tests.tools.cluster images

.PHONY: install
install: venv ## Install the dask-kubernetes operator, an S3 server and voxk8s (cluster and images included)
	@$(RUN) tests.tools.cluster install

# ---- everything

.PHONY: first-look
first-look: venv ## Run the demo's first plan in one process: a picture and a report, no cluster
	@$(RUN) tests.tools.demo.first_look

.PHONY: demo
demo: venv ## Set everything up and run three WorkPlans over a real MRI
	@$(MAKE) --jobs=2 first-look install
	@$(RUN) tests.tools.demo

.PHONY: test
test: venv ## Set everything up and pass all tests
	@$(MAKE) --jobs=2 tools install
	@mkdir -p reports
	@$(if $(filter tests/unit,$(TESTS)),$(BIN)/pytest tests/unit $(PARALLEL) --junitxml=reports/unit.xml $(PYTEST))
	@$(if $(REST),$(BIN)/pytest $(REST) --junitxml=reports/tests.xml $(PYTEST))

.PHONY: bench
bench: install ## Print the benchmark tables (BENCH="plan store" for some)
	@$(RUN) tests.tools.bench $(BENCH)

.PHONY: bench-cluster
bench-cluster: ## Print those of a real cluster, started and stopped for them (ARGS="--high 7 --rounds 3")
	@status=0; $(MAKE) install && $(RUN) tests.tools.bench.cluster_sweep $(ARGS) || status=$$?; \
	$(MAKE) cluster-down; exit $$status

.PHONY: chaos
chaos: install ## Play ROUNDS (10) of faults on the cluster from SEED (0) on
	@$(RUN) tests.tools.chaos --rounds $(or $(ROUNDS),10) --seed $(or $(SEED),0)

.PHONY: fuzz
fuzz: venv ## Feed damaged programs, documents, records and images for SECONDS (60) from SEED (0) on
	@$(RUN) tests.support.fuzz $(or $(SECONDS),60) $(or $(SEED),0)

# ---- code

.PHONY: check
check: lint unit ## Lint, types, import contracts and unit tests

.PHONY: unit
unit: venv ## Unit tests only, on all cores, with few examples a property
	@HYPOTHESIS_PROFILE=quick $(BIN)/pytest tests/unit $(PARALLEL) $(PYTEST)

.PHONY: lint
lint: venv ## Formatting, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { \
	    $(BIN)/ruff format --check $(SOURCES); echo "error: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }
	@echo "  ✓ formatting, lint, types, import contracts" >&2

.PHONY: format
format: venv ## Format the code and repair what can be repaired
	@$(BIN)/ruff format --quiet $(SOURCES)
	@$(BIN)/ruff check --quiet --fix $(SOURCES)

.PHONY: generate
generate: tools ## Write the generated files: CRDs, kustomize base, samples, golden manifests
	@$(RUN) tests.tools.generate

.PHONY: docs
docs: | $(UV) ## Build the site of the pages into build/site, and check their links
	@$(UV) run --quiet --isolated --no-project --with-requirements <($(UV) export --quiet --frozen \
	    --only-group docs --no-header --no-annotate) python tests/tools/docs_site.py

.PHONY: clean
clean: ## Remove what these commands created in the clone (stop the cluster first)
	@if [ -e .cluster/kubeconfig ]; then echo "error: a cluster is up: make cluster-down first" >&2; exit 1; fi
	@rm -rf .cluster .tools .venv reports dist build voxk8s.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
	@find voxk8s -name '*.so' -delete
