#!/usr/bin/env bash
# Writes the table of bench/results/README.md from the newest result of each device (bench/results/*.json, by the time of
# the commit that they name), or, where there is none, from the goals alone. What stands outside the two marks stays.
# --check: changes nothing; exit code 1 where the table is not the one that would be written. Needs jq.
set -eu
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
readme=$root/bench/results/README.md
begin='<!-- table: bench/render.sh -->' end='<!-- end of table -->'

# The time of a commit, 0 where it is not known.
commit_time() { git -C "$root" show -s --format=%ct "${1%+}" 2>/dev/null || echo 0; }

# "device<tab>file" of the newest result of each device.
newest() {
  local file
  for file in "$root"/bench/results/*.json; do
    [ -e "$file" ] || continue
    jq -e '.workloads and (.shrink == 1)' "$file" >/dev/null 2>&1 || continue
    printf '%s\t%s\t%s\n' "$(jq -r .device "$file")" "$(commit_time "$(jq -r .commit "$file")")" "$file"
  done | sort -t $'\t' -k1,1 -k2,2nr | awk -F '\t' '!seen[$1]++ { print $1 "\t" $3 }'
}

goals() {
  echo "**The code for devices has not run on a device so far.** These are its goals; no figure is known."
  echo
  echo "| workload | bound | goal |"
  echo "| --- | --- | --- |"
  sed -n 's/^GOAL("[^"]*", "\([^"]*\)", "\([^"]*\)", \([0-9.]*\), "\([^"]*\)")$/\1|\2|\3|\4/p' "$root/bench/gpu/goals.inc" |
    while IFS='|' read -r what bound value unit; do
      [ -z "$unit" ] && echo "| $what | $bound | at least $value |" || echo "| $what | $bound | at most $value ${unit/us/µs} |"
    done
}

device_table() {
  jq -r '
    def n(d): if . == null then "–" else (. * pow(10; d) | round) / pow(10; d) | tostring end;
    def unit: if . == "us" then "µs" else . end;
    "## \(.device)", "",
    "Commit \(.commit); CUDA \(.cuda_runtime / 1000 | floor), cuBLAS \(.cublas). Read \(.limits.read_bytes_per_s / 1e9 | n(0)) GB/s, copy \(.limits.copy_bytes_per_s / 1e9 | n(0)) GB/s (read and written), a node of a replayed graph \(.limits.graph_node_s * 1e6 | n(2)) µs; cuBLAS in TFLOP/s: f32 \(.limits.f32_per_s / 1e12 | n(1)), tf32 \(.limits.tf32_per_s / 1e12 | n(1)), bf16 \(.limits.bf16_per_s / 1e12 | n(1)), f64 \(.limits.f64_per_s / 1e12 | n(1)).",
    "",
    "| workload | bound | time µs | measured | goal | residual | |",
    "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    (.workloads[] |
      "| \(.what) | \(.bound) | \(.seconds * 1e6 | n(1)) | \(.measured | n(2)) \(.unit | unit) | \(if .unit == "" then "≥" else "≤" end) \(.goal) \(.unit | unit) | \(if .valid then .residual else "–" end) | \(if .met then "met" elif .trouble != "" then "**not met**: \(.trouble)" else "**not met**" end) |"),
    "",
    "\([.workloads[] | select(.met)] | length) of \(.workloads | length) goals are met."' "$1"
}

table() {
  local found device file first=1
  found=$(newest)
  if [ -z "$found" ]; then
    goals
    return
  fi
  while IFS=$'\t' read -r device file; do
    [ -n "$device" ] || continue
    [ "$first" = 1 ] || echo
    first=0
    device_table "$file"
  done <<<"$found"
}

new=$(mktemp)
trap 'rm -f "$new" "$new.table"' EXIT
table >"$new.table"
awk -v begin="$begin" -v end="$end" -v table="$new.table" '
  $0 == end { inside = 0 }
  !inside { print }
  $0 == begin { inside = 1; while ((getline line < table) > 0) print line }' "$readme" >"$new"
if [ "${1-}" = --check ]; then
  diff "$readme" "$new"
else
  cmp -s "$readme" "$new" || cat "$new" >"$readme"
fi
