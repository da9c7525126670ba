// Package redis reads the counts that home-made queues and waiting rooms keep in Redis, or in a server
// that speaks its protocol: how long lists, streams, sets and sorted sets are, how far a stream's
// consumer group is behind, and counters.
//
// One poll is one pipeline of commands that only read and take the same time however much a key
// holds: LLEN, SCARD, ZCARD, XLEN, XINFO GROUPS, EXISTS and GETRANGE of at most 64 bytes.
//
// Redis removes a list or a set with its last member, so an empty one and a misspelt name look the
// same. Such a key is not known unless the query says that it means zero. A group's lag is not known
// before Redis 7, nor where entries were deleted in the middle of the stream
// (redis.io/docs/latest/commands/xinfo-groups).
package redis
