# shellcheck shell=bash
# Shared by run.sh and test.sh (sourced): installs missing Debian packages, configures and builds.
# Everything is quiet unless it fails; then the end of the log is shown. Expects `root` to be the project's folder.

: "${root:?}"
# shellcheck disable=SC2034
BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config libjansson-dev libgmp-dev libopenblas-pthread-dev)
# shellcheck disable=SC2034
TEST_PACKAGES=(g++ libcriterion-dev jq graphviz gnuplot-nox texlive-latex-base)
# What one command takes beyond the build.
# shellcheck disable=SC2034
DRAW_PACKAGES=(graphviz)
# shellcheck disable=SC2034
PLOT_PACKAGES=(gnuplot-nox)
# shellcheck disable=SC2034
FUZZ_PACKAGES=(clang libclang-rt-dev)

# Exit codes as those of the command: 4 = something that is needed is not there.
EXIT_SETUP=4

say() { printf '%s\n' "$*" >&2; }

# fail LOG MESSAGE: the end of the log, the message, and out.
fail() {
  [ -s "$1" ] && tail -n 40 "$1" | cut -c 1-400 >&2
  say "$2"
  say "whole log: $1"
  exit "$EXIT_SETUP"
}

# The packages of the list that are not installed, one a line. pkg-config and pkgconf stand for each other.
missing_packages() {
  dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
    awk -v wanted="$*" '
      $1 == "installed" { gsub(/\([^)]*\)|,/, " "); for (i = 2; i <= NF; i++) there[$i] = 1 }
      END { n = split(wanted, w, " "); for (i = 1; i <= n; i++) if (!(w[i] in there)) print w[i] }'
}

# install_packages LOG PACKAGE...: as root or through sudo; otherwise says the one line to run.
install_packages() {
  local log=$1 missing=() as_root=()
  shift
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    return 0 # not Debian: the configuration says what it does not find
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    elif command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ]; then
      as_root=(sudo)
    else
      say "Packages are missing and this is neither root nor sudo. Run this once, then start again:"
      say "  su -c 'apt-get update && apt-get install -y --no-install-recommends ${missing[*]}'"
      exit "$EXIT_SETUP"
    fi
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update >>"$log" 2>&1 || say "apt-get update failed; trying with the lists that are there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" \
    >>"$log" 2>&1 || fail "$log" "installing ${missing[*]} failed"
}

# build_preset LOG PRESET TARGET [CMAKE_OPTION...]: configures where needed and builds; says something only when there is
# something to do. Several starts at once wait for each other.
build_preset() {
  local log=$1 preset=$2 target=$3 folder=$root/build/$2
  shift 3
  exec 9>"$root/build/$preset.lock"
  flock 9
  if [ -f "$folder/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    rm -rf "$folder" # the project was moved or copied together with its build
  fi
  if [ ! -f "$folder/build.ninja" ] || [ $# -gt 0 ]; then
    [ -f "$folder/build.ninja" ] || say "configuring and building ($preset; log: ${log#"$root"/})"
    (cd "$root" && cmake --preset "$preset" "$@") >>"$log" 2>&1 9>&- || fail "$log" "configuring ($preset) failed"
  fi
  cmake --build "$folder" --target "$target" >>"$log" 2>&1 9>&- || fail "$log" "building ($preset) failed"
  exec 9>&-
}
