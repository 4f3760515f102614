#!/usr/bin/env bash
# Lists invoices as CSV, has LibreOffice open and save the file in every form
# that people use, and expects the command to choose the same documents by it.
# Needs LibreOffice; run it after `cargo build --features cli`.
set -euo pipefail
cd "$(dirname "$0")/.."

sandbox=${CARGO_TARGET_DIR:-target}/debug/sandbox
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

office() {
    timeout 120 soffice "-env:UserInstallation=file://$folder/profile" --headless "$@" > "$folder/log" 2>&1 ||
        { cat "$folder/log"; exit 1; }
}

chosen() {
    "$sandbox" --mock invoices accept --from "$1" --dry-run --format json 2> "$folder/told" ||
        { cat "$folder/told"; exit 1; }
}

"$sandbox" --mock invoices list --status no_action --format csv > "$folder/list.csv"
chosen "$folder/list.csv" > "$folder/expected.json"
documents=$(grep -c '"number"' "$folder/expected.json")
[ "$documents" -gt 5 ] || { echo "only $documents documents are listed"; exit 1; }

mkdir "$folder/saved"
# The separator by its code, a double quote, the encoding (76 is UTF-8, 1 Windows-1252, 65535 UTF-16).
for form in xlsx ods xls "csv:Text - txt - csv (StarCalc):44,34,76" "csv:Text - txt - csv (StarCalc):59,34,1" \
    "csv:Text - txt - csv (StarCalc):9,34,65535"; do
    office --infilter="CSV:44,34,76,1" --convert-to "$form" --outdir "$folder/saved" "$folder/list.csv"
    saved=$folder/saved/list.${form%%:*}
    chosen "$saved" > "$folder/actual.json"
    diff "$folder/expected.json" "$folder/actual.json" || { echo "saved as $form it names other documents"; exit 1; }
done
echo "LibreOffice saved $documents documents in six forms, and each names the same"
