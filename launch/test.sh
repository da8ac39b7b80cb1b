#!/usr/bin/env bash
# From a fresh machine to tested: sets everything up, then runs every check, even after one has failed, and sums up.
#
#   bash launch/test.sh
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash launch/setup.sh --all || exit $?
export PATH="$PWD/.venv/bin:$PATH"
export CI=true  # a skipped simulator, oracle, compiler or browser test is a failure here

summary=() failed=0
check() { # check NAME SECONDS COMMAND...
  local name=$1 limit=$2 start=$SECONDS status=0
  shift 2
  printf '\n=== %s: %s\n' "$name" "$*"
  timeout --kill-after=30 "$limit" "$@" || status=$?
  case $status in
    0) summary+=("ok      $name ($((SECONDS - start)) s)") ;;
    124 | 137) summary+=("TIMEOUT $name (limit $limit s)") failed=1 ;;
    *) summary+=("FAILED  $name (exit code $status, $((SECONDS - start)) s)") failed=1 ;;
  esac
}

smoke=$(mktemp -d)
trap 'rm -rf "$smoke"' EXIT

check lint 60 ruff check
check format 60 ruff format --check
check types 300 pyright
check tests 3300 pytest -n 2 --timeout 1200 --durations 25 --durations-min 5
check smoke 900 aim demo --config configs/smoke.py --out "$smoke/demo"

printf '\n=== summary\n'
printf '%s\n' "${summary[@]}"
exit $failed
