#!/usr/bin/env bash
# Opens the page of `sandbox sweep --report` in a headless browser: the script
# runs under the page's own policy, a picture is taken, and no request leaves
# the page. Needs chromium; run it after `cargo build --features cli`.
#
#   tests/report_page.sh [folder for report.html and report.png]
set -euo pipefail
cd "$(dirname "$0")/.."

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "skipped: no chromium on this machine"
    exit 0
fi
folder=${1:-$(mktemp -d)}
page=$folder/report.html
status=0
"${CARGO_TARGET_DIR:-target}/debug/sandbox" --mock --mock-taxpayers 60 --mock-faults expired,503 \
    sweep --report "$page" > /dev/null 2>&1 || status=$?
[ "$status" -eq 7 ] || { echo "the sweep ended with $status"; exit 1; }

headless() {
    "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
        --virtual-time-budget=3000 "$@" 2> "$folder/browser.log"
}

# A copy that uses itself: searches, sorts by the total twice, and tells what it sees.
probe=$folder/probe.html
{
    cat "$page"
    cat << 'SCRIPT'
<script>
const told = [];
const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
const visible = () => rows.filter((row) => !row.hidden).length;
told.push("rows " + rows.length);
type("new otp"); told.push("searched " + visible()); type("");
const total = document.querySelectorAll("th button")[6];
total.click(); told.push("largest " + body.rows[0].cells[7].textContent);
total.click(); told.push("smallest " + body.rows[0].cells[7].textContent);
told.push("requests " + performance.getEntriesByType("resource").length);
document.title = told.join("; ");
</script>
SCRIPT
} > "$probe"
title=$(headless --dump-dom "file://$probe" | sed -n 's:.*<title>\(.*\)</title>.*:\1:p')
expected="rows 60; searched 9; largest 87; smallest ; requests 0"
[ "$title" = "$expected" ] || { printf 'the page tells:  %s\nit should tell: %s\n' "$title" "$expected"; exit 1; }

headless --window-size=1200,1600 --screenshot="$folder/report.png" "file://$page"
headless --print-to-pdf="$folder/report.pdf" --no-pdf-header-footer "file://$page"
[ -s "$folder/report.png" ] && [ -s "$folder/report.pdf" ]
echo "1 passed, 0 failed"
