package shop

// Line is what the shop itself keeps of a sale's queues, in whole people and messages, as it stands now.
type Line struct {
	Waiting, Inside int
	Rate            int // people per minute whom the gate is told to let in
	Orders          int // messages in the order queue that no worker took yet
	InFlight        int // messages that a worker took and has not dealt with
	Taken           int // messages that workers ever took
}

// Line returns the queues of one sale; ok is false for an unknown one.
func (w *World) Line(sale string) (l Line, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byID[sale]
	if !ok {
		return Line{}, false
	}
	return Line{
		Waiting: int(s.now.Queue), Inside: int(s.now.Active), Rate: int(s.now.Limit),
		Orders: int(s.now.Depth), InFlight: min(int(s.now.InFlight), int(s.taken)), Taken: int(s.taken),
	}, true
}
