package webhook

import (
	"strconv"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Budget is the provider's limit of calls.
type Budget struct {
	Calls int // 0: none is known
	Per   time.Duration
}

// Limit counts the calls of a budget, keeps the end of it for a write and its proof, and remembers
// for how long the provider said to wait. Executors that act on one thing share one.
type Limit struct {
	budget  Budget
	mu      sync.Mutex
	made    []time.Time
	blocked time.Time
}

// NewLimit begins to count.
func NewLimit(b Budget) *Limit { return &Limit{budget: b} }

func (l *Limit) String() string {
	return strconv.Itoa(l.budget.Calls) + " calls per " + sale.FormatAge(l.budget.Per)
}

func (l *Limit) take(now time.Time, of use) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.blocked) {
		return l.blocked.Sub(now)
	}
	if l.budget.Calls <= 0 || l.budget.Per <= 0 {
		return 0
	}
	for len(l.made) > 0 && now.Sub(l.made[0]) >= l.budget.Per {
		l.made = l.made[1:]
	}
	most := l.budget.Calls
	switch of {
	case looking:
		most = max(most/2, 1)
	case proving:
		most = max(most-1, 1)
	}
	if len(l.made) >= most {
		return l.budget.Per - now.Sub(l.made[len(l.made)-most])
	}
	l.made = append(l.made, now)
	return 0
}

func (l *Limit) block(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.blocked) {
		l.blocked = until
	}
}
