#!/usr/bin/env bash
# Instructions of one call, by variant. Needs valgrind. Repeats nearly exactly,
# which times do not; what the kernel does is not among them.
#
# The profiles stay in target/callgrind for callgrind_annotate. For lines in
# them, run with CARGO_PROFILE_BENCH_DEBUG=line-tables-only.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

few=500
many=2500
reference=reqwest

bench=$(cargo bench --bench call_overhead --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))/\1/p')
mkdir -p target/callgrind

# What a run of so many calls executes in all.
total() {
    valgrind --tool=callgrind --callgrind-out-file="target/callgrind/$1.$2.out" \
        "$bench" --count "$1" "$2" 2>&1 | sed -n 's/.*Collected : //p'
}

# Start and first connection are in both runs, so the difference is calls alone.
per_call() {
    local all start
    all=$(total "$1" $many)
    start=$(total "$1" $few)
    echo $(((all - start) / (many - few)))
}

base=$(per_call $reference)
printf '| variant | instructions/call | ratio |\n| --- | ---: | ---: |\n'
for variant in hyper reqwest bare sdk; do
    calls=$base
    [ $variant = $reference ] || calls=$(per_call $variant)
    awk -v name=$variant -v calls="$calls" -v base="$base" \
        'BEGIN { printf "| %s | %d | %.3f |\n", name, calls, calls / base }'
done
