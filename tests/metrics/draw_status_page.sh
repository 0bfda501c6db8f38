#!/usr/bin/env bash
# Draws the status page of each sample, 1280 and 390 px wide, light and dark, as PNG files to look at. Needs Debian's
# chromium, and build/idv_print_status_page.
#   [height=PIXELS] tests/metrics/draw_status_page.sh FOLDER [SAMPLE.json...]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(realpath "${1:?the folder for the pictures}")
shift
samples=("$@")
((${#samples[@]})) || samples=("$here"/status_page_samples/*.json)

for sample in "${samples[@]}"; do
  name=$(basename "$sample" .json)
  page=$folder/$name.html
  "$here/../../build/idv_print_status_page" <"$sample" >"$page"
  # A window cannot be as narrow as a phone; a frame in it can.
  for width in 1280 390; do
    frame=$folder/$name-$width.html
    echo "<style>body{margin:0}</style><iframe src='$name.html' style='border:0;width:${width}px;height:100vh'>" >"$frame"
    for scheme in light dark; do
      dark=()
      [[ "$scheme" == light ]] || dark=(--blink-settings=preferredColorScheme=0)
      chromium --headless --no-sandbox --disable-gpu --hide-scrollbars "${dark[@]}" \
        --window-size="$((width < 500 ? 500 : width)),${height:-2400}" --screenshot="$folder/$name-$width-$scheme.png" "file://$frame" 2>/dev/null
    done
    rm "$frame"
  done
done
