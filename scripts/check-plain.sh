#!/usr/bin/env bash
# The small runner (tests/support/plain), which stands in for Criterion under the thread sanitizer and in bare builds, must
# have every macro of Criterion that a test uses: found here, not at the end of a long build.
cd "$(dirname "$0")/.." || exit 1
header=tests/support/plain/criterion/criterion.h
missing=$(comm -23 \
  <(grep -rohE --include='*.c' '\bcr_[a-z_]+\(' tests | tr -d '(' | sort -u) \
  <(sed -nE 's/^#define (cr_[a-z_]+)\(.*/\1/p' "$header" | sort -u))
[ -z "$missing" ] || {
  echo "$header lacks:" && echo "$missing"
  exit 1
}
