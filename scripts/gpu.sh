# shellcheck shell=bash
# Shared by tests/gpu.sh and bench/gpu.sh (sourced): finds the device and CUDA, and builds in build/gpu what needs no
# other library. Expects `root` to be the project's folder.

: "${root:?}"

# none SENTENCE: why nothing can be done here.
none() {
  printf '%s\n' "$1"
  exit 77
}

# Sets `device` to the name of the first device. PATH and LD_LIBRARY_PATH get the toolkit's folders where they lack them.
find_device() {
  local folder
  for folder in /usr/local/cuda/bin /usr/local/nvidia/bin; do
    case :$PATH: in *:$folder:*) ;; *) [ -d "$folder" ] && PATH=$PATH:$folder ;; esac
  done
  export PATH
  device=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1)
  [ -n "$device" ] || none "There is no CUDA device on this machine (nvidia-smi names none): nothing was run."
  command -v nvcc >/dev/null || none "There is a device, $device, but no nvcc to build for it: nothing was run."
  # cuBLAS may lie in a Python package only.
  if ! ldconfig -p 2>/dev/null | grep -q 'libcublas\.so\.13'; then
    folder=$(find / -name libcublas.so.13 -not -path '/proc/*' -printf '%h\n' 2>/dev/null | head -n 1)
    [ -n "$folder" ] && export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  fi
}

# build_gpu LOG TARGET...: the last lines of the log and exit code 4 when it fails.
build_gpu() {
  local log=$1 generator=() major
  shift
  command -v ninja >/dev/null && generator=(-G Ninja)
  # Only the kind of this device: its own machine code.
  major=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .)
  {
    cmake -S "$root" -B "$root/build/gpu" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DJACCHAIN_BARE=ON \
      -DJACCHAIN_CUDA=ON -DJACCHAIN_EMULATION=OFF -DJACCHAIN_TESTS=ON -DJACCHAIN_BENCH=ON \
      -DJACCHAIN_EXAMPLES=OFF \
      -DJACCHAIN_CUDA_ARCHITECTURES="${major:-90}-real" -DJACCHAIN_NVCC_FLAGS=-lineinfo &&
      cmake --build "$root/build/gpu" -j "$(nproc)" --target "$@"
  } >>"$log" 2>&1 && return
  tail -n 40 "$log" | cut -c 1-400
  echo "building failed; whole log: $log"
  exit 4
}

# The commit whose code this is, short; "+" behind it: with changes.
commit_name() {
  local name
  name=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || name=${JACCHAIN_COMMIT:-unknown}
  git -C "$root" diff --quiet HEAD -- 2>/dev/null || name=$name+
  echo "$name"
}

# A device's name as part of a file's name: "nvidia-h200".
slug() {
  tr '[:upper:]' '[:lower:]' <<<"$1" | sed -e 's/[^a-z0-9]\{1,\}/-/g' -e 's/^-//' -e 's/-$//'
}
