#!/usr/bin/env bash
# The main job in containers: starts compose/demo.yaml, sends it a report, waits for the last event, says where to look.
# COMPOSE names another compose program (docker-compose), REPORT another report.
set -euo pipefail
cd "$(dirname "$0")/.."
compose=${COMPOSE:-docker compose}
report=${REPORT:-deploy/demo/2026-11-20-scan_rdp-demo.csv}

if ! ${DOCKER:-docker} image inspect "${INTELMQ_IMAGE:-intelmq:latest}" >/dev/null; then
  echo "error: there is no image ${INTELMQ_IMAGE:-intelmq:latest} yet; make it: make image" >&2
  exit 69
fi
compose/secrets.sh
echo "== starting compose/demo.yaml, from the end of the graph to its beginning"
begin=$(date +%s%N)
$compose -f compose/demo.yaml up -d --wait --wait-timeout 120
echo "ready after $((($(date +%s%N) - begin) / 1000000)) ms"

# The token comes in a file, so that no list of processes shows it.
call() {
  local token=compose/secrets/$1-token
  shift
  curl -sS --fail-with-body -H @<(printf 'Authorization: Bearer %s' "$(<$token)") "$@"
}
metric() {
  call read "http://127.0.0.1:$1/metrics" | awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'
}
count() {
  dropped=$(metric 8704 intelmq_events_dropped_total)
  stored=$(metric 8705 intelmq_events_sent_total)
  dead=$(metric 8701 intelmq_events_dead_lettered_total)
}

count
rows=$(($(wc -l <"$report") - 1))
goal=$((dropped + stored + dead + rows))
echo
echo "== sending $report ($rows rows) to the parser"
begin=$(date +%s%N)
call data --data-binary @"$report" "http://127.0.0.1:8701/v1/reports?file_name=$(basename "$report")"

deadline=$((SECONDS + 60))
until count && [ $((dropped + stored + dead)) -ge $goal ]; do
  if [ $SECONDS -ge $deadline ]; then
    echo "error: after 60 s there are $stored events stored, $dropped dropped and $dead dead letters, wanted $goal in all;" \
      "see: $compose -f compose/demo.yaml logs" >&2
    exit 1
  fi
  sleep 0.05
done
end=$(date +%s%N)

echo
echo "== where the events went since the containers have started"
for node in 8701:shadowserver 8702:asn-lookup 8703:taxonomy 8704:deduplicator; do
  printf '%-14s %8d received\n' "${node#*:}" "$(metric "${node%:*}" intelmq_events_received_total)"
done
printf '%-14s %8d\n' '  duplicates' "$dropped" store "$stored" 'dead letters' "$dead"
echo "$rows rows in $(((end - begin) / 1000000)) ms from the first byte sent to the last event stored"

cat <<END

== look further
curl -H "Authorization: Bearer \$(cat compose/secrets/data-token)" http://127.0.0.1:8702/v1/lookup/192.0.2.1
curl -H "Authorization: Bearer \$(cat compose/secrets/read-token)" http://127.0.0.1:8705/metrics
http://127.0.0.1:9090/targets        (Prometheus)
$compose -f compose/demo.yaml cp store:/var/lib/intelmq var/store     (then: sqlite3 var/store/events.sqlite)
$compose -f compose/demo.yaml exec shadowserver intelmq shadowserver-parser dead-letters --config /etc/intelmq/config.yaml
$compose -f compose/demo.yaml logs -f
stop: $compose -f compose/demo.yaml down      (what is stored stays; also remove that: down --volumes)
END
