#!/usr/bin/env bash
# Checks that includes point downwards only: a stage uses itself and the stages named here (docs/architecture.md).
# kernels/ has the header that the host and the device share; it includes nothing.
set -u
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
declare -A allowed=(
  [core]='' [graph]='core' [io]='core graph' [gen]='core graph io' [rules]='core graph' [plan]='core graph rules' [paths]='core graph rules'
  [backend]='core graph plan kernels' [run]='core graph rules plan backend paths' [cli]='core graph io gen rules paths plan backend run'
)
bad=0
while IFS=: read -r file include; do
  stage=${file#"$root"/src/} stage=${stage%%/*}
  used=${include#*\"}
  case $used in
  */*) used=${used%%/*} ;;
  *) continue ;; # jacchain.h
  esac
  case " $stage ${allowed[$stage]-} " in
  *" $used "*) ;;
  *) echo "${file#"$root"/} includes $used" && bad=1 ;;
  esac
done < <(grep -rHo --include='*.[ch]' --include='*.inc' '^#include "[^"]*"' "$root/src")
exit $bad
