#!/usr/bin/env bash
# Checks that the C and CUDA sources are formatted as .clang-format says; --fix formats them. Only version 14 (Debian 12) is
# asked: others format a little differently. Exit code 0: they are, 1: they are not, 77: no clang-format 14 here.
set -u
how=(--dry-run -Werror)
[ "${1-}" = --fix ] && how=(-i)
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
for tool in clang-format-14 clang-format; do
  if "$tool" --version 2>/dev/null | grep -q 'version 14\.'; then
    find "$root"/{src,include,kernels,tests,bench,examples} \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cu' -o -name '*.cuh' \) -print0 2>/dev/null |
      xargs -0 "$tool" "${how[@]}"
    exit $((PIPESTATUS[1] != 0))
  fi
done
echo "no clang-format 14 here: formatting is not checked" >&2
exit 77
