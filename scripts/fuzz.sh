#!/usr/bin/env bash
# Runs the fuzz targets for SECONDS each (60), as many at a time as there are processors: fuzz.sh [SECONDS]. New inputs
# that reach new code are kept in build/fuzz/corpus, what breaks something in build/fuzz/findings. Needs clang.
# JACCHAIN_FUZZ_SEED=N (1) begins another sequence of inputs; 0: one that is never the same.
# Last line: "N passed, N failed"; ends with 1 where a target found something, with 77 where there is no clang.
set -u
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
seconds=${1:-60}
targets=(document expression safetensors npy matrix_market)
found=$root/build/fuzz/findings
mkdir -p "$root/build/test" "$found" || exit "$EXIT_SETUP"

log=$root/build/test/fuzz-build.log
install_packages "$log" "${FUZZ_PACKAGES[@]}"
command -v clang >/dev/null || { echo "there is no clang" && exit 77; }
build_preset "$log" fuzz all

"$root/build/fuzz/tests/fuzz/fuzz_seeds" "$root/build/fuzz/seeds" >>"$log" ||
  fail "$log" "first inputs cannot be written"

# words TARGET, seeds TARGET: its dictionary, and the folder of its first inputs beside the malformed ones.
words() {
  case $1 in document | safetensors) echo json ;; *) echo "$1" ;; esac
}
seeds() {
  case $1 in
  npy) echo "$root/tests/data/npy" ;;
  matrix_market) echo "$root/tests/data/mtx" ;;
  *) echo "$root/tests/fuzz/corpus/$1" ;;
  esac
}

# An input may take 20 s and 3 GB, a piece of memory 1 GB.
fuzz() {
  local corpus=$root/build/fuzz/corpus/$1
  mkdir -p "$corpus"
  ASAN_OPTIONS=allocator_may_return_null=1 OPENBLAS_NUM_THREADS=1 "$root/build/fuzz/tests/fuzz/fuzz_$1" \
    -seed="${JACCHAIN_FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=1000 \
    -print_final_stats=1 -dict="$root/tests/fuzz/$(words "$1").dict" -artifact_prefix="$found/$1-" \
    "$corpus" "$(seeds "$1")" "$root/build/fuzz/seeds/$1" \
    >"$root/build/test/fuzz-$1.log" 2>&1
}

running=() passed=0 failed=0
finish_first() {
  local target=${running[0]%%:*} pid=${running[0]##*:}
  if wait "$pid"; then
    passed=$((passed + 1))
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$root/build/test/fuzz-$target.log") inputs"
  else
    failed=$((failed + 1))
    tail -n 40 "$root/build/test/fuzz-$target.log"
    echo "$target: found something; the input is in $found"
  fi
  running=("${running[@]:1}")
}
for target in "${targets[@]}"; do
  [ ${#running[@]} -lt "$(nproc)" ] || finish_first
  fuzz "$target" &
  running+=("$target:$!")
done
while [ ${#running[@]} -gt 0 ]; do finish_first; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
