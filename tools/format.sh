#!/usr/bin/env bash
# format.sh [--check]: clang-format over every C and C++ file that git knows or could know.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
git ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' '*.h' '*.c' |
  while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 -r -P "$(nproc)" -n 40 clang-format-19 "${mode[@]}" || {
  echo "format.sh: these files are not formatted; run ./dev format" >&2
  exit 1
}
