#!/bin/sh
# Rolls an image out: settings first, then the migrations, then the halves, each step when
# the one before it has succeeded. What runs keeps running until the new pods are ready, so
# that a step that fails leaves the service as it was.
#
#   rollout.sh staging|production REGISTRY/hello-world-co-op/handoff@sha256:...
#
# It needs kubectl and a kubeconfig, nothing else. docs/operations.md has the rest.
set -eu

usage() { echo "usage: rollout.sh staging|production IMAGE@sha256:DIGEST" >&2; exit 2; }
[ $# -eq 2 ] || usage
case $1 in staging | production) ;; *) usage ;; esac
# By digest alone: a tag can come to mean another image while the pods start.
printf %s "$2" | tr '\n' ' ' | grep -Eqx '[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}' || usage

namespace=handoff-$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Not in one pipe: sh forgets the failure of all but the last command.
kubectl kustomize "$here/overlays/$1" >"$work/template"
no_image='hello-world-co-op/handoff@sha256:0\{64\}'
sed "s|$no_image|$2|" "$work/template" >"$work/manifest"
grep -Fq "image: $2" "$work/manifest" || { echo "rollout.sh: no container has this image" >&2; exit 1; }

# Each half has its migrations; one that runs elsewhere has none here.
halves=$(sed -n 's/^  name: handoff-\([a-z]*\)-migrate$/\1/p' "$work/manifest")
[ -n "$halves" ] || { echo "rollout.sh: nothing to migrate, hence nothing to roll out" >&2; exit 1; }

# Without --force-conflicts: what somebody changed by hand stops the rollout, and is not
# overwritten unseen.
apply() { kubectl apply --server-side --field-manager=handoff-rollout --namespace "$namespace" --filename "$work/manifest" "$@"; }

# Asked before the migrations: else the conflict came when the databases have changed.
apply --dry-run=server --selector app.kubernetes.io/component=server >/dev/null || {
	echo "rollout.sh: nothing was rolled out; for a conflict see docs/operations.md, What a hand has taken" >&2
	exit 1
}

# A finished job cannot be changed into the next one.
kubectl delete job --namespace "$namespace" --selector app.kubernetes.io/component=migrate --ignore-not-found --wait
apply --selector 'app.kubernetes.io/component!=server'

# "kubectl wait" waits for one condition; a job that has failed is told at once here. The
# jobs end by themselves after five minutes.
for half in $halves; do
	job=handoff-$half-migrate
	while :; do
		state=$(kubectl get job "$job" --namespace "$namespace" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
		case $state in
		*Complete*) break ;;
		*Failed*) echo "rollout.sh: $job has failed; nothing was rolled out" >&2; exit 1 ;;
		esac
		sleep 2
	done
done

apply
for half in $halves; do
	kubectl rollout status "deployment/handoff-$half" --namespace "$namespace" --timeout 300s
done
