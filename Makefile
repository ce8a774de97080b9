# Everything one does here, by name. `make help` lists it.
# No target needs more than Python 3.11+, make and the package index that pip is set up for.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
PEERS := fastapi litserve bentoml mlserver # servers that ours is held against
# Pages to be executed and screens to be drawn stay on this machine: one time zone, one locale.
export TZ := UTC
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help venv demo test-venv mlflow-venv model-signing-venv provider-venv oras-venv cards-venv serving-clients-venv manifests-venv registry chromium test fast check static formatted documented tests judges judges-torch faults reliability format lint types imports docs bench bench-import bench-audit bench-tracking bench-serving screenshots lock clean
.DELETE_ON_ERROR:

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Environments. A stamp holds the lock that was installed, so a second call has nothing to do.

venv: $(VENV)/installed-demo ## set up .venv with everything the demo needs

test-venv: $(VENV)/installed-dev ## set up .venv with everything the tests need

$(VENV)/installed-%: locks/%.txt locks/build.txt pyproject.toml tools/venv
	@tools/phase "install $*" tools/venv "$(PYTHON)" $(VENV) $<
	@touch $@

mlflow-venv: .venvs/mlflow/installed ## set up .venvs/mlflow with MLflow's own client and server

.venvs/mlflow/installed: locks/mlflow.txt tools/venv
	@tools/phase "install mlflow" nice tools/venv "$(PYTHON)" .venvs/mlflow locks/mlflow.txt alone
	@touch $@

model-signing-venv: .venvs/model-signing/installed ## set up .venvs/model-signing with the OpenSSF's own tool

.venvs/model-signing/installed: locks/model-signing.txt tools/venv
	@tools/phase "install model-signing" nice tools/venv "$(PYTHON)" .venvs/model-signing locks/model-signing.txt alone
	@touch $@

oras-venv: .venvs/oras/installed ## set up .venvs/oras with another client of registries

.venvs/oras/installed: locks/oras.txt tools/venv
	@tools/phase "install oras" nice tools/venv "$(PYTHON)" .venvs/oras locks/oras.txt alone
	@touch $@

cards-venv: .venvs/cards/installed ## set up .venvs/cards with what reads exported cards

.venvs/cards/installed: locks/cards.txt tools/venv
	@tools/phase "install cards" nice tools/venv "$(PYTHON)" .venvs/cards locks/cards.txt alone
	@touch $@

serving-clients-venv: .venvs/serving-clients/installed ## set up .venvs/serving-clients with boto3 and Triton's client

.venvs/serving-clients/installed: locks/serving-clients.txt tools/venv
	@tools/phase "install serving-clients" nice tools/venv "$(PYTHON)" .venvs/serving-clients locks/serving-clients.txt alone
	@touch $@

manifests-venv: .venvs/manifests/installed ## set up .venvs/manifests with the schemas of Kubernetes and KServe

.venvs/manifests/installed: locks/manifests.txt tools/venv
	@tools/phase "install manifests" nice tools/venv "$(PYTHON)" .venvs/manifests locks/manifests.txt alone
	@touch $@

registry: chromium ## a registry for the tests to push to
	@tools/phase "registry" tools/registry

provider-venv: .venvs/provider/installed ## set up .venvs/provider with a real OpenID provider

.venvs/provider/installed: locks/provider.txt tools/venv
	@tools/phase "install provider" nice tools/venv "$(PYTHON)" .venvs/provider locks/provider.txt alone
	@touch $@

chromium:
	@tools/phase "chromium" tools/chromium

## Running

demo: venv ## the whole path on real data, then the server until Ctrl-C
	@$(BIN)/taxiway demo

bench-import: test-venv mlflow-venv ## bring 20,000 runs with 10 million points over from an MLflow, and time it
	@$(BIN)/python -m tools.moving

bench-tracking: test-venv mlflow-venv chromium ## hold tracking against MLflow's own server, both in one run
	@$(BIN)/python -m tools.tracking

bench-serving: test-venv mlflow-venv $(PEERS:%=.venvs/%/installed) ## hold serving against other servers, all in one run
	@command -v wrk >/dev/null || tools/apt "Measuring needs wrk" wrk || echo "wrk could not be installed: nothing will be measured"
	@$(BIN)/python -m tools.serving

# One of them that cannot be installed is told as not run.
$(PEERS:%=.venvs/%/installed): .venvs/%/installed: locks/%.txt tools/venv
	-@tools/phase "install $*" nice tools/venv "$(PYTHON)" .venvs/$* locks/$*.txt alone && touch $@

bench-audit: test-venv ## append to the audit log and check a million entries
	@$(BIN)/python -m tools.auditing

bench: test-venv ## print the figures of docs/benchmarks.md
	@$(BIN)/python -m tools.bench

## Checking

# What reads the code needs one environment alone, and is done while the others are set up: those are nice to it.
# Each step's words come together, when it has ended.
test: ## set up all the tests need and do what `check` does; this is what CI runs
	@$(MAKE) --no-print-directory -O -j 4 static mlflow-venv model-signing-venv provider-venv oras-venv cards-venv serving-clients-venv manifests-venv registry
	@$(MAKE) --no-print-directory tests

check: static tests ## format, lint, types, import contracts, docs and every test, in the environment there is

fast: test-venv ## the inner loop: lint and the tests of laws and rules; no server, PostgreSQL or browser
	@tools/phase "lint" $(BIN)/ruff check --quiet
	@tools/phase "tests" $(BIN)/pytest -q -n $(JOBS) -m "not server and not postgres and not browser and not slow and not judge and not fault"

static: formatted lint types imports documented

formatted: test-venv
	@tools/phase "format" $(BIN)/ruff format --check --quiet

documented: test-venv
	@tools/phase "docs" $(BIN)/python -m tools.docs --check

# Each process begins with a part of its own, so that few files are begun by two; who is done first helps the other.
tests: test-venv
	@tools/phase "tests" $(BIN)/pytest -q -n $(JOBS) --dist worksteal --durations=10 -m "not judge and not fault"

judges: test-venv mlflow-venv ## the long comparisons with other systems, which `test` leaves out
	@tools/phase "judges" $(BIN)/pytest -q -m judge
	@TAXIWAY_TESTS_ON=postgres+s3 tools/phase "judges on PostgreSQL and S3" $(BIN)/pytest -q -m "not judge and not fault and not browser and not slow" tests/compat tests/runs tests/traces
	@$(MAKE) --no-print-directory judges-torch

judges-torch: ## the autologging of PyTorch and Lightning, with the real ones in .venvs/torch
	@tools/phase "judges of torch" tools/torch "$(PYTHON)"

faults: test-venv ## break servers, clients, disks and clocks on purpose, at length
	@command -v strace >/dev/null || apt-get install -y -qq strace >/dev/null 2>&1 || echo "strace could not be installed: what needs it is reported as not run, and fails"
	@tools/phase "faults" $(BIN)/pytest -q -m fault

reliability: test-venv ## break endpoints on purpose under load and write docs/reliability.md
	@rm -f .figures && TAXIWAY_FIGURES=.figures tools/phase "faults of serving" $(BIN)/pytest -q -m fault tests/faults/serving
	@$(BIN)/python -m tools.reliability .figures && rm -f .figures

format: test-venv ## write the code the way ruff lays it out
	@$(BIN)/ruff check --quiet --fix-only --select I,RUF100,UP
	@$(BIN)/ruff format

lint: test-venv ## ruff's rules
	@tools/phase "lint" $(BIN)/ruff check --quiet

types: test-venv ## mypy, strict, tests and tools too
	@tools/phase "types" $(BIN)/mypy

imports: test-venv ## the import contracts: floors, light, private and pure rooms
	@tools/phase "imports" $(BIN)/lint-imports --no-logo

docs: test-venv ## write the generated pages of docs/ anew and check every link
	@$(BIN)/python -m tools.docs

## Housekeeping

screenshots: test-venv chromium ## take the pictures of docs/images/ from the demo
	@$(BIN)/python -m tools.screenshots

lock: ## resolve the dependencies anew into locks/ (the one target that needs uv)
	@tools/lock "$(PYTHON)"

clean: ## remove the environment and every cache
	rm -rf $(VENV) .venvs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
