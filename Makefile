# make demo   draw a cartoon, colour it by one frame a shot, measure it: look into demo/
# make test   run all tests
# make check  what a change must pass: ruff, mypy, import contracts, documentation, tests
# make docs   build the documentation into build/site/; any remark is an error
# make bench  print the speed ratios that the documentation states
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test check lint docs bench

demo: $(INSTALLED)
	$(BIN)/python tools/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED)
	$(BIN)/python tools/docs.py

check: lint docs test

bench: $(INSTALLED)
	$(BIN)/python tools/benchmark.py

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
