# Two commands on a fresh machine: `make run`, `make test`. Python >= 3.11 is all they need; they set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench ui lock clean

run: $(VENV)/run  ## install, and run the main job (on the bundled sample and SQLite unless the environment says otherwise)
	$(BIN)/mobiville refresh
	$(BIN)/mobiville status

test: $(VENV)/dev mariadb nginx lint  ## install, lint, check types, and run the tests
	$(BIN)/pytest

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev mariadb  ## speed and memory beside a floor; wants MOBIVILLE_REAL_DATA, else the sample
	$(BIN)/python -m bench

ui: $(VENV)/run  ## the Dagster UI, on http://127.0.0.1:3000
	$(BIN)/mobiville ui

lock: $(VENV)/dev  ## pin the dependencies anew
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev --extra celery --extra kubernetes --extra mysql -c requirements.txt -o requirements-dev.txt pyproject.toml

.PHONY: mariadb
mariadb:  # the tests start a private server: they need the programs, not a running server
	@PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null || tools/install_mariadb

.PHONY: nginx
nginx:
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
