// Package datastore opens, pings, migrates and closes the two kinds of store.
// It holds no query of the service: those stand with the concept they belong to.
package datastore
