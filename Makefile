# Needs python3 (3.11 or newer) and Node.js (20.19 or newer); everything else is installed below
# this folder, from the registries and by the lock files. `make` alone lists the targets.

PORT ?= 8294
DATA ?= .data
STARTER ?= qwen2.5-coder-0.5b
ENGINE ?= embedded
FALLBACK ?= smollm2-135m
PYTEST_ARGS ?=
WORKERS ?= 2
LOCK_ARGS ?=

# The first python3 that is new enough; override with make PYTHON=/path/to/python3.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$each"; break; }; done)

BIN := .venv/bin
INSTALLED := .venv/.installed
NODE_MODULES := web/node_modules/.installed
DIST := web/dist/manifest.json
MODELS := .cache/models

# Containers often forbid it; the tests start our programs hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

CATALOGUES := $(wildcard web/locales/*/LC_MESSAGES/couachgpt.po)
COMPILED := $(CATALOGUES:.po=.mo) \
	$(foreach part,texts later admin profile document,$(foreach language,fr en,web/src/generated/$(part).$(language).json))
BROWSER_CODE := $(shell find web/src -type f ! -path 'web/src/generated/*' 2>/dev/null)
WEB_SOURCES := $(BROWSER_CODE) $(shell find web/templates web/public -type f 2>/dev/null) \
	$(wildcard web/*.ts web/*.js web/*.json)
PYTHON_CODE := couachgptd tests scripts hatch_build.py $(if $(wildcard benchmarks/*.py),benchmarks)
SHELL_CODE := .ci/run $(wildcard *.sh scripts/*.sh benchmarks/*.sh tests/*/*.sh)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install web locales texts reference models packages run test test-web test-python check format \
	soak screenshots wheel bundle lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

# --- install ------------------------------------------------------------------------------------

install: $(INSTALLED) ## the Python side: .venv with the locked packages and this one, editable

$(INSTALLED): requirements.lock pyproject.toml hatch_build.py
	@test -n "$(PYTHON)" || { \
		echo "couachgpt: needs Python 3.11 or newer; found $$(python3 --version 2>&1)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "couachgpt: $(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	"$(PYTHON)" -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_MODULES): web/package.json web/package-lock.json web/.npmrc
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		echo "couachgpt: needs Node.js 20.19 or newer with npm; found none" >&2; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || { \
		echo "couachgpt: needs Node.js 20.19 or newer; found $$(node --version)" >&2; exit 1; }
	cd web && npm ci --no-audit --no-fund
	@touch $@

packages: ## what the tests need of the system, once: Chromium, systemd, polkit
	@scripts/system-packages.sh

models: $(INSTALLED) ## the small model of the tests
	@$(BIN)/couachgptctl model fetch $(FALLBACK) --models-dir $(MODELS)

# --- the front end ------------------------------------------------------------------------------

web: $(DIST) ## build the front end into web/dist

$(DIST): $(NODE_MODULES) $(COMPILED) $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

locales: $(COMPILED) ## compile the catalogues: .mo for the server, JSON for the browser

$(COMPILED) &: $(CATALOGUES) $(BROWSER_CODE) scripts/locales.py scripts/web_imports.py scripts/web_texts.py $(INSTALLED)
	$(BIN)/python -m scripts.locales compile

reference: $(INSTALLED) ## bring what docs/ says of verbs up to date with their tables
	$(BIN)/python -m scripts.reference write

texts: $(INSTALLED) ## bring new texts of the sources into the catalogues, to be translated
	$(BIN)/python -m scripts.locales update

# --- use ----------------------------------------------------------------------------------------

run: install web ## run it: make run PORT=8294 DATA=.data STARTER=qwen2.5-coder-0.5b
	@mkdir -p "$(DATA)/models"
	@$(BIN)/couachgptctl model fetch $(STARTER) --models-dir "$(DATA)/models" || { \
		echo "couachgpt: could not get $(STARTER); taking $(FALLBACK), which speaks little French" >&2; \
		$(BIN)/couachgptctl model fetch $(FALLBACK) --models-dir "$(DATA)/models"; } || \
		echo "couachgpt: no model could be fetched; put a GGUF file into $(DATA)/models" >&2
	@exec $(BIN)/couachgptd --set storage.data_dir="$(DATA)" --set server.port=$(PORT) \
		--set engine.kind=$(ENGINE)

# --- prove --------------------------------------------------------------------------------------

# Vitest first: the last line is pytest's own summary.
test: test-web ## all tests: Vitest, then pytest with a real engine and a real browser
	@$(MAKE) --no-print-directory test-python

test-web: $(NODE_MODULES) $(COMPILED)
	@began=$$(date +%s); (cd web && npm test --silent) \
		&& echo "suite web: Vitest, $$(( $$(date +%s) - began )) s"

test-python: install web models packages
	@$(BIN)/pytest --quiet -n $(WORKERS) --no-loadscope-reorder $(PYTEST_ARGS)

check: install $(NODE_MODULES) $(COMPILED) ## formats, lint, types, shell scripts and architecture
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/mypy $(PYTHON_CODE)
	$(BIN)/shellcheck $(SHELL_CODE)
	$(BIN)/pytest --quiet tests/test_architecture.py
	cd web && npm run --silent check
	cd web && npm run --silent lint

format: install $(NODE_MODULES) ## format everything, and mend what the linters can
	$(BIN)/ruff check --fix-only --quiet $(PYTHON_CODE)
	$(BIN)/ruff format $(PYTHON_CODE)
	cd web && npm run --silent format

soak: install web models packages ## what is longer: every page in each look, faults at default times, an hour of nemesis
	@$(BIN)/couachgptctl model fetch $(STARTER) --models-dir .cache/pictures
	COUACHGPT_PICTURE_MODEL="$$(ls .cache/pictures/*.gguf)" $(BIN)/pytest --quiet -m soak

screenshots: soak ## the picture of the README, made by a browser test on the starter model
	cp .cache/screenshots/readme.png docs/screenshot.png

# --- release ------------------------------------------------------------------------------------

wheel: install web ## dist/couachgpt-*.whl, with the built front end inside, and what it needs
	@rm -f dist/couachgpt-*.whl
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -m scripts.bundle requirements >dist/requirements.txt
	$(BIN)/python -m scripts.terminal dist/share
	@ls -l dist/*.whl

bundle: wheel ## dist/bundle: the wheel, all it needs and install.sh, for servers without a network
	@rm -rf dist/bundle
	$(BIN)/python -m scripts.bundle bundle dist/bundle dist/couachgpt-*.whl

# The lock names no registry, holds for every platform, and takes no release younger than a week.
# Versions stay as they are unless asked: make lock LOCK_ARGS=--upgrade
lock: $(INSTALLED) ## remake requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --universal \
		--python-version 3.11 --generate-hashes --no-annotate --exclude-newer '7 days' \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet \
		$(LOCK_ARGS) --output-file requirements.lock

clean: ## remove what was built or installed here; the data of `make run` stays
	rm -rf .venv .cache dist web/dist web/node_modules web/src/generated \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f $(CATALOGUES:.po=.mo)
	find couachgptd tests scripts $(wildcard benchmarks) -name __pycache__ -prune -exec rm -rf {} +
