// Package shop is the rehearsal's world: six ticket sales with their waiting rooms, baskets,
// payments, stock, web hosts, databases, order queues and delivery edges. Load drives everything:
// arrivals fill the room, admission fills the site, the site fills hosts and database, and those
// decide latency and errors.
//
// The model is deterministic: the same seed and the same steps give the same ledger and truth.
// It moves in simulated seconds. The platform takes as many of them per second of wall time as
// its speed says; everything that is observed is then the mean of those steps, so that a rate read
// by anyone is the model's own rate at any speed, while gauges such as stock and queue move at the
// model's pace. At speed 10 the stock therefore falls ten times faster than the order rate says.
//
// The hosts of each sale are a group of machines that can be acted on: instances of EC2 Auto Scaling,
// tasks of ECS or pods of Kubernetes, with their boot times, health checks, scaler and its bounds. Only
// machines that the load balancer sends traffic to carry load. What is planned by the wall clock
// (scheduled actions) is done by the wall clock; all else takes simulated seconds.
//
// The sums that hold in the steady state of the main sale: 800 people a minute let in, staying six
// minutes, are 4,800 on the site; 120 + 0.358 × 4,800 = 1,840 of 2,000 database connections; 30.6 %
// of those let in order 2.4 tickets on average.
package shop
