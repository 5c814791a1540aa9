# The two commands of the README, and what they stand on.
PYTHON ?= python3
BIN := .venv/bin
export OPENBLAS_NUM_THREADS = 1
export OMP_NUM_THREADS = 1

# The tests wait half of the time. Files stay whole and in order, as the fault runs, the longest, come early.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: setup demo test check chaos lock clean

# --without-pip and pip's --python work where the distribution keeps ensurepip in a package of its own.
.venv/runtime.stamp: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Faultline needs Python 3.11 or later; say make PYTHON=/path/to/it"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	@echo "Installing what Faultline needs into .venv (once, about a minute) ..."
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt
	@echo "Installing what the tests need into .venv ..."
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

setup: .venv/runtime.stamp

demo: setup
	@$(BIN)/faultline demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

check: .venv/dev.stamp
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary tests
	@$(BIN)/lint-imports

test: .venv/dev.stamp
	@$(BIN)/python -m deploy.local.requirements --install
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest $(SIDE_BY_SIDE)

# All faults, about two hours; a part of it: .venv/bin/faultline chaos --scenario NAME
chaos: .venv/dev.stamp
	@$(BIN)/python -m deploy.local.requirements --install
	@$(BIN)/faultline chaos --json chaos.json

# Pins with hashes for every supported Python; run after a change of dependencies in pyproject.toml.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group build pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group build --group dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache
