#!/usr/bin/env bash
# Tests the local server's page in headless Chromium.
# usage: run.sh CFD_COMMAND WORK_DIR [SCREENSHOT_DIR]    exit status 77: skipped, because something cannot be had here
set -euo pipefail
cfd=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() { echo "SKIPPED: $*"; exit 77; }

command -v node >/dev/null && command -v npm >/dev/null || skip "no node or npm"
CFD_CHROMIUM=${CFD_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[[ -n $CFD_CHROMIUM ]] || skip "no chromium; on Debian: apt-get install chromium"
export CFD_CHROMIUM

mkdir -p "$work"
work=$(cd "$work" && pwd)
if ! cmp -s "$here/package.json" "$work/installed.json"; then
  cp "$here/package.json" "$work/package.json"
  (cd "$work" && npm install --silent --no-audit --no-fund --fetch-retries 1 --fetch-timeout 10000) ||
    skip "playwright-core and axe-core cannot be had from npm"
  cp "$here/package.json" "$work/installed.json"
fi
CFD_NODE_MODULES=$work exec node ${CFD_BROWSER_TESTS:+--test-name-pattern="$CFD_BROWSER_TESTS"} --test-reporter spec "$here/page_test.mjs" "$cfd" "${@:3}"
