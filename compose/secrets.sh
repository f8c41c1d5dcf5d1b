#!/usr/bin/env bash
# Makes the secrets of the stacks below compose/secrets/, each once. What is there stays.
set -euo pipefail
cd "$(dirname "$0")"
# The folder keeps other users of this machine out; the files are readable because a container's user has another number.
mkdir -p secrets && chmod 700 secrets
for name in data-token read-token grafana-password; do
  [ -s secrets/$name ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >secrets/$name
  chmod 444 secrets/$name
done
