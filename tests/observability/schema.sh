#!/usr/bin/env bash
# Fails when a dashboard does not fit Grafana's schema.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=build/tools/bin/python # see deploy/setup.sh
if ! "$python" -c 'import grafana_foundation_sdk' 2>/dev/null; then
  echo "SKIPPED checks.dashboards: grafana-foundation-sdk is not installed"
  exit 77
fi
exec "$python" -B tests/observability/schema.py
