// Package deploy holds no code: beside it lie the scripts that docker-compose.yml
// and "make env" use, a composition for a machine of its own (compose) and the manifests
// for Kubernetes (k8s, whose tests are a module of their own). Its tests hold what can be
// held without a container engine. They read the pipelines for what those may do, decode
// the compositions strictly, fill them with what make-env.sh
// writes, load the result with package config as the server would, and run the
// script that makes the databases against a real Postgres.
//
// Limits: no image is built and no container started here. That the official
// images run read-only, without capabilities and under the users that are named is
// what their documentation says, not what these tests saw.
package deploy
