#!/usr/bin/env bash
# Makes the environment of a lane, build/<lane>, from requirements/<lane>.lock; does nothing when it is current.
# Ends with 69 and the reason on standard error when its packages cannot be had on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV
export UV_SYSTEM_CERTS=1  # as scripts/setup.sh
lane=$1
folder=build/$lane lock=requirements/$lane.lock
[ -f "$lock" ] || { echo "there is no lane $lane ($lock)" >&2; exit 2; }
want=$(sha256sum <"$lock" | cut -c1-16)
if [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$want" ]; then exit 0; fi
printf '  %-9s %s\n' "$lane" "packages of requirements/$lane.lock, into $folder"
python=$(.venv/bin/python -c 'import sys; print(sys.base_prefix + "/bin/python3.12")')
rm -rf "$folder"
if ! said=$({
  build/tools/bin/uv venv -q --no-project --python "$python" "$folder" &&
    build/tools/bin/uv pip install -q --python "$folder/bin/python" --require-hashes --compile-bytecode -r "$lock"
} 2>&1); then
  rm -rf "$folder"
  printf '%s cannot be installed: %s\n' "$lock" "$(tail -n 3 <<<"$said" | tr -s ' \n' ' ')" >&2
  exit 69
fi
echo "$want" >"$folder/.stamp"
