#!/usr/bin/env bash
# scripts/test_lane.sh LANE PYTEST-ARGUMENT...: the tests of a lane, in front of the packages of its own environment.
# Says why it is skipped where these cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
lane=$1
shift
scripts/lane.sh "$lane" || {
  [ $? = 69 ] || exit 1
  echo "test-$lane is skipped: its packages cannot be had here (see above)."
  exit 0
}
exec .venv/bin/python -m pytest -q "$@"
