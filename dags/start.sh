#!/usr/bin/env bash
# Starts Airflow on this machine with the DAGs of this folder, for as long as this script runs; `make airflow` calls it.
#
# What it keeps is in AIRFLOW_HOME, by default .airflow. It listens on 127.0.0.1 only, at PORT: whoever can connect may do
# everything, since it asks for no password. `airflow standalone` would serve its logs to the network besides.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077

bin=${AIRFLOW_VENV:-.venv-airflow}/bin
port=${PORT:-8080}
export AIRFLOW_HOME=${AIRFLOW_HOME:-$PWD/.airflow}
export AIRFLOW__CORE__DAGS_FOLDER=$PWD/dags
export PYTHONPATH=$PWD/dags # where the triggerer finds what a missed deadline calls
export AIRFLOW__CORE__EXECUTOR=LocalExecutor
export AIRFLOW__CORE__PARALLELISM=4
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$port/execution/
export AIRFLOW__API__BASE_URL=http://127.0.0.1:$port
export AIRFLOW__API__HOST=127.0.0.1
export AIRFLOW__API__PORT=$port
export AIRFLOW__API__WORKERS=1
export AIRFLOW__LOGGING__LOGGING_LEVEL=${AIRFLOW__LOGGING__LOGGING_LEVEL:-WARNING}
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
export AIRFLOW__COSMOS__ENABLE_TELEMETRY=False
export DO_NOT_TRACK=1

mkdir -p "$AIRFLOW_HOME"
if [ "$#" -gt 0 ]; then # a program of Airflow's environment, with the same settings: dags/start.sh airflow dags list
    exec "$bin/$1" "${@:2}"
fi

# The running task ends, too: Airflow would wait for it, and the task for the server that has ended.
below() {
    local child
    for child in $(pgrep -P "$1"); do
        echo "$child"
        below "$child"
    done
}
stop() {
    trap "" INT TERM
    echo "ending Airflow, and the task that is running, if there is one"
    kill $(below $$) 2> /dev/null || true
    wait
}
trap stop EXIT
trap 'exit 130' INT TERM

# in the background, so that a signal is heard at once and the program ends with this script
prepare() {
    "$bin/airflow" "$@" >> "$AIRFLOW_HOME/start.log" 2>&1 &
    wait $! || { echo "airflow $1 failed: see $AIRFLOW_HOME/start.log"; exit 1; }
}
: > "$AIRFLOW_HOME/start.log"
prepare db migrate
prepare pools set lakehouse 1 "a landing zone has one loader, a DuckDB file one writer"

"$bin/airflow" api-server &
"$bin/airflow" scheduler --skip-serve-logs &
"$bin/airflow" dag-processor &
"$bin/airflow" triggerer --skip-serve-logs &
echo "http://127.0.0.1:$port when it has started, in a minute; its DAGs begin paused. Ctrl-C ends all of it"
wait -n # whichever ends first takes the others along
