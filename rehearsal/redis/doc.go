// Package redis is the shop's own queues on the wire of Redis 7, RESP2:
//
//	waiting:{sale}  sorted set  who waits in front of the room
//	inside:{sale}   sorted set  who is on the site
//	rate:{sale}     string      people per minute whom the gate is told to let in
//	orders:{sale}   stream      the messages of paid orders, taken by the consumer group "workers", which
//	                            deletes what it has dealt with and has one consumer; an entry's id is its number
//
// A sorted set is gone with its last member. One user may log in, and has the rights
//
//	resetkeys ~waiting:* ~inside:* ~rate:* ~orders:* -@all +llen +scard +zcard +xlen +xinfo +exists +getrange
//
// so that everything else, above all every command that writes, is refused with NOPERM. HELLO, AUTH
// and QUIT need no right, as in Redis itself. There is one database.
package redis
