#!/usr/bin/env bash
# run.sh as others start it: from another folder with a space in its name, by a link, with relative paths of that folder;
# exit codes are passed on, and standard output has nothing but the result.
set -eu
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/a folder"
cd "$scratch/a folder"
cp "$root/examples/post.json" "a graph.json"
ln -s "$root/run.sh" link.sh

# expect CODE COMMAND...
expect() {
  local wanted=$1 code=0
  shift
  "$@" >out 2>err || code=$?
  [ "$code" -eq "$wanted" ] || { echo "exit code $code, not $wanted: $*" && cat err && exit 1; }
}

expect 0 "$root/run.sh" total "a graph.json" --of L --json
[ "$(jq -c '.totals[0].values' out)" = '[[12,136,-27,-146]]' ] || { echo "wrong result" && cat out && exit 1; }
expect 0 ./link.sh total "a graph.json" --of L --json --quiet
[ ! -s err ] || { echo "not quiet:" && cat err && exit 1; }
expect 0 ./link.sh --version
expect 2 ./link.sh total "a graph.json" --of nothing
expect 3 ./link.sh total "no graph.json" --of L
expect 5 ./link.sh total "a graph.json" --of L --memory-limit 1
