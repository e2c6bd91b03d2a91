# Two commands on a fresh machine: `make run`, `make test`. Python >= 3.11 is all they need; they set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test soak lint bench ui page lock clean programs

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile

run: $(VENV)/run  ## install, and run the main job (on the bundled sample and SQLite unless the environment says otherwise)
	$(BIN)/mobiville refresh
	$(BIN)/mobiville status
	@echo
	@echo "Try next: make ui (Dagster, http://127.0.0.1:3000), $(BIN)/mobiville api (the page, http://127.0.0.1:8000),"
	@echo "          $(BIN)/mobiville --help"

test: programs $(VENV)/dev lint  ## install, lint, check types, and run the tests
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

soak: programs $(VENV)/dev  ## the long tests whole, of which `make test` runs a sample: hours
	SOAK=1 $(BIN)/pytest -m soak --numprocesses 2 --dist loadfile

lint: $(VENV)/dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: programs $(VENV)/dev  ## speed and memory beside bare scripts; wants MOBIVILLE_REAL_DATA, else the sample
	$(BIN)/python -m bench

ui: $(VENV)/run  ## the Dagster UI, on http://127.0.0.1:3000
	$(BIN)/mobiville ui

page:  ## bundle the page's libraries from web/package-lock.json; wants Node.js 20
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build

lock: $(VENV)/dev  ## pin the dependencies again
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev --extra celery --extra kubernetes --extra mysql --extra s3 -c requirements.txt -o requirements-dev.txt pyproject.toml

programs:
	@tools/install_test_programs

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

# Install what a file pins, a word per package; the pipe hides pip's exit code, so that the target is what tells.
define install
	@rm -f $@; echo "Installing the packages of $< into $(VENV): a minute or two, once"
	@( $(BIN)/pip install --requirement $< && $(BIN)/pip install --no-deps --editable . && touch $@ ) \
		| awk '/^Collecting/ {n++; if (n % 10 == 0) {printf "  %d packages: %s\n", n, $$2; fflush()}}'
	@test -e $@
endef

$(VENV)/run: requirements.txt pyproject.toml | $(VENV)/bin/pip
	$(install)

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	$(install)

clean:  ## remove the environment and all that was made
	rm -rf $(VENV) var
