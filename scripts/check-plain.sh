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

# It makes a function suite_name of Test(suite, name): no test may use that name for something else.
bad=0
functions=$(grep -rhoE --include='*.c' '^Test\([a-z_0-9]+, [a-z_0-9]+' tests | sed -E 's/Test\(([^,]+), (.*)/\1_\2/' | sort)
for function in $(uniq <<<"$functions"); do
  grep -rlwE --include='*.[ch]' "$function" tests && echo "  has $function, the name that the small runner gives a test" && bad=1
done
twice=$(uniq -d <<<"$functions")
[ -z "$twice" ] || { echo "tests of one name:" && echo "$twice" && bad=1; }
exit $bad
