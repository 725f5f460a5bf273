#!/usr/bin/env bash
# check-install.sh BUILD_FOLDER static|shared: installs the build into a scratch folder and uses it as others would: by
# find_package, by pkg-config, from C++, and the installed command.
set -eu
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
build=$1 kind=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix="$scratch/the prefix"
[ "$kind" = static ] && prefix=$scratch/prefix # pkg-config has no good way to say a space

cmake --install "$build" --prefix "$prefix"
library=$(find "$prefix" -name 'libjacchain.*' -type f)

cmake -G Ninja -S "$root/examples" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix"
cmake --build "$scratch/build"
(cd "$scratch/build" && ctest --output-on-failure)

if [ "$kind" = static ]; then
  PKG_CONFIG_PATH=$(dirname "$library")/pkgconfig
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046
  cc "$root/examples/total.c" -o "$scratch/total" $(pkg-config --cflags --libs jacchain)
  "$scratch/total"
  [ "$(pkg-config --modversion jacchain)" = "$("$prefix/bin/jacchain" --version | tr -cd '0-9.\n')" ]
else
  # Nothing but what the header declares may be seen from outside.
  nm -D --defined-only "$library" | awk '{ print $3 }' | while read -r symbol; do
    grep -q "\\b$symbol(" "$root"/include/*.h || { echo "in no header of include/: $symbol"; exit 1; }
  done
fi
printf '#include <jacchain.h>\nint main() { return jc_status_exit_code(JC_OK); }\n' >"$scratch/use.cpp"
c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" "$scratch/use.cpp"
"$prefix/bin/jacchain" total "$root/examples/post.json" --of L

# The manual page and the completion, where man and bash look for them.
if command -v man >/dev/null; then [ -z "$(man --warnings -l "$prefix/share/man/man1/jacchain.1" 2>&1 >/dev/null)" ]; fi
grep -q '^\.TH JACCHAIN 1' "$prefix/share/man/man1/jacchain.1"
bash -c '. "$1"; complete -p jacchain' - "$prefix/share/bash-completion/completions/jacchain"
