#!/usr/bin/env bash
# Whether what is answered is what is documented: every OpenAPI document is valid, and a running gateway and a worker
# behind it keep to theirs, whatever they are sent.
# usage: contract.sh INTELMQ    (from the root of the source tree; needs python3-venv and the network once, for PyPI)
set -euo pipefail
intelmq=$(realpath "$1")
tools=.build-contract
if ! cmp -s Tests/Contract/requirements.txt $tools/requirements.txt; then
  rm -rf $tools
  python3 -m venv $tools
  $tools/bin/pip install -q -r Tests/Contract/requirements.txt
  cp Tests/Contract/requirements.txt $tools/
fi

place=$(mktemp -d)
finish() {
  local code=$?
  "$intelmq" ctl down --directory "$place/var" >/dev/null 2>&1 || true
  [ $code = 0 ] || tail -n 20 "$place"/var/log/gateway.log 2>/dev/null || true
  rm -rf "$place"
}
trap finish EXIT

# The example workflow on ports of its own. Whoever looks may not change: 403 is what the contract says then.
port=${CONTRACT_PORT:-18740}
graph=$place/graph.yaml
sed -e "s#var/events.sqlite#$place/events.sqlite#" openapi/workflows/shadowserver.yaml > "$graph"
for n in 0 1 2 3 4 5; do sed -i "s#127.0.0.1:870$n#127.0.0.1:$((port + n))#" "$graph"; done
mkdir -p "$place/var/etc"
for name in look operate; do openssl rand -hex 32 > "$place/$name"; done
cat > "$place/var/etc/gateway.yaml" <<CONFIGURATION
settings: {directory: $place/var, graph: $graph}
tokens:
  - {file: $place/look, roles: [data, read]}
  - {file: $place/operate, roles: [operate]}
CONFIGURATION
"$intelmq" ctl up "$graph" --directory "$place/var" --gateway > /dev/null
gateway=http://127.0.0.1:$port

mkdir "$place/schemas"
cp openapi/schemas/*.json "$place/schemas/"
curl -sS --fail "$gateway/openapi.json" > "$place/composed.json"
echo "valid documents:"
$tools/bin/openapi-spec-validator "$place/composed.json" openapi/*.json openapi/workflows/*.yaml > "$place/valid" || { cat "$place/valid"; exit 1; }
grep -c ': OK$' "$place/valid"

# One worker: with threads, Python before 3.11.8 now and then fails in ast.parse (python/cpython#106905).
# not_a_server_error is left to status_code_conformance: 503 is documented where a node may be away.
st() {
  $tools/bin/schemathesis run "$@" --seed 20261122 --generation-database none \
    --checks status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance \
    --suppress-health-check all --no-color --workers 1 > "$place/st.log" 2>&1 || { cat "$place/st.log"; exit 1; }
  grep -E '^  (Selected|Tested):|generated' "$place/st.log"
}
echo "the gateway, and the nodes behind it, to whom may look:"
st "$gateway/openapi.json" --header "Authorization: Bearer $(cat "$place/look")" --phases coverage,fuzzing --max-examples 5 \
  --exclude-path-regex '/v1/packets$|/tap$|/logs$' \
  --include-path-regex '^/(livez|readyz|metrics|openapi|schemas)|^/v1/|^/asn-lookup/'
echo "the graph, to whom may change it:"
st "$gateway/openapi.json" --header "Authorization: Bearer $(cat "$place/operate")" --phases coverage,fuzzing --max-examples 10 \
  --include-path-regex '^/v1/(graph|generations|checks|pause|resume)'
"$intelmq" ctl resume --directory "$place/var" > /dev/null
# The schema of packets has thousands of corners; each of them is a test of the decoder already.
echo "the intake, with packets:"
st "$gateway/openapi.json" --header "Authorization: Bearer $(cat "$place/look")" --phases fuzzing --max-examples 5 \
  --include-path-regex '^/v1/packets$'
echo "a worker by its own document:"
st openapi/asn-lookup-expert.json --url "http://127.0.0.1:$((port + 2))" --phases coverage,fuzzing --max-examples 10 \
  --exclude-path-regex '/v1/packets$'
