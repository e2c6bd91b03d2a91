# Two commands on a fresh machine: `make run`, `make test`. Python >= 3.11 is all they need; they set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench ui page lock clean

run: $(VENV)/run  ## install, and run the main job (on the bundled sample and SQLite unless the environment says otherwise)
	$(BIN)/mobiville refresh
	$(BIN)/mobiville status

test: $(VENV)/dev mariadb redis nginx chromium lint  ## install, lint, check types, and run the tests
	$(BIN)/pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev mariadb  ## speed and memory beside a floor; wants MOBIVILLE_REAL_DATA, else the sample
	$(BIN)/python -m bench

ui: $(VENV)/run  ## the Dagster UI, on http://127.0.0.1:3000
	$(BIN)/mobiville ui

page:  ## bundle the page's libraries anew, from web/package-lock.json; wants Node.js 20
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build

lock: $(VENV)/dev  ## pin the dependencies anew
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev --extra celery --extra kubernetes --extra mysql --extra s3 -c requirements.txt -o requirements-dev.txt pyproject.toml

.PHONY: mariadb
mariadb:  # the tests start a private server: they need the programs, not a running server
	@PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null || tools/install_mariadb

.PHONY: redis chromium nginx
redis:  # the Celery executor is tested on a broker of its own
	@command -v redis-server >/dev/null || tools/install_redis

chromium:  # pages are tested in a real browser
	@command -v chromium >/dev/null || tools/install_chromium

nginx:  # the proxy's configuration is tested on a real one
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || tools/install_nginx

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) var
