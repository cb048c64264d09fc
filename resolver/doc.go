// Package resolver finds out what the DNS says about a client: PTR and address
// look-ups with a cache, and nothing else.
package resolver
