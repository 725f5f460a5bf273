#!/usr/bin/env bash
# Builds the release preset and keeps what bench_scale says in bench/results/<date>-<cpu>.txt, with the commit, the
# machine and the exact command. Options are passed on. Needs a quiet machine.
set -eu
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"
cmake --preset release -DJACCHAIN_BENCH=ON >/dev/null
cmake --build --preset release --target bench_scale >/dev/null

cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
file=bench/results/$(date +%F)-$(tr -cs 'A-Za-z0-9\n' '-' <<<"$cpu" | sed 's/-*$//' | tr '[:upper:]' '[:lower:]').txt
mkdir -p bench/results
{
  echo "commit    $(git describe --always --dirty --abbrev=12)"
  echo "date      $(date -u +%FT%TZ)"
  echo "command   build/release/bench/bench_scale $*"
  echo "cpu       $cpu, $(nproc) processors, $(free -g | awk '/^Mem:/ {print $2}') GiB"
  echo "kernel    $(uname -sr)"
  echo "compiler  $(${CC:-cc} --version | head -n 1)"
  echo "load      $(cut -d' ' -f1-3 /proc/loadavg) before the run"
  echo
} >"$file.part"
code=0
build/release/bench/bench_scale "$@" | tee -a "$file.part" || code=$?
mv "$file.part" "$file"
echo "kept in $file"
exit "$code"
