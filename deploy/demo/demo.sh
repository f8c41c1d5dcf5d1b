#!/usr/bin/env bash
# The main job on this machine: a Shadowserver report becomes enriched, stored events through five services.
set -euo pipefail
intelmq=$1
report=deploy/demo/2026-11-20-scan_rdp-demo.csv
workflow=openapi/workflows/shadowserver.yaml
db=var/events.sqlite

"$intelmq" ctl down >/dev/null
rm -rf var && mkdir -p var
echo "== starting the workflow of $workflow, each worker a process of its own"
"$intelmq" ctl up $workflow

rows=$(($(wc -l <$report) - 1))
echo
echo "== sending $report ($rows rows) to the parser"
begin=$(date +%s%N)
curl -sS --fail-with-body --data-binary @$report "http://127.0.0.1:8701/v1/reports?file_name=$(basename $report)"

metric() { curl -s "http://127.0.0.1:$1/metrics" | awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'; }
deadline=$((SECONDS + 60))
until dropped=$(metric 8704 intelmq_events_dropped_total) && stored=$(metric 8705 intelmq_events_sent_total) &&
  dead=$(metric 8701 intelmq_events_dead_lettered_total) && [ $((dropped + stored + dead)) -ge "$rows" ]; do
  if [ $SECONDS -ge $deadline ]; then
    echo "error: after 60 s only $stored events are stored and $dropped dropped of $rows; see var/log/" >&2
    exit 1
  fi
  sleep 0.02
done
end=$(date +%s%N)

echo
echo "== where the events went"
printf '%-14s %8d events received\n' parser "$(metric 8701 intelmq_events_received_total)"
printf '%-14s %8d events received\n' asn-lookup "$(metric 8702 intelmq_events_received_total)" taxonomy "$(metric 8703 intelmq_events_received_total)"
printf '%-14s %8d events received, %d of them duplicates\n' deduplicator "$(metric 8704 intelmq_events_received_total)" "$dropped"
printf '%-14s %8d events stored\n' store "$stored"
printf '%-14s %8d\n' 'dead letters' "$dead"
milliseconds=$(((end - begin) / 1000000))
echo "$rows rows in $milliseconds ms from the first byte sent to the last event stored"

echo
echo "== three of them"
sqlite3 $db "SELECT event FROM events WHERE source_asn IS NOT NULL ORDER BY id LIMIT 3"

cat <<END

== look further
sqlite3 $db "SELECT source_as_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
sqlite3 $db "SELECT time, source_ip, source_asn, taxonomy, type FROM events LIMIT 10"
curl http://127.0.0.1:8702/v1/lookup/192.0.2.1
curl http://127.0.0.1:8702/v1/lookup/192.0.2.1/source.as.number
curl http://127.0.0.1:8705/metrics
logs: var/log/    configuration: var/etc/config.d/
stop: make stop
END
