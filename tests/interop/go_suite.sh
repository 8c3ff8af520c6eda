#!/usr/bin/env bash
# Runs the Go client's own integration tests, which come with its module, against the local server.
# usage: go_suite.sh CFD_COMMAND WORK_DIR      after CFD_INTEROP_FETCH=1 run.sh go CFD_COMMAND WORK_DIR
set -euo pipefail
cfd=$1 work=$(cd "$2" && pwd)
package=cloud.google.com/go/pubsub/v2

cd "$work"
go get -t "$package"
[[ -x suite ]] || go test -c -o suite "$package"
# The tests want a key, which a client never looks at when it is told of a local server.
echo '{"type": "service_account", "client_email": "x@example.com", "private_key": "none", "private_key_id": "1", "token_uri": "http://localhost:1/"}' >key.json

"$cfd" emulator --host 127.0.0.1 --port 0 --ready-file "$work/ready" >/dev/null &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$work/ready"' EXIT
until [[ -s ready ]]; do
  kill -0 "$server"
  sleep 0.02
done
export PUBSUB_EMULATOR_HOST GCLOUD_TESTS_GOLANG_PROJECT_ID=interop GCLOUD_TESTS_GOLANG_KEY=$work/key.json
PUBSUB_EMULATOR_HOST=$(<ready)
cd "$(cd "$work" && go list -m -f '{{.Dir}}' "$package")"  # for testdata
# What is skipped names an endpoint of Google's in its code, or reads a topic that Google runs.
"$work/suite" -test.v -test.timeout 5m -test.run '^TestIntegration' -test.skip 'OrderedKeys|OrderingWithExactlyOnce|PublicTopic'
