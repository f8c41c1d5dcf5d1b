#!/usr/bin/env bash
# Proves the container image and the stacks with a real Docker engine: the one that runs, or one of its own (root only).
# Where no engine can start it says so, and only lints and validates.
#
#   prove.sh PROGRAM     packs a program that was built before (on Debian 12, static Swift runtime)
#   prove.sh --source    builds it in the image's first stage, as the Containerfile says (a quarter of an hour)
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/image/engine.sh
program=${1:?prove.sh PROGRAM or prove.sh --source}
export INTELMQ_IMAGE=intelmq:proof
files=$(mktemp -d)
stacks="minimal demo"

finish() {
  for stack in $stacks; do $inside $COMPOSE -f "compose/$stack.yaml" down -v -t 5 >/dev/null 2>&1 || true; done
  clean_engine
  rm -rf "$files"
}

fail() {
  echo "error: $*" >&2
  exit 1
}

not_proven() {
  echo "NOT PROVEN: no Docker engine can run here; $*."
  exit 0
}

call() { $inside curl -sS -H "Authorization: Bearer $(<"compose/secrets/$1-token")" "${@:2}"; }
metric() {
  call read "http://127.0.0.1:$1/metrics" | awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'
}
demo() { $inside $COMPOSE -f compose/demo.yaml "$@"; }

# until_true SECONDS WHAT COMMAND…
until_true() {
  local deadline=$((SECONDS + $1))
  until "${@:3}" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "not within $1 s: $2"
    sleep 0.05
  done
}

tools
trap finish EXIT
compose/secrets.sh

say "hadolint"
hadolint deploy/image/*Containerfile
echo passed

say "the stacks follow the schema of the compose specification"
for stack in $stacks; do
  $COMPOSE -f "compose/$stack.yaml" config -q
  # A validator that takes everything would prove nothing.
  sed 's/read_only: true/read_onyl: true/' "compose/$stack.yaml" >"$files/wrong.yaml"
  if $COMPOSE --project-directory compose -f "$files/wrong.yaml" config -q 2>/dev/null; then fail "a misspelt member is taken"; fi
  echo "compose/$stack.yaml"
done

say "engine"
find_engine || not_proven "the Containerfile was linted and the stacks were validated; nothing was run"
$DOCKER version --format '{{.Server.Version}}, {{.Server.KernelVersion}}'
base debian:bookworm-slim make_debian
base prom/prometheus:v2.53.3 make_prometheus

say "building the image"
begin=$(milliseconds)
if [ "$program" = --source ]; then
  base swift:6.3-bookworm make_swift
  program=
fi
# The build's packages come over this machine's network.
if ! make -s image DOCKER="$DOCKER" IMAGE=$INTELMQ_IMAGE PREBUILT="$program" DOCKER_FLAGS="--network=host --progress=plain" \
  >"$files/build.log" 2>&1; then
  tail -30 "$files/build.log"
  fail "the image cannot be built"
fi
size=$($DOCKER image inspect --format '{{.Size}}' $INTELMQ_IMAGE)
echo "$((size / 1000000)) MB after $((($(milliseconds) - begin) / 1000)) s"
[ "$size" -lt 100000000 ] || fail "the image is larger than 100 MB"
engine run || not_proven "the image was built; nothing was run"

say "an open door without a token is refused"
sed '/^tokens:/,/roles/d' compose/minimal/asn-lookup.yaml >"$files/open.yaml"
chmod 755 "$files"
code=0
$DOCKER run --rm --network=none -v "$files/open.yaml:/etc/intelmq/config.yaml:ro" \
  -v "$PWD/deploy/demo/asn.mmdb:/usr/share/intelmq/asn.mmdb:ro" $INTELMQ_IMAGE || code=$?
[ $code = 78 ] || fail "exit code $code, wanted 78"

say "compose/minimal.yaml"
$inside $COMPOSE -f compose/minimal.yaml create 2>/dev/null
container=$($DOCKER ps -aq --filter name=intelmq-minimal)
begin=$(milliseconds)
$DOCKER start "$container" >/dev/null
until_true 30 "the look-up service is ready" $inside curl -sf http://127.0.0.1:8702/readyz
ready=$(milliseconds)
started=$(date -d "$($DOCKER inspect --format '{{.State.StartedAt}}' "$container")" +%s%N)
echo "takes requests $((ready - started / 1000000)) ms after its start, $((ready - begin)) ms after \`docker start\`"
until_true 10 "statusd calls it ready" $DOCKER exec "$container" intelmq statusd health --config /etc/intelmq/config.yaml
echo "statusd's health check: ready $(($(milliseconds) - started / 1000000)) ms after the start"
[ "$(call data http://127.0.0.1:8702/v1/lookup/192.0.2.1/source.as.number)" = 64496 ] || fail "the look-up answers something else"
[ "$($inside curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8702/v1/lookup/192.0.2.1)" = 401 ] || fail "no token, no 401"
$DOCKER top "$container" -o uid,pid,args
healthy() { [ "$($DOCKER inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; }
until_true 30 "the engine calls it healthy" healthy
$inside $COMPOSE -f compose/minimal.yaml down 2>/dev/null

say "compose/demo.yaml up to the last event"
$inside compose/demo.sh 2>"$files/up.log" || { tail -20 "$files/up.log"; demo logs --tail 20; fail "the demo does not run"; }

say "Prometheus sees all five"
targets_up() {
  [ "$($inside curl -s 'http://127.0.0.1:9090/api/v1/query?query=sum(up)' | grep -o '"[0-9]*"\]' | tr -d '"]')" = 5 ]
}
until_true 30 "five targets are up" targets_up
echo 5

say "stopping everything while 50,000 more rows are on their way, and starting it again"
deploy/demo/make-report.py --seed 7 --rows 50000 --output "$files/2026-11-21-scan_rdp-more.csv"
call data --fail-with-body --data-binary "@$files/2026-11-21-scan_rdp-more.csv" \
  "http://127.0.0.1:8701/v1/reports?file_name=2026-11-21-scan_rdp-more.csv"
waiting=$(metric 8701 intelmq_spool_events)
begin=$(milliseconds)
demo stop 2>/dev/null
echo "acknowledged, about $waiting of them not yet delivered; all stopped after $(($(milliseconds) - begin)) ms"
for container in $($DOCKER ps -aq --filter name=intelmq-demo); do
  $DOCKER inspect --format '{{.Name}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$container"
done | tee "$files/ends"
! grep -v ' 0 false$' "$files/ends" || fail "not every container has stopped by itself"
demo up -d --wait --wait-timeout 120 2>/dev/null
spool_empty() { [ "$(metric 8701 intelmq_spool_events)" = 0 ]; }
until_true 120 "the spool is empty" spool_empty
demo stop 2>/dev/null

say "nothing is lost: as many events as in one process without containers"
demo cp store:/var/lib/intelmq "$files/store" 2>/dev/null
stored=$(sqlite3 "$files/store/events.sqlite" 'SELECT count(*) FROM events')
$DOCKER create --name intelmq-proof $INTELMQ_IMAGE >/dev/null
$DOCKER cp intelmq-proof:/usr/bin/intelmq "$files/intelmq"
$DOCKER rm intelmq-proof >/dev/null
mkdir "$files/var"
ln -s "$PWD/deploy" "$PWD/openapi" "$files"
(cd "$files" && ./intelmq ctl run openapi/workflows/shadowserver.yaml \
  "$OLDPWD/deploy/demo/2026-11-20-scan_rdp-demo.csv" 2026-11-21-scan_rdp-more.csv >/dev/null)
wanted=$(sqlite3 "$files/var/events.sqlite" 'SELECT count(*) FROM events')
echo "$stored stored, $wanted wanted"
[ "$stored" = "$wanted" ] || fail "the counts differ"

say "proven in $SECONDS s"
