#!/usr/bin/env bash
# Fails when a dashboard is not what its source says, or dashboards, rules and runbooks do not hold together.
set -euo pipefail
cd "$(dirname "$0")/../.."

result=0
/usr/bin/python3 -B deploy/grafana/generate.py --check || result=1
/usr/bin/python3 -B tests/observability/check_dashboards.py || result=1
exit "$result"
