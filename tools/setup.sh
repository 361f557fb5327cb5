# Sourced by ./dev: what must be there before anything is built.
# Defines set_up, which sets torch_prefix, python (with torch and numpy) and cmake_options (an array).

torch_spec=${SIZEWISE_TORCH_SPEC:-torch==2.13.0}
venv=$build/venv

# Prints the packages of tools/packages.txt that are not installed.
missing_packages() {
  local name
  while read -r name; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      echo "$name"
  done < <(grep -v '^#' "$source/tools/packages.txt")
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "this is no Debian system; tools/packages.txt lists what must be installed"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "these packages are missing:"
    printf '  %s\n' "${missing[@]}" >&2
    stop "install them with:  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2 || stop "apt-get update failed; is there a network?"
  apt-get -q install -y --no-install-recommends "${missing[@]}" >&2 ||
    stop "apt-get could not install: ${missing[*]}"
}

# Prints the LibTorch that CMAKE_PREFIX_PATH names, if it names one.
existing_torch() {
  local folder name
  while IFS= read -r -d ';' folder; do
    for name in share/cmake/Torch Torch; do
      if [ -n "$folder" ] && [ -f "$folder/$name/TorchConfig.cmake" ]; then
        (cd "$folder/$name/../../.." && pwd)
        return
      fi
    done
  done < <(printf '%s;' "${CMAKE_PREFIX_PATH:-}" | tr ':' ';')
}

# install_python_packages REQUIREMENT...: into the virtual environment, each set only once.
install_python_packages() {
  local stamp
  stamp=$venv/.sizewise-$(printf '%s ' "$@" | sha256sum | cut -c1-16)
  [ ! -f "$stamp" ] || return 0
  if [ ! -x "$venv/bin/pip" ]; then
    say "making the virtual environment $venv"
    python3 -m venv "$venv" >&2 || stop "python3 -m venv failed; it needs the package python3-venv"
  fi
  say "installing $*"
  "$venv/bin/pip" install --quiet "$@" >&2 || stop "pip could not install: $*"
  touch "$stamp"
}

# LibTorch: the one that CMAKE_PREFIX_PATH names, or the wheel in a virtual environment.
find_torch() {
  local prefix
  prefix=$(existing_torch)
  if [ -n "$prefix" ]; then
    say "LibTorch from CMAKE_PREFIX_PATH: $prefix"
    python=python3
    # A LibTorch inside a Python's site-packages has its own Python.
    case $prefix in */lib/python3*/site-packages/torch) python=${prefix%/lib/python3*}/bin/python ;; esac
    [ -x "$(command -v "$python")" ] || python=python3
  else
    install_python_packages "$torch_spec" numpy
    python=$venv/bin/python
    for prefix in "$venv"/lib/python3*/site-packages/torch; do :; done
    [ -f "$prefix/share/cmake/Torch/TorchConfig.cmake" ] ||
      stop "'$torch_spec' brought no LibTorch into $venv; set SIZEWISE_TORCH_SPEC to a requirement that does"
  fi
  torch_prefix=$prefix
  cmake_options=("-DTorch_DIR=$prefix/share/cmake/Torch" "-DSIZEWISE_PYTHON=$python")
}

set_up() {
  mkdir -p "$build"
  install_packages
  find_torch
}
