# The commands of the project. `make` alone lists them.
#
#   SOURCE   folder or s3:// prefix that holds sparkify/ and stedi/, or several; without one, sample data is made. One with
#            a blank in its name stands in quotes of its own: SOURCE='"/my data" /other'
#   DATASET  its name, by default the folder's: where it lands, and which row counts are expected of it
#   TARGET   duckdb, redshift or athena: an output of profiles.example.yml
#   ENVIRONMENT  a name of your own, with which all schemas begin, and places on S3: ada_sparkify. Production has none. To be
#            rid of it: .venv/bin/lakehouse drop-environment ada
#   LOCAL    1: redshift and athena are endpoints on this machine, for this one run; no AWS account is used
#   SCALE    size of the sample data, in times the real data's
#   SELECT   the models that `make parity` compares, as dbt selects them; all without it
#   ALL      1: `make test` and `make test-engines` try all that there is to try, dbt's own suites for both adapters included: hours
#   PEOPLE   file of the addresses of those whom `make erase` erases, one a line; without it they are asked for on a
#            terminal, or read from the standard input. DRY_RUN=1: change nothing. YES=1: do not ask, for where nobody can be.
#            ALLOW_AGAIN=1: erase nobody, but let them come back who were erased before
#   MAX_REJECTS  how many refused records are allowed before nothing is landed; any number without it
#   FULL     1: `make run` builds and tests everything, also what is made of the same code and records as in its last build
#   FORGET_VANISHED  1: the records of files that are gone from SOURCE go, too; without it they stay, and the run says so
#
# Whatever stands behind `make NAME=` is data: no `$(…)` in it is expanded, by make or by a shell. No address and no secret
# belongs there, since everybody on the machine can see it while the command runs, and the shell's history keeps it.

PYTHON  ?= python3
TARGET  ?= duckdb
SCALE   ?= 1
SOURCE  ?=
MAX_REJECTS ?=
FORGET_VANISHED ?=
FULL    ?=
DATASET ?=
LOCAL   ?=
SELECT  ?=
PEOPLE  ?=
DRY_RUN ?=
ALL     ?=
YES     ?=
ALLOW_AGAIN ?=
PORT    ?= 8080

# make would expand the value of a variable, be it only to hand it to the environment of a recipe. So every variable that
# somebody else set becomes a plain text, and recipes read it from the environment: "$$SOURCE", in quotes.
override define as_text
override $1 := $$(value $1)
export $1
endef
override GIVEN := PYTHON TARGET SCALE SOURCE MAX_REJECTS FORGET_VANISHED FULL DATASET LOCAL SELECT PEOPLE ALL DRY_RUN YES ALLOW_AGAIN PORT
override ON_COMMAND_LINE := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
override MISSPELT := $(filter-out $(GIVEN) LANDING_ZONE ENVIRONMENT EMAIL -%,$(ON_COMMAND_LINE))
$(if $(MISSPELT),$(error there is no $(sort $(MISSPELT)); there are $(sort $(GIVEN)). The first lines of Makefile say what each does. Other settings stand before make: NAME=value make run))
$(foreach name,$(sort $(GIVEN) $(filter-out -%,$(ON_COMMAND_LINE))),$(eval $(call as_text,$(name))))

override VENV := .venv
override AIRFLOW := .venv-airflow
override BIN  := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run site erase release serve-cassandra airflow local-aws parity verify check test test-engines test-package test-airflow spark explore lint lint-python bench docs screenshots pins clean infra

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

# A stamp a requirement set: set-up is repeated only when its pins change.
$(VENV)/uv.installed: requirements/uv.txt
	@"$$PYTHON" -c 'import sys; ok = (3, 11) <= sys.version_info[:2] < (3, 14); sys.exit(0 if ok else f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}. Name another one: make PYTHON=python3.11")'
	@echo "setting up $(VENV) (once)"
	@"$$PYTHON" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --require-hashes -r $<
	@touch $@

$(VENV)/%.installed: requirements/%.txt $(VENV)/uv.installed | $(VENV)/lakehouse.installed
	@echo "installing requirements/$*.txt"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $<
	@touch $@

# What this checkout holds, as it stands, by the build backend that is a part of uv: .venv/bin/lakehouse runs what is in
# scripts/, .venv/bin/dbt-local-aws what is in packages/.
$(VENV)/lakehouse.installed: pyproject.toml
$(VENV)/dbt-local-aws.installed: packages/dbt-local-aws/pyproject.toml
$(VENV)/lakehouse.installed $(VENV)/dbt-local-aws.installed: $(VENV)/uv.installed
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable $(dir $(filter %pyproject.toml,$^))
	@touch $@

$(VENV)/local_aws.installed $(VENV)/test.installed: | $(VENV)/dbt-local-aws.installed

profiles.yml: | profiles.example.yml
	@cp profiles.example.yml $@.new && mv $@.new $@

override DATA = --sources="$$SOURCE" --scale="$$SCALE" $${DATASET:+--dataset="$$DATASET"}
override LOCAL_AWS := $(BIN)/dbt-local-aws --export=LANDING_ZONE=s3://lake/landing
override LAKEHOUSE := $(BIN)/lakehouse
override IS_LOCAL := $(filter-out 0,$(LOCAL))

# `exec` gives make's SIGTERM to the command itself and not to a shell above it, which would leave it behind.
run: $(VENV)/run.installed $(if $(IS_LOCAL),$(VENV)/local_aws.installed) profiles.yml  ## land, register, build and test everything, on sample data or SOURCE=folder
	$(if $(filter SELECT,$(ON_COMMAND_LINE)),$(error SELECT is for make parity. make run builds everything; a part of it: .venv/bin/dbt build --select …))
	$(if $(IS_LOCAL),$(if $(filter duckdb,$(TARGET)),$(error LOCAL=1 is for TARGET=athena and TARGET=redshift: duckdb needs no AWS)))
	$(if $(IS_LOCAL),$(if $(filter s3://%,$(SOURCE)),$(error LOCAL=1 has an S3 of its own, which is empty: SOURCE must be a folder)))
	@exec $(if $(IS_LOCAL),$(LOCAL_AWS) --only="$$TARGET" --) $(LAKEHOUSE) run $(DATA) --target="$$TARGET" \
		$${MAX_REJECTS:+--max-rejects="$$MAX_REJECTS"} $(if $(filter-out 0,$(FORGET_VANISHED)),--forget-vanished) \
		$(if $(filter-out 0,$(FULL)),--full)
	$(if $(IS_LOCAL),@echo "The endpoints have ended: what they held is gone. To look around: make local-aws keeps them; then make run TARGET=$$TARGET in another shell with what it prints")

erase: $(VENV)/run.installed profiles.yml  ## erase people from landing zone and database: asks for whom, or PEOPLE=file; DRY_RUN=1 looks only
	$(if $(filter EMAIL,$(ON_COMMAND_LINE)),$(error EMAIL= would show the address to everybody on this machine and leave it in the shell's history: make erase asks for it, or give PEOPLE=file))
	@exec $(LAKEHOUSE) erase --zone="$${LANDING_ZONE:-landing/$${DATASET:-sample}}" --target="$$TARGET" \
		$${DATASET:+--dataset="$$DATASET"} $${PEOPLE:+--file="$$PEOPLE"} $(if $(filter-out 0,$(DRY_RUN)),--dry-run) \
		$(if $(filter-out 0,$(YES)),--yes) $(if $(filter-out 0,$(ALLOW_AGAIN)),--allow-again)

release: $(VENV)/run.installed profiles.yml  ## release the training data (v3) as Parquet with a data card, under pseudonyms of its own
	@exec $(LAKEHOUSE) release --dataset="$${DATASET:-sample}" --target="$$TARGET"

# Airflow has an environment of its own: it calls this project's commands, and shares no package with them.
$(AIRFLOW)/airflow.installed: requirements/airflow.txt $(VENV)/uv.installed
	@echo "setting up $(AIRFLOW) (once)"
	@"$$PYTHON" -m venv $(AIRFLOW)
	@$(BIN)/uv pip install --quiet --python $(AIRFLOW)/bin/python --require-hashes --compile-bytecode -r $<
	@touch $@

airflow: $(VENV)/run.installed $(AIRFLOW)/airflow.installed profiles.yml  ## start Airflow on this machine with the DAGs of dags/, on PORT; Ctrl-C ends it
	@$(BIN)/dbt --quiet parse
	@exec dags/start.sh

serve-cassandra: $(VENV)/serving.installed $(VENV)/local_aws.installed profiles.yml  ## a Cassandra on this machine with the tables of one question each, and a prompt to ask them
	@exec $(BIN)/python -m dbt_local_aws.cassandra -- $(LAKEHOUSE) export --to=cassandra --shell \
		--dataset="$${DATASET:-sample}" --target="$$TARGET"

local-aws: $(VENV)/local_aws.installed  ## keep Athena, Redshift and S3 running on this machine, and print what to export
	@exec $(LOCAL_AWS)

parity: $(VENV)/local_aws.installed profiles.yml  ## build every model on DuckDB, Athena and Redshift, and compare every row
	@exec $(LOCAL_AWS) -- $(LAKEHOUSE) parity $(DATA) $${SELECT:+--select="$$SELECT"}

verify: $(VENV)/run.installed $(if $(IS_LOCAL),$(VENV)/local_aws.installed) profiles.yml  ## verify on AWS what the project promises, step by step, and write evidence/; LOCAL=1: on the endpoints
	$(if $(filter duckdb,$(TARGET)),$(error make verify is for TARGET=athena and TARGET=redshift: what DuckDB does, make test proves))
	$(if $(IS_LOCAL),$(if $(filter s3://%,$(SOURCE)),$(error LOCAL=1 has an S3 of its own, which is empty: SOURCE must be a folder)))
	@exec $(if $(IS_LOCAL),$(LOCAL_AWS) --only="$$TARGET" --) $(LAKEHOUSE) aws verify $(DATA) --target="$$TARGET"

# The lanes: the same for a person and for CI. Each ends by saying what it has proven, and how long that took.
override BEGUN := $(if $(filter check test test-engines test-airflow,$(MAKECMDGOALS)),$(shell date +%s))
override TOOK = $$(( $$(date +%s) - $(BEGUN) )) s
override PYTEST := $(BIN)/pytest --numprocesses 2
override IS_ALL := $(filter-out 0,$(ALL))
# Each engine's apart: moto's state is the process's.
override ENDPOINTS := packages/dbt-local-aws/tests
override BY_FILE = $(PYTEST) --dist loadfile --no-loadscope-reorder
# dbt's suites come first: they take longest.
override TEST_PACKAGE = $(BY_FILE) $(ENDPOINTS)/athena/test_athena_adapter_suite.py $(ENDPOINTS)/athena $(ENDPOINTS)/test_*.py \
	&& $(BY_FILE) $(ENDPOINTS)/redshift/test_redshift_adapter_suite.py $(ENDPOINTS)/redshift

check: lint  ## before a push, in minutes: lint, and build and test the sample on DuckDB
	@$(PYTEST) --dist worksteal -m quick
	@echo "check: passed in $(TOOK). Proven: lint, types, contracts, privacy tags, unit tests, and the sample built and tested on DuckDB."
	@echo "Not proven: faults, kills, erasure, mistakes on purpose (make test), Athena and Redshift (make test-engines)."

test: lint  ## prove the product on DuckDB: check, faults, kills, erasure, mistakes on purpose, and the real data if it is there
	@$(PYTEST) --dist worksteal -m "not engines"
	@echo "test: passed in $(TOOK). Proven: the whole product on DuckDB. Not proven: Athena and Redshift (make test-engines)."

# Groups keep together what goes on from one build; the longest come first (tests/python/lanes.py). Trino is fetched before a
# test waits for it.
test-engines: $(VENV)/test.installed profiles.yml  ## prove it on local Athena and Redshift, then the endpoints themselves; ALL=1: with dbt's whole suites
	@$(BIN)/python -m dbt_local_aws.athena.trino || echo "so Athena is not tested here"
	@$(BIN)/python -m dbt_local_aws.cassandra --install || echo "so Cassandra is not tested here"
	@$(PYTEST) --dist loadgroup --no-loadscope-reorder -m engines
	@$(TEST_PACKAGE)
	@echo "test-engines: passed in $(TOOK). Proven, through the real adapters on the local endpoints: the product on Athena (a real Trino)"
	@echo "and Redshift (PostgreSQL behind a translation), and $(if $(IS_ALL),dbt's whole suites,a part of dbt's suites) for both adapters. AWS itself was not asked."

test-package: $(VENV)/test.installed  ## the endpoints' part of test-engines; ALL=1: with dbt's whole suites
	@$(TEST_PACKAGE)

test-airflow: $(VENV)/test.installed $(AIRFLOW)/airflow.installed profiles.yml  ## run the DAGs in a real Airflow, from raw files to tables on DuckDB
	@$(BIN)/pytest dags/tests
	@echo "test-airflow: passed in $(TOOK). Proven: the DAGs in a real Airflow, with a failure, its repair and a backfill, on DuckDB."

spark: $(VENV)/test.installed $(VENV)/spark.installed  ## have Spark read the tables that Athena's endpoint writes: fetches 400 MB once
	@$(BIN)/pytest packages/dbt-local-aws/tests/athena/test_athena_spark.py

explore: $(VENV)/test.installed profiles.yml  ## run the property tests with fresh examples, which `make test` does not: for as long as it takes
	@HYPOTHESIS_PROFILE=fresh $(BIN)/pytest --numprocesses 2 $$(grep -l '^from hypothesis' tests/python/test_*.py)

lint: lint-python $(VENV)/sql.linted  ## ruff, mypy, actionlint, and sqlfluff on what has changed since it last passed

lint-python: $(VENV)/test.installed profiles.yml
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/actionlint

# sqlfluff takes a minute for all files. All are read again when a macro, a setting, a rule or sqlfluff has changed.
override SQL := $(shell find models snapshots analyses tests/dbt/loader tests/dbt/sparkify tests/dbt/stedi -name '*.sql')
$(VENV)/sql.linted: $(SQL) $(shell find macros -type f) .sqlfluff dbt_project.yml $(VENV)/test.installed | profiles.yml
	@$(BIN)/sqlfluff lint --processes 2 $(if $(filter-out $(SQL),$?),$(SQL),$?)
	@touch $@

# checkov pins much of what dbt does in other versions: it has an environment of its own. It runs offline.
$(VENV)/infra/installed: requirements/infra.txt $(VENV)/uv.installed
	@echo "installing requirements/infra.txt"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/infra
	@$(BIN)/uv pip install --quiet --python $(VENV)/infra/bin/python --require-hashes -r $<
	@touch $@

infra: $(VENV)/test.installed $(VENV)/infra/installed  ## cfn-lint and checkov on infra/: fetches 200 MB once
	@$(BIN)/cfn-lint infra/lakehouse.yaml
	@$(VENV)/infra/bin/checkov --file infra/lakehouse.yaml --framework cloudformation --skip-download --compact --quiet
	@echo "infra: passed. Proven: the template is what CloudFormation takes, and checkov finds nothing but what is excepted in it with a reason."

bench: $(VENV)/bench.installed $(VENV)/spark.installed  ## measure the loader beside `aws s3 cp`, runs beside a bare script and Spark: an hour, 20 GB in .bench
	@$(LAKEHOUSE) bench

site: $(VENV)/run.installed profiles.yml  ## draw the site anew from what is built; make run does it at its end
	@exec $(LAKEHOUSE) site --target="$$TARGET" $${DATASET:+--dataset="$$DATASET"}

docs:  ## serve the site that `make run` drew, on PORT: start page, report, run history, lineage and docs
	@test -f target/site/index.html || { echo "no site yet: make run draws it"; exit 1; }
	@echo "http://127.0.0.1:$$PORT/  (Ctrl-C to stop; if the port is taken: make docs PORT=8081)"
	@exec $(BIN)/python -m http.server "$$PORT" --bind 127.0.0.1 --directory target/site

screenshots: $(VENV)/test.installed  ## take pictures of the site's pages with Chromium: desktop and phone, light and dark
	@$(BIN)/python tests/python/screenshots.py target/site target/screenshots

override UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

pins: $(VENV)/uv.installed  ## choose new versions within requirements/*.in and write them with their hashes
	@$(UV_COMPILE) --upgrade requirements/uv.in -o requirements/uv.txt
	@$(UV_COMPILE) --upgrade requirements/test.in -o requirements/test.txt
	@$(UV_COMPILE) --upgrade requirements/run.in --constraint requirements/test.txt -o requirements/run.txt
	@$(UV_COMPILE) --upgrade requirements/local_aws.in --constraint requirements/test.txt -o requirements/local_aws.txt
	@$(UV_COMPILE) --upgrade requirements/serving.in --constraint requirements/test.txt -o requirements/serving.txt
	@$(UV_COMPILE) --upgrade requirements/spark.in -o requirements/spark.txt
	@$(UV_COMPILE) --upgrade requirements/airflow.in -o requirements/airflow.txt
	@$(UV_COMPILE) --upgrade requirements/infra.in -o requirements/infra.txt
	@$(UV_COMPILE) --upgrade requirements/bench.in --constraint requirements/test.txt -o requirements/bench.txt

clean:  ## remove what was made, but not .venv
	rm -rf .bench .parity .diff packages/*/dist packages/*/logs packages/*/.pytest_cache lakehouse.duckdb* landing sample_data .sample_data.partial target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
