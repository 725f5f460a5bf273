#!/usr/bin/env bash
# Builds jacchain and runs every test: the suite optimised and under the address and undefined-behaviour sanitizers, the
# fuzz targets for 8 seconds each, the threads under the thread sanitizer, a build that needs no other library, the
# examples, the commands in the documentation, and the installed library. What needs a device is tested by tests/gpu.sh.
# Last line: "N passed, N failed". Logs: build/test/.
set -u
self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/*}
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

logs=$root/build/test
rm -rf "$logs"
mkdir -p "$logs" || exit "$EXIT_SETUP"
passed=0 failed=0
jobs=$(nproc)

# report NAME PASSED FAILED LOG: one line, the end of the log when something failed, and the sums.
report() {
  passed=$((passed + $2)) failed=$((failed + $3))
  printf '%-34s %5d passed, %d failed  (%d s)\n' "$1" "$2" "$3" $((SECONDS - started))
  [ "$3" -eq 0 ] || { tail -n 60 "$4" && echo "whole log: $4"; }
}

# check NAME COMMAND...: counts as one test. Exit code 77: could not be asked here.
check() {
  local name=$1 log=$logs/${1//[ ,]/-}.log code
  shift
  started=$SECONDS
  "$@" >"$log" 2>&1
  code=$?
  case $code in
  0) report "$name" 1 0 "$log" ;;
  77) printf '%-34s skipped: %s\n' "$name" "$(tail -n 1 "$log")" ;;
  *) report "$name" 0 1 "$log" ;;
  esac
}

# suite NAME PRESET [OPTION...]: the tests of the one executable. Criterion takes no notice of leaks, so the reports of the sanitizer are
# kept in files and counted, less those of the tests that failed: they leave their memory behind. Criterion now and then
# leaks something of its own: a report counts when it has a frame of anything else.
# Both ways to call OpenBLAS are taken: side by side in the release build and under the thread sanitizer, which does not
# see how OpenBLAS's own threads wait for each other, one at a time in the others.
suite() {
  local name=$1 preset=$2 log=$logs/suite-$2.log synthesis tested ok leaks blas_threads=2
  shift 2
  started=$SECONDS
  case $preset in release | tsan) blas_threads=1 ;; esac
  OPENBLAS_NUM_THREADS=$blas_threads ASAN_OPTIONS=allocator_may_return_null=1:log_path=$logs/sanitizer-$preset UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
    "$root/build/$preset/tests/jacchain_tests" --jobs "$jobs" "$@" >"$log" 2>&1
  synthesis=$(grep -a 'Synthesis: Tested:' "$log" | tail -n 1)
  tested=$(sed -n 's/.*Tested:[^0-9]*\([0-9]*\).*/\1/p' <<<"$synthesis")
  ok=$(sed -n 's/.*Passing:[^0-9]*\([0-9]*\).*/\1/p' <<<"$synthesis")
  if [ "${tested:-0}" -eq 0 ]; then
    echo "the tests did not come to their end" >>"$log"
    report "$name" 0 1 "$log"
    return
  fi
  report "$name" "$ok" $((tested - ok)) "$log"
  find "$logs" -name "sanitizer-$preset.*" -exec grep -l LeakSanitizer {} + 2>/dev/null | while read -r log; do
    grep -E '^ +#[0-9]+ ' "$log" | grep -qv 'libsanitizer\|libcriterion' && echo "$log"
  done >"$logs/leaks-$preset"
  leaks=$(($(wc -l <"$logs/leaks-$preset") - (tested - ok)))
  [ "$leaks" -le 0 ] || report "$name: leaks" 0 "$leaks" "$(head -n 1 "$logs/leaks-$preset")"
}

# programs NAME PRESET: the tests that are programs of their own (examples, the command on the examples).
programs() {
  local log=$logs/programs-$2.log summary bad all
  started=$SECONDS
  ASAN_OPTIONS=allocator_may_return_null=1 TSAN_OPTIONS=halt_on_error=1 \
    ctest --test-dir "$root/build/$2" -E '^jacchain_tests$' --output-on-failure -j "$jobs" >"$log" 2>&1
  summary=$(grep 'tests failed out of' "$log" | tail -n 1)
  bad=$(sed -n 's/.*, \([0-9]*\) tests failed.*/\1/p' <<<"$summary")
  all=$(sed -n 's/.*out of \([0-9]*\).*/\1/p' <<<"$summary")
  if [ "${all:-0}" -eq 0 ]; then bad=1 all=1; fi
  report "$1" $((all - bad)) "$bad" "$log"
}

documents() {
  local log=$logs/documents.log summary
  started=$SECONDS
  "$root/scripts/check-docs.sh" >"$log" 2>&1
  summary=$(tail -n 1 "$log")
  summary=${summary% failed}
  report "commands in the documentation" "${summary%% passed*}" "${summary##*, }" "$log"
}

# fuzzers SECONDS: each target counts as one test.
fuzzers() {
  local log=$logs/fuzzers.log summary
  started=$SECONDS
  "$root/scripts/fuzz.sh" "$1" >"$log" 2>&1
  if [ $? -eq 77 ]; then
    printf '%-34s skipped: %s\n' "fuzz targets" "$(tail -n 1 "$log")"
    return
  fi
  summary=$(tail -n 1 "$log")
  case $summary in *" passed, "*" failed") ;; *) summary="0 passed, 1 failed" ;; esac
  summary=${summary% failed}
  report "fuzz targets, $1 s each" "${summary%% passed*}" "${summary##*, }" "$log"
}

log=$logs/build.log
install_packages "$log" "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"

build_preset "$log" release all -DBUILD_SHARED_LIBS=OFF -DJACCHAIN_TESTS=ON -DJACCHAIN_BENCH=ON -DJACCHAIN_EXAMPLES=ON
suite "tests" release
programs "examples" release
documents
check "run.sh" "$root/scripts/check-run.sh"
check "include direction" "$root/scripts/check-includes.sh"
check "formatting" "$root/scripts/check-format.sh"
check "macros of the small runner" "$root/scripts/check-plain.sh"
check "table of device results" "$root/bench/render.sh" --check
check "installed, static" "$root/scripts/check-install.sh" "$root/build/release" static

# The same objects make either library.
build_preset "$log" release all -DBUILD_SHARED_LIBS=ON
check "installed, shared" "$root/scripts/check-install.sh" "$root/build/release" shared
build_preset "$log" release all -DBUILD_SHARED_LIBS=OFF

# What a machine without any of the libraries can build; what has to do with no library was tested above.
build_preset "$log" bare all -DJACCHAIN_CUDA=OFF
suite "tests, bare" bare --filter '!(verify*|elimination*|restricted|expression*|property|ragged)/*'
programs "examples, bare" bare

build_preset "$log" asan all
suite "tests, address+undefined" asan --filter '!(verify|known|restricted)/*'
programs "examples, address+undefined" asan

fuzzers 8

# Those in which the library's threads, or several of the caller's, work on one plan.
build_preset "$log" tsan all -DJACCHAIN_TESTS=ON
suite "tests, thread sanitizer" tsan --filter '@(use|known|limit|cpu)/*'
programs "examples, thread sanitizer" tsan

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
