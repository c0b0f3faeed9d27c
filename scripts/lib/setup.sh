# shellcheck shell=bash disable=SC2034,SC2317
# The set-up, for the scripts beside this folder: finds out what is missing and installs it.
# Sourced, never run. The caller has `set -euo pipefail`.
#
#   set_up [test]     system packages, Swift, the Python environment (with what tests need)
#   build [quiet]     the release build; quiet: says nothing when there is nothing to do. Exports
#                     what the builds after it need, too

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
PROGRAM=scripts/$(basename -- "$0")
PYTHON_VERSION=${SWIFTWATER_PYTHON_VERSION:-3.11}
ENVIRONMENT=$ROOT/.venv
HOST=$ROOT/.build/release/swiftwater

# One line for each argument.
say() { printf '%s\n' "$@"; }

fail() {
  printf '%s: %s\n' "$PROGRAM" "$1" >&2
  shift
  if (($#)); then printf '    %s\n' "$@" >&2; fi
  exit 1
}

# --help prints the comment at the head of the calling script.
usage() { sed -n '2,/^[^#]/ { /^# shellcheck/d; s/^# \{0,1\}//p }' "$0"; }

# A mistake on the command line: status 2, as every program has it.
mistaken() {
  printf '%s: %s (see %s --help)\n' "$PROGRAM" "$1" "$PROGRAM" >&2
  exit 2
}

has() { command -v -- "$1" >/dev/null 2>&1; }

# --- Swift ------------------------------------------------------------------------------------

swift_needed() { sed -n '1s|^// swift-tools-version: *\([0-9.]*\).*|\1|p' "$ROOT/Package.swift"; }

fail_for_swift() {
  fail "$1" "Install Swift $(swift_needed) or newer (swift.org/install) and put its bin folder on the PATH."
}

swift_starts() { swift --version >/dev/null 2>&1 && swift package --version >/dev/null 2>&1; }

check_swift() {
  has swift || fail_for_swift "Swift is not installed, or not on the PATH."
  [[ $(swift --version 2>/dev/null || true) =~ Swift\ version\ ([0-9]+(\.[0-9]+)*) ]] ||
    fail_for_swift "\`swift --version\` does not answer."
  printf '%s\n' "$(swift_needed)" "${BASH_REMATCH[1]}" | sort -V -C ||
    fail_for_swift "Swift ${BASH_REMATCH[1]} is too old."
  swift package --version >/dev/null || fail_for_swift "\`swift package\` does not start (see above)."
}

# A toolchain from an archive comes without the system's libraries that it is linked with.
missing_swift_libraries() {
  local known pair
  swift_starts && return
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
  for pair in libncurses6:libncurses.so.6 libcurl4:libcurl.so.4 libxml2:libxml2.so.2 \
    libsqlite3-0:libsqlite3.so.0; do
    [[ $known == *"${pair#*:}"* ]] || say "${pair%:*}: a library that Swift is linked with"
  done
}

# The system's C compiler, or the one that comes with Swift (which may be there through a link).
c_compiler() {
  command -v cc || command -v gcc || command -v clang ||
    readlink -e -- "$(dirname -- "$(readlink -f -- "$(command -v swift)")")/clang"
}

# --- system packages ------------------------------------------------------------------------

# The interpreter that the environment is made from. Debian's own is preferred: the python on the
# PATH can be one that was built without the parts needed here.
base_python() {
  local candidate
  for candidate in "/usr/bin/python$PYTHON_VERSION" "$(command -v "python$PYTHON_VERSION" || true)"; do
    if [[ -x $candidate ]]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

has_embeddable_python() {
  has pkg-config && pkg-config --exists "python-$PYTHON_VERSION-embed" || return 1
  local folder
  # pkgconf drops the system's own folders from --cflags, but the variable tells.
  folder=$(pkg-config --variable=includedir "python-$PYTHON_VERSION-embed")
  [[ -f $folder/python$PYTHON_VERSION/Python.h ]]
}

has_venv() {
  local python
  python=$(base_python) && "$python" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# Not every nc can listen again after a connection.
has_netcat() { has nc && { nc -h 2>&1 || true; } | grep -qiE 'openbsd|ncat'; }

has_cxx_library() {
  local header
  for header in /usr/include/c++/*/vector; do
    [[ -f $header && -f /usr/include/stdio.h ]] && has ld && return
  done
  return 1
}

# One line for each thing that is missing: the package, and what it is for.
missing_packages() {
  missing_swift_libraries
  has git || say "git: to fetch the Swift packages that the build uses"
  has pkg-config || say "pkg-config: tells the build where Python is"
  base_python >/dev/null || say "python$PYTHON_VERSION: runs the jobs"
  has_embeddable_python || say "python$PYTHON_VERSION-dev: Python's headers and library"
  has_venv || say "python$PYTHON_VERSION-venv: for the jobs' Python environment"
  has_cxx_library || say "g++: the system's C and C++ libraries and the linker"
  has_netcat || say "netcat-openbsd: to type lines into a stream (nc -lk 9999)"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif [[ -t 0 ]]; then
    sudo -- "$@"
  else
    sudo -n -- "$@"
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

apt_install() { apt_get install --no-install-recommends "$@"; }

install_packages() {
  local missing=() names=() updated='' line name log
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  for line in "${missing[@]}"; do names+=("${line%%:*}"); done

  local by_hand=("apt-get install ${names[*]}")
  if ! has apt-get; then
    by_hand=("${missing[@]}")
    fail "please install this by hand (the names are Debian's), then run $PROGRAM again:" \
      "${by_hand[@]}"
  fi
  if ((EUID != 0)) && ! has sudo; then
    fail "please run this as root, then run $PROGRAM again:" "${by_hand[@]}"
  fi

  say "Installing ${names[*]} ..."
  log=$(mktemp)
  for name in "${names[@]}"; do
    if ! apt-cache show "$name" >/dev/null 2>&1; then
      say "Reading the list of packages ..."
      apt_get update >"$log" 2>&1 || true
      updated=yes
      break
    fi
  done
  if ! apt_install "${names[@]}" >"$log" 2>&1; then
    # An old list names files that are no longer there.
    if [[ -z $updated ]]; then
      say "Reading the list of packages ..."
      apt_get update >>"$log" 2>&1 || true
    fi
    apt_install "${names[@]}" >>"$log" 2>&1 || tail -n 5 "$log" >&2
  fi
  rm -f -- "$log"
  hash -r

  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) ||
    fail "this could not be installed; please do it by hand, then run $PROGRAM again:" \
      "${missing[@]}"
}

# --- the Python environment ---------------------------------------------------------------------

environment_works() {
  "$ENVIRONMENT/bin/python" -c \
    'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$PYTHON_VERSION" \
    2>/dev/null
}

# Whether what a requirements file pins is there. Asks no network.
satisfied() {
  "$ENVIRONMENT/bin/python" - "$1" 2>/dev/null <<'PYTHON'
import sys
from importlib.metadata import version

for line in open(sys.argv[1]):
    name, equals, pinned = line.partition("#")[0].strip().partition("==")
    if equals and version(name) != pinned:
        sys.exit(1)
PYTHON
}

make_environment() {
  local requirements=("$ROOT/scripts/lib/requirements.txt") file paths
  [[ ${1:-} != test ]] || requirements+=("$ROOT/scripts/lib/requirements-test.txt")
  if ! environment_works; then
    say "Making the Python environment .venv ..."
    "$(base_python)" -m venv --clear "$ENVIRONMENT" ||
      fail "the Python environment .venv could not be made (see above)."
  fi
  for file in "${requirements[@]}"; do
    satisfied "$file" && continue
    say "Installing $(sed -n 's/^\([^#=]*\)==.*/\1/p' "$file" | paste -sd ' ') into .venv ..."
    "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check \
      --requirement "$file" ||
      fail "pip could not install this (see above). By hand:" \
        ".venv/bin/python -m pip install -r ${file#"$ROOT"/}"
  done
  # So that `python JOB.py` in the environment finds the package of this clone.
  paths=$("$ENVIRONMENT/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  [[ $(cat -- "$paths/swiftwater-clone.pth" 2>/dev/null) == "$ROOT/python" ]] ||
    printf '%s\n' "$ROOT/python" >"$paths/swiftwater-clone.pth"
}

set_up() {
  [[ $(uname -s) == Linux ]] || fail "the scripts set up Linux machines only."
  # First what nothing can be done about here.
  if ! has swift || swift_starts; then check_swift; fi
  install_packages
  check_swift
  make_environment "$@"
}

# --- the build ------------------------------------------------------------------------------------

# Passes a build's lines on, from the first one that tells of work or of a problem.
when_there_is_work() {
  local line held=() passing='' complete=''
  while IFS= read -r line; do
    [[ $line != 'Build complete!'* ]] || complete=yes
    if [[ -n $passing ]]; then
      say "$line"
    elif [[ $line =~ (Compiling|Emitting|Linking|Fetching|error:|warning:) ]]; then
      say "Building for release; the first time this takes some minutes ..."
      printf '%s\n' "${held[@]}" "$line"
      passing=yes
    else
      held+=("$line")
    fi
  done
  [[ -n $passing || -n $complete ]] || printf '%s\n' "${held[@]}" >&2
}

# Python's static library as one object, which the host is linked with; Package.swift reads the
# variable. An object's symbols stay visible to Python's extension modules, those of an archive
# are hidden by the linker flags of Swift's static libraries (--exclude-libs ALL).
prepare_libpython() {
  local library object=$ROOT/.build/libpython/libpython$PYTHON_VERSION.aligned.o
  # Where Python's loops begin must not depend on the length of what is linked before them: some lose
  # a twentieth of their speed when they begin in the middle of a cache line.
  local aligned=(--set-section-alignment .text=4096 --set-section-alignment .text.hot=4096)
  for library in "/usr/lib/python$PYTHON_VERSION/config-$PYTHON_VERSION-$(uname -m)"-*/"libpython$PYTHON_VERSION.a"; do
    [[ -f $library ]] || return 0
    if [[ ! -f $object || $library -nt $object ]]; then
      mkdir -p -- "${object%/*}"
      if ! ld -r --whole-archive "$library" -o "$object.$$" || ! objcopy "${aligned[@]}" "$object.$$"; then
        rm -f -- "$object.$$"
        fail "Python's static library could not be linked (see above)."
      fi
      mv -f -- "$object.$$" "$object"
    fi
    export LIBPYTHON_OBJECT=$object
    return
  done
}

build() {
  prepare_libpython
  local command=(swift build -c release -Xswiftc -static-stdlib --package-path "$ROOT")
  if [[ ${1:-} == quiet ]]; then
    "${command[@]}" 2>&1 | when_there_is_work || fail "the build failed (see above)."
    return
  fi
  say "Building for release; the first time this takes some minutes ..."
  local began=$SECONDS
  "${command[@]}" || fail "the build failed (see above)."
  say "Built in $((SECONDS - began)) s."
}
