#!/usr/bin/env bash
# The end-to-end test body on LocalStack, with the real `cdk bootstrap` and `cdk deploy`: a second opinion about what
# the laptop engine says. LocalStack gets an environment of its own below build/localstack; where there is no Python
# 3.13, or its packages cannot be had, the lane says so and is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV
export UV_SYSTEM_CERTS=1
home=build/localstack
uv=build/tools/bin/uv

find_python() { # the first interpreter of version 3.13
  local candidate
  for candidate in "${PYTHON_LOCALSTACK:-}" python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.base_prefix + "/bin/python3.13")'
      return
    fi
  done
  "$uv" python find 3.13 2>/dev/null || true
}

skip() {
  echo "test-localstack is skipped: $1"
  exit 0
}

want=$(sha256sum <requirements/localstack.lock | cut -c1-16)
if [ "$(cat $home/venv/.stamp 2>/dev/null)" != "$want" ]; then
  python=$(find_python)
  [ -n "$python" ] || skip "LocalStack 4.14.0 needs Python 3.13, and none was found (PYTHON_LOCALSTACK names one)."
  began=$SECONDS
  rm -rf $home
  mkdir -p $home
  "$uv" venv -q --no-project --python "$python" $home/venv
  "$uv" pip install -q --python $home/venv/bin/python --require-hashes -r requirements/localstack.lock ||
    skip "its packages could not be had from the package index (see above)."
  echo "$want" >$home/venv/.stamp
  echo "LocalStack 4.14.0 installed below $home in $((SECONDS - began)) s"
fi
# our plug-ins: LocalStack finds them by the entry points of a distribution, and of two the one found last counts
info=$home/plugins/perennial_localstack-0.dist-info
mkdir -p $info
printf 'Metadata-Version: 2.1\nName: perennial-localstack\nVersion: 0\n' >$info/METADATA
cp tests/localstack/plugin/entry_points.txt $info/
echo "$PWD/$home/plugins" >$home/venv/lib/python3.13/site-packages/perennial_localstack.pth
exec .venv/bin/python -m pytest -q tests/target --target localstack "$@"
