// Package k8s holds no code: beside it lie the manifests, and its tests hold what can be
// held without a cluster.
//
// Both overlays are rendered as "kubectl kustomize" renders them (by the same library),
// and every object is decoded strictly into the types of Kubernetes, so that a field that
// does not exist is a fault. Traefik's objects are decoded into types of our own, which
// know the fields that are used here. And every object must conform to the schema that
// Kubernetes or Traefik publishes (schema_test.go, schemas/): a word that is none and a
// field that is missing are faults, too.
//
// Then the promises are looked for, each as a function from objects to faults
// (pods_test.go, environment_test.go, network_test.go, routes_test.go). What a container
// is given is resolved from the ConfigMaps, filled up with made-up secrets, and loaded by
// package config, as the server will; NetworkPolicies are asked who reaches whom; and the
// script that rolls out is run with a kubectl that writes down what it is told.
// broken_test.go breaks the manifests in every way that a promise is about, and wants it
// to be seen.
//
// # Limits
//
// No cluster has seen these files here. That a name, an address or a label of the cluster
// (Traefik's, Prometheus', the DNS server's, the certificate resolver's) is the right one
// only the cluster knows.
package k8s
