#!/usr/bin/env bash
# The benchmark of a real device, in at most 8 minutes: its limits first (bandwidth, product rates, cost of a graph node),
# then the workloads of bench/gpu/goals.inc, data made on the device, each judged by a residual before it counts.
# Writes bench/results/<device>-<commit>.json and the table of bench/results/README.md. The build needs a C compiler,
# CMake, ninja or make, and nvcc: no other library. Arguments go to bench_gpu (--only NAME, --shrink N).
#
# Exit code: 0 every goal is met, 1 one is not, 77 no device or no nvcc here (said in one sentence), 4 something failed.
# The log and the json file are also copied to $OUT where that is set.
set -u
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
# shellcheck source=scripts/gpu.sh
. "$root/scripts/gpu.sh"

find_device
: "${device:?}"
mkdir -p "$root/build" || exit 4
log=$root/build/gpu-bench.log
: >"$log"
build_gpu "$log" bench_gpu
commit=$(commit_name)
json=$root/bench/results/$(slug "$device")-${commit%+}.json

limit_s=${JACCHAIN_GPU_SECONDS:-460}
timeout "$((limit_s > SECONDS ? limit_s - SECONDS : 1))" "$root/build/gpu/bench/bench_gpu" --json "$json" \
  --commit "$commit" --seconds "$((limit_s - SECONDS - 30))" "$@" 2>&1 | tee -a "$log"
code=${PIPESTATUS[0]}
[ "$code" -ne 124 ] || echo "stopped: out of time" | tee -a "$log"
if [ -n "${OUT-}" ]; then
  cp "$log" "$OUT/" && [ -f "$json" ] && cp "$json" "$OUT/"
fi
if command -v jq >/dev/null; then
  "$root/bench/render.sh"
else
  echo "There is no jq here: run bench/render.sh where there is one to write the table of bench/results/README.md."
fi
case $code in 0 | 1) exit "$code" ;; *) exit 4 ;; esac
