#!/usr/bin/env bash
# Makes the hashed locks from requirements/*.in; the other locks follow the versions of dev.lock.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() {
  local name=$1
  shift
  build/tools/bin/uv pip compile -q --no-header --no-annotate --generate-hashes "$@" \
    "requirements/$name.in" -o "requirements/$name.lock"
}
linux=(--python-version 3.12 --python-platform x86_64-manylinux_2_28)
lock tools --universal
lock dev "${linux[@]}"
for name in layer-base layer-tabular layer-numpy runtime image; do
  lock "$name" "${linux[@]}" -c requirements/dev.lock
done
# without dependencies: they are the image's own
lock families "${linux[@]}" -c requirements/dev.lock --no-deps
lock endpoint "${linux[@]}" -c requirements/dev.lock --no-deps
# LocalStack 4.14.0 runs on 3.13 only
lock localstack --python-version 3.13 --python-platform x86_64-manylinux_2_28
# what users install beside this project, in environments of their own
lock clients "${linux[@]}"
lock sagemaker "${linux[@]}"
