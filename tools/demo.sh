#!/usr/bin/env bash
# demo.sh SIZEWISE INCLUDE_FOLDER RUN_DIR: the best size of a small GPT on the C++ headers of LibTorch.
# Everything that determines the run stands in samples/demo.json; the headers are this machine's.
set -euo pipefail
samples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../samples" && pwd)
set -x
"$1" find-optimal --config "$samples/demo.json" --dataset-option "path=$2" --run-dir "$3"
