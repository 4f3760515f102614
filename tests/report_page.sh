#!/usr/bin/env bash
# Opens the page of `sandbox sweep --report` in a headless browser: its script
# runs under the page's own policy, it asks for nothing, its bars have the
# widths that their numbers say, and a picture of it shows them. Needs
# chromium; run it after `cargo build --features cli`.
#
#   tests/report_page.sh [folder for report.html, report.png and report.pdf]
set -euo pipefail
cd "$(dirname "$0")/.."

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no chromium on this machine; on Debian: apt-get install chromium"
    exit 1
}
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

page=$folder/report.html
status=0
"${CARGO_TARGET_DIR:-target}/debug/sandbox" --mock --mock-taxpayers 60 --mock-faults expired,503 \
    sweep --report "$page" > /dev/null 2>&1 || status=$?
[ "$status" -eq 7 ] || { echo "the sweep ended with $status"; exit 1; }

headless() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
        --user-data-dir="$profile" --virtual-time-budget=3000 "$@" 2> "$folder/browser.log"
}

# What a page tells in its title, against what it should.
expect() {
    local title
    title=$(headless --window-size=1200,1600 --dump-dom "file://$1" | sed -n 's:.*<title>\(.*\)</title>.*:\1:p')
    [ "$title" = "$2" ] || { printf '%s tells: %s\nit should tell: %s\n' "$1" "$title" "$2"; exit 1; }
}

# A copy that uses itself: searches, sorts by the total twice, measures its
# bars, and tells what it sees.
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
const statuses = ["none", "pending", "accepted", "rejected"];
let parts = 0, wrong = 0;
for (const bar of document.querySelectorAll(".bar")) {
  const row = bar.closest("tr"), whole = bar.getBoundingClientRect().width;
  statuses.forEach((status, index) => {
    const part = bar.querySelector("." + status);
    const share = Number(row.cells[3 + index].textContent) / Number(row.cells[7].textContent);
    const width = part ? part.getBoundingClientRect().width : 0;
    parts += part ? 1 : 0;
    if (whole < 100 || Math.abs(width - share * whole) > 1) wrong += 1;
  });
}
told.push("parts " + parts + ", wrong " + wrong);
told.push("wider than the window " + (document.documentElement.scrollWidth > innerWidth));
told.push("requests " + performance.getEntriesByType("resource").length);
document.title = told.join("; ");
</script>
SCRIPT
} > "$probe"
expect "$probe" "rows 60; searched 9; largest 87; smallest ; parts 132, wrong 0; wider than the window false; requests 0"

# The page of `sandbox match`: the choice of a verdict and the search narrow together,
# and amounts are sorted as numbers, commas and all.
register=$folder/register.csv
printf '%s\n' 'gstin,number,date,value' '24ABCFG0123H1YZ,PRN-1050,17-10-2024,28600' \
    '24ABCFG0123H1YZ,PRN-1094,25-10-2024,2950' '24ABCFG0123H1YZ,PRN-2000,25-10-2024,142700' > "$register"
matched=$folder/match.html
"${CARGO_TARGET_DIR:-target}/debug/sandbox" --mock match --register "$register" --report "$matched" > /dev/null 2>&1
probe=$folder/match_probe.html
{
    cat "$matched"
    cat << 'SCRIPT'
<script>
const told = [];
const visible = () => rows.filter((row) => !row.hidden).length;
const choose = (verdict) => { filter.value = verdict; filter.dispatchEvent(new Event("change")); };
told.push("rows " + rows.length);
choose("only_at_gstn"); told.push("chosen " + visible() + " " + shown.textContent);
search.value = "amd2"; search.dispatchEvent(new Event("input")); told.push("both " + visible());
search.value = ""; choose(""); told.push("all " + visible());
document.querySelectorAll("th button")[4].click();
told.push("largest " + body.rows[0].cells[4].textContent);
told.push("requests " + performance.getEntriesByType("resource").length);
document.title = told.join("; ");
</script>
SCRIPT
} > "$probe"
expect "$probe" "rows 13; chosen 10 10 of 13; both 2; all 13; largest 1,42,700.00; requests 0"

headless --window-size=1200,1600 --screenshot="$folder/report.png" "file://$page"
headless --print-to-pdf="$folder/report.pdf" --no-pdf-header-footer "file://$page"
[ -s "$folder/report.pdf" ] || { echo "nothing to print"; exit 1; }

# The picture, read by the browser itself: each status is there in its colour,
# in the order of the totals, and the rest is neither blank nor a single colour.
picture=$folder/picture.html
{
    printf '<title>not read</title><img id="picture" src="data:image/png;base64,'
    base64 < "$folder/report.png" | tr -d '\n'
    cat << 'SCRIPT'
">
<script>
const picture = document.querySelector("#picture");
addEventListener("load", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const count = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    count.set(colour, (count.get(colour) || 0) + 1);
  }
  const [none, pending, accepted, rejected, white] =
    [0xd1495b, 0xedae49, 0x2e86ab, 0x7a7a8c, 0xffffff].map((colour) => count.get(colour) || 0);
  document.title = [
    "size " + canvas.width + "x" + canvas.height,
    "bars " + (none > accepted && accepted > pending && pending > 1000 && rejected > 1000),
    "text " + (count.size > 50),
    "mostly white " + (white / (canvas.width * canvas.height) > 0.5),
  ].join("; ");
});
</script>
SCRIPT
} > "$picture"
expect "$picture" "size 1200x1600; bars true; text true; mostly white true"
echo "2 passed, 0 failed: $folder/report.png, $folder/match.html"
