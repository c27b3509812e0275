# Everything happens in .venv, which these targets make; only Python 3.11+ and make are needed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types checklist clean

# Each environment is a stamp: a changed requirements file installs again.
.venv/%.stamp: requirements/%.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

demo: .venv/demo.stamp  ## every phase there is, against the embedded reference release: GO, and a report
	$(BIN)/pytest -m "smoke or validation or security or load" --env=local

# Tests of rate limits mostly wait: more of them run at once than there are processors. Those of load measure, and run alone.
test: .venv/development.stamp  ## the project's own tests
	$(BIN)/pytest tests --ignore=tests/load --ignore=tests/faults/test_rate_faults.py -n auto --dist worksteal
	$(BIN)/pytest tests/faults/test_rate_faults.py -n 6
	$(BIN)/pytest tests/load

lint: .venv/development.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/development.stamp
	$(BIN)/mypy

checklist: .venv/demo.stamp  ## regenerate docs/checklist.md
	$(BIN)/python -m checks --write

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache reports/out
