package datastore

// Share is what [OpenRedis] does with each client.
func Share(client Redis) { share(client) }
