#!/usr/bin/env bash
# A cold build of a program that depends on this crate, and of one that depends
# on the newest octocrab, a client of similar scope: crates, and seconds of
# processor time. Both with default features, dev profile, in turns.
#
#   benches/octocrab.sh [rounds]
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-2}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CARGO_INCREMENTAL=0 RUSTFLAGS=
unset CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG

# program NAME DEPENDENCY
program() {
    mkdir -p "$folder/$1/src"
    echo 'fn main() {}' >"$folder/$1/src/main.rs"
    printf '[package]\nname = "program"\nedition = "2024"\n[workspace]\n[dependencies]\n%s\n' "$2" >"$folder/$1/Cargo.toml"
    (cd "$folder/$1" && cargo fetch --quiet)
}
program sandbox-client "sandbox-client = { path = \"$PWD\" }"
program octocrab 'octocrab = "*"'

echo '| program with | version | crates | processor, by round |'
echo '| --- | --- | ---: | --- |'
declare -A seconds
TIMEFORMAT='%U %S'
for _ in $(seq "$rounds"); do
    for name in sandbox-client octocrab; do
        cd "$folder/$name"
        rm -rf target
        used=$({ time cargo build --quiet --offline; } 2>&1 | tail -1)
        seconds[$name]+=$(awk '{ printf "%.0f s  ", $1 + $2 }' <<<"$used")
    done
done
for name in sandbox-client octocrab; do
    cd "$folder/$name"
    # Normal and build dependencies for this machine, without the program itself.
    crates=$(cargo tree --offline -e normal,build --prefix none | sed 's/ (\*)$//' | sort -u | grep -vc '^program ')
    version=$(cargo tree --offline --depth 1 --prefix none | sed -n "s/^$name v\([0-9.]*\).*/\1/p")
    echo "| $name | $version | $crates | ${seconds[$name]} |"
done
