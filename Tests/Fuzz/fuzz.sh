#!/bin/bash
# Builds the fuzz targets and runs each for so many seconds: fuzz.sh [SECONDS [TARGET…]]
# Corpora that grow are kept in .build-fuzz, the small ones that all begin with in seeds/. Exit code 1: an input was found that
# ends the process, takes more than ten seconds or more than 2 GiB; the last lines say how to run it again.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
shift || true
store=.build-fuzz
program=$store/release/fuzz
# The address sanitizer ends Swift's own crash reports half way, and their helper then waits for ever.
export SWIFT_BACKTRACE=enable=no
# Tasks of a service may still be at work when the process ends, so what they hold is no leak.
export ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v llvm-symbolizer || echo)}

mkdir -p "$store"
# Of several sanitizers the Swift compiler takes the last option only, so both stand in one; --sanitize is for the C++ parts. The
# other linker knows the sanitizer's symbols.
if ! INTELMQ_FUZZ=1 swift build -c release --product fuzz --scratch-path "$store" --sanitize fuzzer --sanitize address \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld --disable-index-store >"$store/build.log" 2>&1; then
    tail -40 "$store/build.log"
    echo "error: the fuzz targets do not build; all of it: $store/build.log"
    exit 1
fi

failed=0
for target in ${*:-$("$program")}; do
    corpus=$store/corpus/$target
    found=$store/crashes/$target
    log=$store/$target.log
    mkdir -p "$corpus" "$found"
    began=$(mktemp)
    "$program" "$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -report_slow_units=1 -max_len=65536 \
        -artifact_prefix="$found/" -print_final_stats=1 "$corpus" "Tests/Fuzz/seeds/$target" >"$log" 2>&1
    code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cover=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    new=$(find "$found" -type f -newer "$began" ! -name 'slow-unit-*' | sort)
    slow=$(find "$found" -type f -newer "$began" -name 'slow-unit-*' | wc -l)
    rm -f "$began"
    printf '%-8s %9s runs  coverage %6s  peak %5s MB  slow %s  crashes %s\n' \
        "$target" "${runs:-?}" "${cover:-?}" "${peak:-?}" "$slow" "$(printf '%s' "$new" | grep -c .)"
    if [ $code -ne 0 ] || [ -n "$new" ]; then
        failed=1
        grep -m1 -E 'Fatal error|ERROR: |SUMMARY: ' "$log"
        for input in $new; do
            echo "  input: $PWD/$input"
            echo "  again: SWIFT_BACKTRACE=enable=no $PWD/$program $target $PWD/$input"
        done
        [ -n "$new" ] || echo "  the program ended with code $code: $PWD/$log"
    fi
done
exit $failed
