#!/usr/bin/env bash
# Fails when promtool has something to say about the rules, or an alert does not do what its tests say.
set -euo pipefail
cd "$(dirname "$0")/../.."

promtool=build/prometheus/usr/bin/promtool # see deploy/setup.sh
"$promtool" check rules --lint-fatal deploy/prometheus/rules.yaml
"$promtool" test rules deploy/prometheus/rules_test.yaml deploy/prometheus/rules_hours_test.yaml
