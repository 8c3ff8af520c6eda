#!/usr/bin/env bash
# Runs an official Pub/Sub client against the local server.
# usage: run.sh python|node|go|java CFD_COMMAND WORK_DIR      exit status 77: skipped, because the client cannot be had here
set -euo pipefail
client=$1 cfd=$2 work=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$work"

skip() { echo "SKIPPED: $*"; exit 77; }

# The client is fetched once, into the build directory, by its registry's own tool.
case $client in
  python)
    [[ -x $work/venv/bin/python ]] || python3 -m venv "$work/venv" || skip "no python3 with venv"
    "$work/venv/bin/python" -c 'import google.cloud.pubsub_v1' 2>/dev/null ||
      "$work/venv/bin/pip" -q --disable-pip-version-check install --retries 1 --timeout 10 'google-cloud-pubsub>=2.20,<3' ||
      skip "google-cloud-pubsub cannot be had from PyPI"
    run=("$work/venv/bin/python" -W ignore "$here/python_client.py") ;;
  node)
    command -v node >/dev/null && command -v npm >/dev/null || skip "no node or npm"
    [[ -d $work/node_modules/@google-cloud/pubsub ]] ||
      (cd "$work" && echo '{"private": true}' >package.json &&
        npm install --silent --no-audit --no-fund --fetch-retries 1 --fetch-timeout 10000 '@google-cloud/pubsub@>=4 <7') ||
      skip "@google-cloud/pubsub cannot be had from npm"
    export CFD_NODE_MODULES=$work
    # Spares the client its search for a cloud's metadata server.
    export METADATA_SERVER_DETECTION=none
    run=(node "$here/node_client.mjs") ;;
  go)
    command -v go >/dev/null || skip "no go"
    # Fetching and compiling the client takes minutes; it is done once, by whoever asks for it.
    [[ -x $work/client || ${CFD_INTEROP_FETCH:-} ]] ||
      skip "the Go client is not there yet; CFD_INTEROP_FETCH=1 fetches and compiles it, which takes minutes"
    if [[ ! -x $work/client || $here/go_client.go -nt $work/client ]]; then
      cp "$here/go_client.go" "$work/main.go"
      (cd "$work" && { [[ -f go.mod ]] || go mod init interop; } && go get cloud.google.com/go/pubsub/v2@v2.8.1 && go mod tidy && go build -o client .) ||
        skip "cloud.google.com/go/pubsub/v2 cannot be had from the Go proxy"
    fi
    run=("$work/client") ;;
  java)
    command -v java >/dev/null && command -v mvn >/dev/null || skip "no java or Maven"
    if [[ ! -s $work/classpath ]]; then
      cat >"$work/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>cfd</groupId><artifactId>interop</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.google.cloud</groupId><artifactId>google-cloud-pubsub</artifactId><version>1.160.0</version></dependency>
  </dependencies>
</project>
POM
      timeout 200 mvn -q -B -f "$work/pom.xml" dependency:build-classpath -Dmdep.outputFile=classpath.part >"$work/mvn.log" 2>&1 &&
        mv "$work/classpath.part" "$work/classpath" || skip "com.google.cloud:google-cloud-pubsub cannot be had from Maven"
    fi
    # By one thread each for compiling and collecting: the machine has other tests to run.
    run=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(<"$work/classpath")" "$here/JavaClient.java") ;;
  *) echo "unknown client $client" >&2; exit 2 ;;
esac

ready=$(mktemp -u)
"$cfd" emulator --host 127.0.0.1 --port 0 --ready-file "$ready" >/dev/null &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$ready"' EXIT
until [[ -s $ready ]]; do
  kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
  sleep 0.02
done
PUBSUB_EMULATOR_HOST=$(<"$ready") "${run[@]}"
