#!/usr/bin/env bash
# Builds jacchain where needed and runs it: with arguments as `jacchain ARGUMENTS`; without, evaluates and checks the
# gradients of a small trained network (examples/digits_rnn.json).
set -u
self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/*}
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

mkdir -p "$root/build" || exit "$EXIT_SETUP"
log=$root/build/run.log
: >"$log"
packages=("${BUILD_PACKAGES[@]}")
[ "${1-}" = draw ] && [[ "$*" != *.dot* ]] && packages+=("${DRAW_PACKAGES[@]}")
[ "${1-}" = norms ] && [[ "$*" = *--output* ]] && packages+=("${PLOT_PACKAGES[@]}")
install_packages "$log" "${packages[@]}"
# The first time only: later changes are noticed by the build itself.
options=()
[ -f "$root/build/release/build.ninja" ] || options=(-DJACCHAIN_TESTS=OFF -DJACCHAIN_BENCH=OFF -DJACCHAIN_EXAMPLES=OFF)
build_preset "$log" release jacchain_command "${options[@]}"
jacchain=$root/build/release/jacchain

if [ $# -gt 0 ]; then
  exec "$jacchain" "$@"
fi

cd "$root" || exit "$EXIT_SETUP"
graph=examples/digits_rnn.json
parameters=W_in,W_rec,b,W_out,c
cat <<TEXT
$graph: a recurrent network (tanh, 8 steps, 32 hidden units) trained on
handwritten digits, unrolled over 64 real images. Its loss L is now differentiated with respect to its five
parameters, from the local Jacobians alone; then every equation is checked, and PyTorch's gradients compared.
TEXT
step() {
  printf '\n$ jacchain %s\n' "$*"
  "$jacchain" "$@"
}
step total "$graph" --of L --wrt "$parameters" || exit
step check "$graph" --of L --wrt "$parameters" || exit
step check "$graph" --against examples/digits_rnn.expected.safetensors || exit
printf '\nThe result agrees: every equation holds to rounding, and so do the gradients that PyTorch computed.\n'
