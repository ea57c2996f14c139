# Each target installs what it needs into .venv: `make demo` and `make test` work alone, in either order.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test slow bench studies long scaling verdicts vega gallery results site check format schemas clean help

help:  ## What there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/base.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m compileall -q python spec interpreter
	touch $@

$(VENV)/test.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(VENV)/dev.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --editable '.[test,dev]'
	touch $@

# PyTorch's own wheels bring CUDA, several GB of it. A build without: `make bench TORCH=torch==2.13.0+cpu`, where pip can find one.
TORCH ?= torch
$(VENV)/bench.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

bench: $(VENV)/bench.stamp  ## Measures dlspec beside its rivals, some 35 minutes: docs/benchmarks.md. ONLY=parities, CONTENDERS=dlspec,jax and QUICK=1 choose
	$(BIN)/python -m benchmarks --only='$(ONLY)' --contenders='$(CONTENDERS)' $(if $(QUICK),--quick)

# The command of another version, JAX's Python, and what the page says that the other version is.
studies: $(VENV)/base.stamp  ## Times whole studies beside another version and JAX by hand, five rounds, some hour: docs/benchmarks.md. BEFORE=…/dlspec, BEFORE_IS='0.1', JAX=…/python
	$(BIN)/python -m benchmarks.whole_studies $(if $(BEFORE),--before '$(BEFORE)' --before-is '$(BEFORE_IS)') $(if $(JAX),--jax '$(JAX)')

long: $(VENV)/base.stamp  ## Times the front end on files of 2,000 lines, some 2 minutes: docs/benchmarks.md
	$(BIN)/python -m benchmarks.long_files --rounds 3

scaling: $(VENV)/base.stamp  ## Measures time against dimension, batch, replicates, cells and -j, some 12 minutes: docs/scaling_measured.md. QUICK=1 tries it
	$(BIN)/python -m benchmarks.scaling $(if $(QUICK),--quick)

vega:  ## Makes interpreter/report/vega.min.js, which draws figures in reports, of the versions in vega/package.json
	cd vega && npm ci --no-audit --no-fund && node build.mjs

verdicts: $(VENV)/base.stamp  ## Simulates how often each judge is wrong, some 10 minutes: docs/verdicts.md
	$(BIN)/python -m benchmarks.verdicts

gallery: $(VENV)/base.stamp  ## Runs the cases in examples/failures and writes what came out: docs/gallery.md, some 30 minutes; what is stored is not run again. PROFILE=quick tries them all, some 6 minutes
	$(BIN)/python -m benchmarks.gallery --profile='$(PROFILE)'

results: $(VENV)/test.stamp  ## Runs the paper's four studies at its size, some hours, and writes docs/results.md; then the gallery, and the settings that were declared for it. What is stored is not run again
	$(BIN)/python -m benchmarks.paper
	$(BIN)/python -m benchmarks.gallery
	$(BIN)/python -m benchmarks.gallery --grids

site: $(VENV)/test.stamp  ## Builds the documentation as a site in build/site, and fails where a link leads nowhere
	$(BIN)/python -m zensical build --strict --clean

demo: $(VENV)/base.stamp  ## Runs the flat study: figure 7 and its claims
	$(BIN)/dlspec run examples/flat.yaml

# Files of tests go to as many processes as there are cores, 4 at most: each loads TensorFlow, and holds some 3 GB at most (CONTRIBUTING.md).
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test: $(VENV)/test.stamp  ## Runs the tests
	$(PYTEST)

slow: $(VENV)/test.stamp  ## Runs the tests that are kept out of the others: paper-scale runs, memory, browsers, kills; some hours
	$(PYTEST) -m slow

check: $(VENV)/dev.stamp  ## Everything that CI runs: format, lint, types, imports, generated files, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	mkdir -p $(VENV)/typing/dlspec
	ln -sfn ../../../spec $(VENV)/typing/dlspec/spec
	ln -sfn ../../../interpreter $(VENV)/typing/dlspec/interpreter
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p dlspec.spec -p dlspec.interpreter
	MYPYPATH=python:$(VENV)/typing $(BIN)/mypy -m dlspec
	MYPYPATH=check:$(VENV)/typing $(BIN)/mypy $(wildcard check/*.py)
	PYTHONPATH=$(VENV)/typing $(BIN)/lint-imports
	$(BIN)/dlspec schema --check
	$(BIN)/dlspec ops --check
	$(PYTEST)

format: $(VENV)/dev.stamp  ## Formats the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(VENV)/base.stamp  ## Writes the generated files: the JSON Schema and the reference of operations
	$(BIN)/dlspec schema --write
	$(BIN)/dlspec ops --write

clean:  ## Removes the environment and what was built
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
