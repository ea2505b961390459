# Two commands: `make install` once, `make demo` to see it. Needs python3 (3.11 or newer) and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
NAME ?=

.PHONY: install demo test bench soak ui dev clean

install: $(VENV)/.installed ui

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sojourn needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose one: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	$(PIP) --require-hashes -r requirements-test.lock
	@touch $@

# The web application; does nothing while its sources are unchanged.
ui: $(VENV)/.installed
	@$(BIN)/python tools/ui.py build

demo: install
	@$(BIN)/python -m demo

# Everything that must hold before a change goes in; the last line counts the tests.
test: install $(VENV)/.installed-test
	@$(BIN)/python tools/check.py

soak: install $(VENV)/.installed-test
	$(BIN)/pytest -m soak

# All benchmarks, or one: make bench NAME=start
bench: install
	@$(BIN)/python -m bench.runner $(NAME)

# The server on port 8000, and the web application with reload on port 5173.
dev: install
	@trap 'kill 0' EXIT INT TERM; $(BIN)/sojourn up & $(BIN)/python tools/ui.py dev

clean:
	rm -rf $(VENV) ui/node_modules src/sojourn/web/static
