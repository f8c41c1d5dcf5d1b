#!/usr/bin/env bash
# Makes the tokens of an overlay: tokens.sh overlays/demo. Those that are there stay.
#   intake   for whoever sends reports to the workflow       edge      from one node to the next
#   read     for monitoring: status and metrics              operate   for operators: reload, pause, replay
set -euo pipefail
folder=${1:?which overlay? as: tokens.sh overlays/demo}/tokens
umask 077
mkdir -p "$folder"
for name in intake edge read operate; do
  [ -s "$folder/$name" ] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$folder/$name"
done
