# The commands of the project. `make` alone lists them.
#
#   SOURCE   folder that holds sparkify/ and stedi/; without one, sample data is made
#   DATASET  its name: where it lands, and which row counts are expected (seeds/expected_row_counts.csv)
#   TARGET   duckdb, redshift or athena: an output of profiles.example.yml
#   SCALE    size of the sample data, in times the real data's

PYTHON  ?= python3
TARGET  ?= duckdb
SCALE   ?= 1
SOURCE  ?=
DATASET ?= $(if $(SOURCE),$(notdir $(patsubst %/,%,$(firstword $(SOURCE)))),sample)

VENV := .venv
BIN  := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint docs serve pins clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

# A stamp a requirement set: set-up is repeated only when its pins change.
$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] < (3, 14); sys.exit(0 if ok else f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}. Name another one: make PYTHON=python3.11")'
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/%.installed: requirements/%.txt $(BIN)/uv
	@echo "installing requirements/$*.txt"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $<
	@touch $@

profiles.yml: | profiles.example.yml
	@cp profiles.example.yml $@
