#!/usr/bin/env bash
# The sample, for real, on this machine: a local Pub/Sub server, the cloud function behind a push subscription, and a
# program that calls it. Shows the log of both, and succeeds only if each call was seen executing in the function's
# process.
#
# usage: sample/demo.sh BUILD_DIR
set -euo pipefail

build=$1
work=$(mktemp -d)
processes=()
cleanup() {
  stop
  rm -rf "$work"
}
stop() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  processes=()
  wait
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# label NAME COLOUR: puts the name before each line, in colour on a terminal.
label() {
  if [[ -t 1 && -z "${NO_COLOR-}" ]]; then sed -u "s/^/$(printf '\e[%sm%-8s|\e[0m ' "$2" "$1")/"
  else sed -u "s/^/$(printf '%-8s|' "$1") /"; fi
}

# await WHAT COMMAND...: until the command succeeds, at most 30 s.
await() {
  local what=$1 deadline=$((SECONDS + 30))
  shift
  until "$@"; do
    if ((SECONDS > deadline)); then echo "demo: waited in vain for $what" >&2; exit 1; fi
    sleep 0.02
  done
}

# start NAME COLOUR READY_FILE COMMAND...: runs the command in the background, keeps its log, shows it with its name,
# and returns when it has written its ready file. Its process id is then in $pid.
start() {
  local name=$1 colour=$2 ready=$3
  shift 3
  "$@" > >(tee "$work/$name.log" | label "$name" "$colour") 2>&1 &
  pid=$!
  processes+=("$pid")
  await "the $name" test -s "$ready"
}

export GCP_PROJECT=demo-project CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC=my-topic

# The function first, because the subscription names its address.
start worker 36 "$work/worker.ready" "$build/sample/sample_worker" --port 0 --ready-file "$work/worker.ready"
worker=$pid
port=$(sed 's/.*://' "$work/worker.ready")

start pubsub 90 "$work/pubsub.ready" "$build/apps/cfd/cfd" emulator --port 0 --ready-file "$work/pubsub.ready"
PUBSUB_EMULATOR_HOST=$(<"$work/pubsub.ready")
export PUBSUB_EMULATOR_HOST
"$build/apps/cfd/cfd" topic create my-topic
"$build/apps/cfd/cfd" subscription create my-subscription --topic my-topic --push-endpoint "http://127.0.0.1:$port/"

# The caller: my_module::call_dispatched_function() and echo(1, "a", x=7).
"$build/sample/sample_caller" > >(label caller 33) 2>&1 &
caller=$!
wait "$caller"

finished() { (($(grep -cF "finished with status: 'ok'" "$work/worker.log") >= 2)); }
for line in 'executing: functions.my_func' 'a is just right: hooray!' 'executing: functions.echo' \
  'echo called with args=[1, "a"], kwargs={"x": 7}'; do
  await "'$line' in the log of the worker" grep -qF "$line" "$work/worker.log"
done
await "the end of both calls" finished
stop

echo "Both calls were made in process $caller and executed in process $worker."
