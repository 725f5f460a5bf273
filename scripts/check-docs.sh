#!/usr/bin/env bash
# Runs every ```sh block of README.md, docs/*.md and examples/README.md in a scratch folder that has run.sh and
# examples/ in it, and `jacchain` on the path. A block must succeed. Where the next block is ```text, both outputs
# together must be that text, in which … stands for anything; where it is ```text approx, numbers are not compared.
# Blocks with ./test.sh are left out (this is run by it). Every ```c block of README.md must stand in one of examples/*.c,
# and every relative link lead to a file. Last line: "N passed, N failed".
set -u
root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ln -s "$root/run.sh" "$root/examples" "$scratch"
export PATH=$root/build/release:$PATH
passed=0 failed=0

# verdict OK WHERE WHAT
verdict() {
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '%s: %s\n' "$2" "$3"
  fi
}

# The text as a pattern of the shell: everything stands for itself but ….
pattern_of() {
  printf '%s' "$1" | sed -e 's/[][\\*?]/\\&/g' -e 's/…/*/g'
}

# The text without what differs from machine to machine: every number, with the unit of a time or of bytes behind it, is
# N, one thread reads like several, the variable where rounding is largest is V, why a backend was chosen is W (it depends on
# what is built in), spaces are single.
without_numbers() {
  sed -E -e 's/[0-9]+([.,][0-9]+)*(e[-+]?[0-9]+)?( (us|ms|s|bytes|[KMGT]iB|[kMGT]?(FLOP|B)\/s)\b)?/N/g' -e 's/  +/ /g' \
    -e 's/N threads/N thread/' -e 's/\(auto: [^()]*\)/(auto: W)/' -e 's/worst at [^,]*,/worst at V,/' <<<"$1"
}

# run_block WHERE COMMANDS EXPECTED HOW: compares as `exact` or `approx`, or not at all with `no`.
run_block() {
  local where=$1 commands=$2 expected=$3 output code pattern
  case $commands in *./test.sh*) return ;; esac
  output=$(cd "$scratch" && bash -eo pipefail -c "$commands" 2>&1 </dev/null)
  code=$?
  if [ $code -ne 0 ]; then
    verdict 1 "$where" "exit code $code: $commands"$'\n'"$output"
    return
  fi
  if [ "$4" = approx ]; then
    expected=$(without_numbers "$expected") output=$(without_numbers "$output")
  fi
  if [ "$4" != no ]; then
    pattern=$(pattern_of "$expected")
    # shellcheck disable=SC2053
    if [[ $output != $pattern ]]; then
      verdict 1 "$where" "output differs: $commands"$'\n'"$(diff <(printf '%s\n' "$expected") <(printf '%s\n' "$output"))"
      return
    fi
  fi
  verdict 0
}

check_c_block() {
  local file
  for file in "$root"/examples/*.c; do
    if [[ $(<"$file") == *"$2"* ]]; then
      verdict 0
      return
    fi
  done
  verdict 1 "$1" "this C block is in none of examples/*.c"
}

# Walks through one file; a block's commands wait until it is known whether its output follows.
check_file() {
  local file=$1 line kind='' block='' start=0 number=0 waiting='' waiting_at='' name=${1#"$root"/} how
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in
    '```'*)
      if [ -z "$kind" ]; then
        kind=${line#'```'} block='' start=$number
        [ -n "$kind" ] || kind=plain
        if [ -n "$waiting" ] && [[ $kind != text* ]]; then
          run_block "$waiting_at" "$waiting" '' no
          waiting=''
        fi
        continue
      fi
      block=${block%$'\n'}
      case $kind in
      sh) waiting=$block waiting_at=$name:$start ;;
      text | 'text approx')
        how=exact
        [ "$kind" = text ] || how=approx
        [ -n "$waiting" ] && run_block "$waiting_at" "$waiting" "$block" "$how"
        waiting=''
        ;;
      c) [ "$name" = README.md ] && check_c_block "$name:$start" "$block" ;;
      esac
      kind=''
      ;;
    *)
      [ -n "$kind" ] && block+=$line$'\n'
      ;;
    esac
  done <"$file"
  [ -n "$waiting" ] && run_block "$waiting_at" "$waiting" '' no
}

# Every relative link leads to a file.
check_links() {
  local file=$1 link
  while IFS= read -r link; do
    case $link in *://* | '#'*) continue ;; esac
    [ -e "$(dirname "$file")/${link%%#*}" ]
    verdict $? "${file#"$root"/}" "nothing lies at $link"
  done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//')
}

for file in "$root"/README.md "$root"/CHANGELOG.md "$root"/docs/*.md "$root"/examples/README.md; do
  [ -f "$file" ] || continue
  check_file "$file"
  check_links "$file"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
