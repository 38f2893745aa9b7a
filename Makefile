# The two commands of the README are `make demo` and `make test`; each sets up what it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin
export MPLBACKEND := Agg

.PHONY: demo test lint types fuzz fuzz-files fuzz-compiled growth endurance gallery notebooks reproduce ops-page golden bench clean

demo: .venv/installed-demo
	$(BIN)/python -m nn.demo

test: .venv/installed-dev lint types
	$(BIN)/python -m pytest -n auto

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

fuzz: .venv/installed-dev
	$(BIN)/python tests/fuzz.py 10000

gallery: .venv/installed-dev
	$(BIN)/python docs/gallery.py

notebooks: .venv/installed-dev
	$(BIN)/python -m notebooks.run $(NOTEBOOK)

reproduce: .venv/installed-dev
	$(BIN)/python -m notebooks.reproduce

fuzz-files: .venv/installed-dev
	$(BIN)/python tests/fuzz_files.py 10000

fuzz-compiled: .venv/installed-dev
	$(BIN)/python tests/fuzz_compiled.py 2000 0 numpy
	$(BIN)/python tests/fuzz_compiled.py 2000 0 llvm

growth: .venv/installed-dev
	$(BIN)/python tests/growth.py 10000

endurance: .venv/installed-dev
	$(BIN)/python tests/endurance.py 100

ops-page: .venv/installed-dev
	$(BIN)/python docs/ops.py

golden: .venv-bench/installed
	.venv-bench/bin/python tests/nn/golden/make.py

bench: .venv-bench/installed
	.venv-bench/bin/python -m benchmarks

.venv/installed-demo: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[plot,learn]'
	@touch $@

.venv/installed-dev: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/installed-demo

.venv-bench/installed: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --editable . --requirement benchmarks/requirements.txt
	@touch $@

clean:
	rm -rf .venv .venv-bench out build dist *.egg-info
