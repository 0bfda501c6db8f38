#!/usr/bin/env bash
# Fails when the Helm chart does not render what it should, with Helm 3 and with Helm 4.
#   tests/deploy/chart.sh BUILD    the folder with idv-gateway, which checks the configurations
set -euo pipefail
build=$(realpath "${1:?"the folder with idv-gateway"}")
cd "$(dirname "$0")/../.."

tools=build/tools # see deploy/setup.sh
for helm in helm3 helm4; do
  if ! "$tools/$helm" version >/dev/null 2>&1; then
    echo "SKIPPED deploy.chart: $helm is not installed"
    exit 77
  fi
done
if ! "$tools/bin/python" -c 'import kubernetes_validate, yaml' 2>/dev/null; then
  echo "SKIPPED deploy.chart: kubernetes-validate is not installed"
  exit 77
fi
export IDV_GATEWAY=$build/idv-gateway
exec "$tools/bin/python" -B -m unittest discover --start-directory tests/deploy --pattern 'chart_*_test.py'
