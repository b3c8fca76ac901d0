# Every target sets up what it needs in .venv and is quick when nothing changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CUSTOMERS ?= 500
FOLDER ?= var/screenshots
# Tests start a hundred processes: where the environment forbids it, each would compile every module.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := crmsync coupling fullsync setup_wizard tests benchmarks

.PHONY: help demo run test check messages screenshots clean
help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,postgres]'
	touch $(STAMP)

demo: $(STAMP) ## the whole stack with the demo company; ONCE=1 exits after the run, CUSTOMERS=N for more
	$(BIN)/python manage.py demo --customers $(CUSTOMERS) $(if $(ONCE),--once)

run: $(STAMP) ## the product, empty, for real use
	$(BIN)/python manage.py up

test: $(STAMP) ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

check: $(STAMP) ## format, lint, types, import contracts, migrations, templates, translations, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	$(BIN)/python -m tests.house.catalogue --check
	$(BIN)/deptry .

messages: $(STAMP) ## bring the Danish catalogue up to date with the source, and compile it
	$(BIN)/python -m tests.house.catalogue

screenshots: $(STAMP) ## a picture of every page into FOLDER
	$(BIN)/python -m benchmarks.screenshots $(FOLDER)

clean: ## remove the environment and all state
	rm -rf $(VENV) var
