#!/usr/bin/env bash
# Proves the manifests on a real node: roll-out, rolling update, scaling, drain and kill under load, and then looks for every event
# that was acknowledged. prove.sh IMAGE.tar   (docker save of the image that deploy/image/Containerfile makes)
# Needs root, on Debian 12; see node.sh. KEEP=1 leaves the node running.
set -euo pipefail
image=$(realpath "${1:?which image? as: prove.sh intelmq-image.tar}")
cd "$(dirname "$0")"
cache=${CACHE:-/var/cache/intelmq-k8s}
work=/var/tmp/intelmq-k8s
space=intelmq-k8s
inside=(nsenter "--net=/run/netns/$space")
kubectl=("${inside[@]}" "$cache/venv/bin/kubectl" --kubeconfig "$work/kubeconfig" -n intelmq)
docker=(/usr/bin/docker -H "unix://$work/docker/sock")
failures=0

now() { date +%s%N; }
seen=0
# How many tries the senders had to repeat since the last time.
repeated() {
  sleep 2
  echo "repeated by the senders meanwhile: $(tail -n "+$((seen + 1))" "$work/load/refused" | sort | uniq -c | awk '{ printf "%s%s × %s %s", separator, $1, $2, $3; separator = ", " } END { if (NR == 0) printf "nothing" }')"
  seen=$(wc -l <"$work/load/refused")
}
step() { echo && echo "== $1" && begun=$(now); }
took() { printf '%s: %d.%d s\n' "$1" $((($(now) - begun) / 1000000000)) $((($(now) - begun) / 100000000 % 10)); }
fail() { echo "FAILED: $1" && failures=$((failures + 1)); }
address() { "${kubectl[@]}" get service "$1" -o jsonpath='{.spec.clusterIP}'; }
# What statusd of a pod or service answers, with the token of the role read.
ask() { "${inside[@]}" curl -s --max-time 5 -H "Authorization: Bearer $(cat overlays/proof/tokens/read)" "http://$1:9080$2"; }
spooled() { ask "$(address shadowserver)" /v1/status | jq -r '.spool.packets // "unknown"'; }
# Everything that is wanted is there, ready, and nothing else is.
settled() {
  local node
  for node in deployment/asn-lookup deployment/taxonomy statefulset/shadowserver statefulset/deduplicator statefulset/store; do
    "${kubectl[@]}" rollout status "$node" --timeout=300s >/dev/null
  done
}
finish() {
  local code=$?
  [ -n "${load:-}" ] && kill "$load" 2>/dev/null && wait "$load" 2>/dev/null
  if [ $code != 0 ] && [ -S "$work/docker/sock" ]; then "${kubectl[@]}" get pods,events 2>/dev/null | tail -40; fi
  [ -n "${KEEP:-}" ] || { ./node.sh stop && rm -rf overlays/proof/tokens; }
}
trap finish EXIT

step "the node"
./node.sh build
./node.sh stop
begun=$(now)
./node.sh start
took "started and ready"
"${kubectl[@]}" version -o json 2>/dev/null | jq -r '"server " + .serverVersion.gitVersion + ", client " + .clientVersion.gitVersion'

step "the image"
name=$("${docker[@]}" load -i "$image" | sed -n 's/^Loaded image: //p' | head -1)
echo "$name, $("${docker[@]}" image inspect "$name" --format '{{.Size}}') bytes"
# The kubelet of 1.20 has no sleep action, and the image has no sleep.
mkdir -p "$work/image"
cp "$work/pause" "$work/image/sleep"
printf 'FROM %s\nCOPY sleep /usr/bin/sleep\n' "$name" >"$work/image/Dockerfile"
for tag in proof next; do
  DOCKER_BUILDKIT=0 "${docker[@]}" build -q --label "tag=$tag" -t "local/intelmq:$tag" "$work/image" >/dev/null
done

step "roll-out"
./tokens.sh overlays/proof
install -d -o 65532 -g 65532 "$work"/volumes/{shadowserver,deduplicator,store}
"$cache/venv/bin/kubectl" kustomize --load-restrictor LoadRestrictionsNone overlays/proof >"$work/proof.yaml"
"${kubectl[@]}" apply -f "$work/proof.yaml" >"$work/log/apply"
./node.sh names
settled
took "five nodes of the workflow applied and available"
"${kubectl[@]}" get pods -o wide --no-headers | awk '{ print "  " $1, $2, $3 }'
for pod in $("${kubectl[@]}" get pods -o name); do
  "${kubectl[@]}" get "$pod" -o json | jq -r '.spec.containers[] | select((.securityContext.readOnlyRootFilesystem and .securityContext.capabilities.drop == ["ALL"]) | not) | .name' | grep . && fail "$pod is not restricted"
done
# Also once it is ready a Service takes a moment until the node's tables know it.
posted() { "${inside[@]}" curl -s --retry 20 --retry-delay 1 --retry-connrefused -o /dev/null -w '%{http_code}' -X POST "$@" "http://$(address store):8080/v1/packets"; }
for line in "$(posted) without a token" "$(posted -H "Authorization: Bearer $(cat overlays/proof/tokens/intake)") with the intake's at the store"; do
  echo "$line"
  [ "${line%% *}" = 401 ] || fail "wanted 401"
done

step "load: reports to the parser, packets to the first expert"
mkdir -p "$work/load"
"${inside[@]}" python3 load.py send "http://$(address shadowserver):8080" "http://$(address asn-lookup):8080" overlays/proof/tokens "$work/load" \
  >"$work/load/words" 2>&1 &
load=$!
sleep 10
echo "$(wc -l <"$work/load/acknowledged") events acknowledged in 10 s"

step "rolling update of the Deployments (another tag of the image)"
"${kubectl[@]}" set image deployment/asn-lookup deployment/taxonomy worker=local/intelmq:next statusd=local/intelmq:next >/dev/null
settled
took "done"
repeated

step "rolling update of the StatefulSets"
"${kubectl[@]}" set image statefulset/shadowserver statefulset/deduplicator statefulset/store worker=local/intelmq:next statusd=local/intelmq:next >/dev/null
settled
took "done"
repeated

step "asn-lookup from 1 replica to 4 and back to 2"
"${kubectl[@]}" scale deployment/asn-lookup --replicas=4 >/dev/null
settled
took "4 replicas are ready"
# Connections to a next hop live a minute at most.
share() { for ip in $("${kubectl[@]}" get pods -l app.kubernetes.io/name=asn-lookup -o jsonpath='{.items[*].status.podIP}'); do
  echo "$ip $(ask "$ip" /v1/status | jq -r '.totals.received')"
done; }
share >"$work/share"
sleep 90
share | awk 'NR == FNR { before[$1] = $2; next } { printf "  %s took %d events in 90 s\n", $1, $2 - before[$1] }' "$work/share" -
begun=$(now)
"${kubectl[@]}" scale deployment/asn-lookup --replicas=2 >/dev/null
settled
until [ "$("${kubectl[@]}" get pods -l app.kubernetes.io/name=asn-lookup --no-headers | wc -l)" = 2 ]; do sleep 0.5; done
took "2 replicas are left"
repeated

step "the store goes away, so that the parser has to keep; then the parser's machine is drained"
"${kubectl[@]}" scale statefulset/store --replicas=0 >/dev/null
until [ -z "$("${kubectl[@]}" get pods -l app.kubernetes.io/name=store --no-headers 2>/dev/null)" ]; do sleep 0.5; done
sleep 10
before=$(spooled)
echo "packets in the spool of shadowserver-0: $before"
begun=$(now)
"${kubectl[@]}" drain n1 --pod-selector=app.kubernetes.io/name=shadowserver --delete-emptydir-data --timeout=120s 2>&1 | grep -i evict || fail "nothing was evicted"
took "drained"
"${kubectl[@]}" uncordon n1 >/dev/null
until "${kubectl[@]}" get pod shadowserver-0 >/dev/null 2>&1; do sleep 0.2; done
"${kubectl[@]}" wait --for=condition=Ready pod/shadowserver-0 --timeout=120s >/dev/null
took "shadowserver-0 is back with its volume"
sleep 3
after=$(spooled)
echo "packets in its spool: $after"
if [ "$before" -lt 1 ] || [ "$after" -lt "$before" ]; then fail "the spool did not come through the drain"; fi
begun=$(now)
"${kubectl[@]}" scale statefulset/store --replicas=1 >/dev/null
settled
until [ "$(spooled)" -le 3 ] 2>/dev/null; do
  [ $(($(now) - begun)) -lt 300000000000 ] || { fail "the spool does not empty: $(spooled)"; break; }
  sleep 0.5
done
took "the store is back and the spool is empty"
repeated

step "kill -9 of every worker"
"${docker[@]}" ps -q --filter name=k8s_worker_ | xargs /usr/bin/docker -H "unix://$work/docker/sock" kill -s KILL >/dev/null
sleep 3
settled
took "all are back"
repeated

step "every pod is deleted by force"
"${kubectl[@]}" delete pods --all --grace-period=0 --force >/dev/null 2>&1
sleep 1
settled
took "all are back"
repeated
sleep 10

step "the end of the load"
kill $load
wait $load || true
load=
cat "$work/load/words"
begun=$(now)
until [ "$(spooled)" = 0 ]; do
  [ $(($(now) - begun)) -lt 300000000000 ] || { fail "the spool does not empty: $(spooled)"; break; }
  sleep 0.5
done
took "the spool is empty"
python3 load.py check "$work/load" "$work/volumes/store/events.sqlite" || fail "an acknowledged event is missing"
status=$(ask "$(address shadowserver)" /v1/status)
echo "dead letters of the parser: $(jq -r '.spool["dead-letters"]' <<<"$status")"
echo "restarts: $("${kubectl[@]}" get pods -o json | jq '[.items[].status.containerStatuses[].restartCount] | add') in the pods there are"

echo
if [ $failures = 0 ]; then echo "passed"; else echo "$failures failed" && exit 1; fi
