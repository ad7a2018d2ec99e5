# One command on a fresh machine: `make test`. It needs make and a Python >= 3.11 with venv, nothing else.
PYTHON ?= $(shell python3 tools/choose_python.py || echo python3)
BIN := .venv/bin
PY := $(BIN)/python
JARS := .venv/kafka-jars
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links $(LOCK_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help setup test lint unit demo demo-kafka broker bench bench-large fuzz soak fast lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

.venv/.ok: bootstrap.lock requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r bootstrap.lock
	$(BIN)/uv pip sync -q --python $(PY) --require-hashes bootstrap.lock requirements.lock
	$(BIN)/uv pip install -q --python $(PY) --no-deps --no-build-isolation -e .
	touch $@

$(JARS)/.ok: .venv/.ok commcredits/sandbox/fetch_kafka.py commcredits/sandbox/kafka-jars.lock
	$(PY) -m commcredits.sandbox.fetch_kafka $(JARS)
	touch $@

$(JARS)/kafka.aot: $(JARS)/.ok
	$(PY) -m commcredits.sandbox.kafka train $(JARS)

setup: $(JARS)/.ok ## the virtual environment and Kafka's jars, from package registries

test: setup lint ## everything that must hold: lint, types, contracts, all tests on real servers
	$(PY) -m pytest -q

lint: setup ## style, types, import contracts
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.ok ## the tests that need no server
	$(PY) -m pytest -q tests/structure tests/unit

demo: .venv/.ok ## the whole story on the embedded store
	$(BIN)/commcredits demo

demo-kafka: setup ## the same through a real broker and PostgreSQL, a consumer killed in the middle
	$(BIN)/commcredits demo --kafka

broker: setup ## a broker on localhost:9092 with both topics, until Ctrl-C; what it holds stays
	$(PY) -m commcredits.sandbox .venv/broker

bench: setup ## the figures of docs/benchmarks.md, each with its floor
	$(PY) -m benchmarks

bench-large: setup ## the same with 10M usages stored
	$(PY) -m benchmarks --large

fuzz: .venv/.ok ## mutated input until stopped, or for COMMCREDITS_FUZZ_SECONDS
	COMMCREDITS_TEST_PROFILE=fuzz COMMCREDITS_FUZZ_SECONDS=$${COMMCREDITS_FUZZ_SECONDS:-3600} $(PY) -m pytest -q --timeout 0 tests/fuzz

soak: setup ## the kill tests, many times over (COMMCREDITS_SOAK_ROUNDS); what came of it: docs/soak.md
	COMMCREDITS_SOAK_ROUNDS=$${COMMCREDITS_SOAK_ROUNDS:-50} $(PY) -m pytest -q --timeout 0 tests/integration/kill

fast: $(JARS)/kafka.aot ## optional, once: a class cache that more than halves each start of the broker

lock: .venv/.ok ## resolves the locks anew (LOCK_FLAGS=--upgrade for newer versions)
	$(LOCK) bootstrap.in -o bootstrap.lock
	$(LOCK) pyproject.toml requirements.in -c bootstrap.lock -o requirements.lock
	$(LOCK) pyproject.toml -c requirements.lock -o requirements-runtime.lock

clean: ## removes what setup made
	rm -rf .venv build dist
