#!/usr/bin/env bash
# The tests that need a real device, in at most 8 minutes: every kind in every precision against exact or bounded results,
# integers bit for bit, eliminations in random orders, the same bits again, capture and replay, the caller's capture, failing calls, more than 2^31
# entries; compute-sanitizer over a part of them where there is one. The build needs a C compiler, CMake, ninja or make,
# and nvcc: no other library. One process at a time uses the device. Nothing may be skipped but compute-sanitizer.
#
# Exit code: 0 passed, 1 something failed, 77 no device or no nvcc here (said in one sentence), 4 the build failed.
# Logs, and the record of cuBLAS's calls, go to $OUT where that is set, else to build/gpu-tests/.
set -u
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
# shellcheck source=scripts/gpu.sh
. "$root/scripts/gpu.sh"

logs=${OUT:-$root/build/gpu-tests}
mkdir -p "$logs" || exit 4
log=$logs/gpu-tests.log
: >"$log"
limit_s=${JACCHAIN_GPU_SECONDS:-470}

find_device
: "${device:?}"
build_gpu "$log" jacchain_tests
tests=$root/build/gpu/tests/jacchain_tests
export JACCHAIN_TEST_DEVICE=1 JACCHAIN_TEST_EVERY=${JACCHAIN_TEST_EVERY:-13} JACCHAIN_TEST_RECORD=$logs/cublas-record.txt
bad=0

# left: seconds that are left of the limit, at least 1.
left() {
  local s=$((limit_s - SECONDS))
  [ "$s" -gt 0 ] || s=1
  echo "$s"
}

# row NAME RESULT: a line of the table.
row() { printf '%-44s %s\n' "$1" "$2" | tee -a "$log"; }

# suite NAME FILTER [COMMAND...]: the tests that match, each a process of its own, one after the other. Counts as failed
# when one failed, none matched, or the time ran out.
suite() {
  local name=$1 filter=$2 started=$SECONDS summary tested passed text code
  shift 2
  echo "== $name" >>"$log"
  timeout "$(left)" "$@" "$tests" --jobs 1 --filter "$filter" >"$logs/part.log" 2>&1
  code=$?
  cat "$logs/part.log" >>"$log"
  summary=$(grep -a 'Synthesis: Tested:' "$logs/part.log" | tail -n 1)
  tested=$(sed -n 's/.*Tested:[^0-9]*\([0-9]*\).*/\1/p' <<<"$summary")
  passed=$(sed -n 's/.*Passing:[^0-9]*\([0-9]*\).*/\1/p' <<<"$summary")
  text="${passed:-0} of ${tested:-0} passed ($((SECONDS - started)) s)"
  if [ "$code" -eq 124 ]; then
    text="not finished in the time that was left"
  elif [ "$code" -eq 0 ] && [ "${tested:-0}" -gt 0 ] && [ "$passed" = "$tested" ]; then
    row "$name" "$text"
    return
  fi
  bad=1
  row "$name" "$text: FAILED"
  grep -av '^\[====\]' "$logs/part.log" | tail -n 20 | cut -c 1-400
}

echo "device: $device" | tee -a "$log"
echo "commit: $(commit_name)" | tee -a "$log"
suite "table of device calls" 'real/*'
suite "runs on device memory" 'device/*'
suite "every kind in four precisions" 'conformance/*'
suite "random graphs" 'property/*'
suite "eliminations" '@(eliminations|operands)/*'
suite "interface" '@(use|limit)/*'
if command -v compute-sanitizer >/dev/null; then
  suite "compute-sanitizer memcheck" 'device/results*' compute-sanitizer --tool memcheck --target-processes all \
    --error-exitcode 9
  suite "compute-sanitizer racecheck" 'device/results*' compute-sanitizer --tool racecheck --target-processes all \
    --error-exitcode 9
else
  row "compute-sanitizer" "skipped: there is none on this machine"
fi
rm -f "$logs/part.log"
row "all in" "$SECONDS s"
if [ "$bad" -ne 0 ]; then
  echo "FAILED; whole log: $log"
  exit 1
fi
echo "passed"
