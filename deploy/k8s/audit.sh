#!/bin/sh
# Where what runs differs from these manifests, by the names of its variables and where
# each has its value from; values are not read. Exit code 0 when it does not, for cron.
#
#   audit.sh staging|production [SERVER]
#
# SERVER is the program "server", from PATH if none is named.
set -eu

usage() { echo "usage: audit.sh staging|production [SERVER]" >&2; exit 2; }
[ $# -ge 1 ] && [ $# -le 2 ] || usage
case $1 in staging | production) ;; *) usage ;; esac

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kubectl kustomize "$here/overlays/$1" >"$work/manifest.yaml"
kubectl create --dry-run=client --output json --filename "$work/manifest.yaml" >"$work/manifest.json"
# What a hand has set is in clear in this answer; it goes through a pipe and into no file.
kubectl get deployments --namespace "handoff-$1" --output json | "${2:-server}" config drift -manifest "$work/manifest.json"
