package shop

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/systems"
)

// manager is what Systems Manager keeps for the world.
type manager struct {
	parameters map[string]systems.Parameter
	items      []systems.OpsItem
}

// Each sale's shop reads one parameter: how many people a minute it lets in by its own gate, behind
// the waiting room. GateOpen is no limit.
const (
	GateOpen    = "open"
	gatePattern = `^(open|[0-9]{1,5})$`
	gateEvery   = 30 // simulated seconds between two looks
)

// GateParameter is the name of a sale's parameter.
func GateParameter(sale string) string { return "/shop/" + sale + "/admission-per-minute" }

func newManager(sales []*state, at time.Time) *manager {
	m := &manager{parameters: map[string]systems.Parameter{}}
	for _, s := range sales {
		name := GateParameter(s.ID)
		m.parameters[name] = systems.Parameter{
			Name: name, Value: GateOpen, Kind: "String", DataType: "text", AllowedPattern: gatePattern, Tier: "Standard", Version: 1,
			Description: "people a minute whom the shop lets in, or open", Modified: at.AddDate(0, 0, -9).Truncate(time.Second),
		}
	}
	return m
}

// lookAtGate takes over what the parameter says, as the shop does every half minute.
func (w *World) lookAtGate(s *state) {
	if s.clock%gateEvery != 0 {
		return
	}
	s.ownGate = -1
	if n, err := strconv.Atoi(w.manager.parameters[GateParameter(s.ID)].Value); err == nil {
		s.ownGate = float64(n)
	}
}

// Systems is the world's parameters and OpsItems. It implements systems.Store.
type Systems struct{ w *World }

// Systems returns what Systems Manager keeps.
func (w *World) Systems() *Systems { return &Systems{w} }

var _ systems.Store = (*Systems)(nil)

// Parameter implements systems.Store.
func (s *Systems) Parameter(name string) (systems.Parameter, bool) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	p, ok := s.w.manager.parameters[name]
	return p, ok
}

// PutParameter implements systems.Store.
func (s *Systems) PutParameter(name, who string, put func(p *systems.Parameter, exists bool) error) (systems.Parameter, error) {
	w := s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	was, exists := w.manager.parameters[name]
	p := was
	p.Name = name
	if err := put(&p, exists); err != nil {
		return systems.Parameter{}, err
	}
	p.Version, p.Modified = was.Version+1, w.at
	w.manager.parameters[name] = p
	from, to := was.Value, p.Value
	if p.Kind == "SecureString" {
		from, to = fmt.Sprint("version ", was.Version), fmt.Sprint("version ", p.Version)
	}
	w.log(Entry{At: w.at, Sale: w.saleOf(name), By: "ssm", Who: who, What: name, From: from, To: to})
	return p, nil
}

// saleOf is the sale whose shop reads a parameter, or "".
func (w *World) saleOf(parameter string) string {
	for _, s := range w.sales {
		if GateParameter(s.ID) == parameter {
			return s.ID
		}
	}
	return ""
}

// OpsItems implements systems.Store.
func (s *Systems) OpsItems() []systems.OpsItem {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.w.manager.copies()
}

func (m *manager) copies() []systems.OpsItem {
	out := make([]systems.OpsItem, len(m.items))
	for i, o := range m.items {
		out[i] = cloneItem(o)
	}
	return out
}

func cloneItem(o systems.OpsItem) systems.OpsItem {
	o.Data, o.Notify = maps.Clone(o.Data), slices.Clone(o.Notify)
	return o
}

// PutOpsItem implements systems.Store.
func (s *Systems) PutOpsItem(id, who string, put func(o *systems.OpsItem, all []systems.OpsItem) error) (systems.OpsItem, error) {
	w := s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.manager
	i := slices.IndexFunc(m.items, func(o systems.OpsItem) bool { return o.ID == id })
	if i < 0 && id != "" {
		return systems.OpsItem{}, systems.ErrNoItem
	}
	o := systems.OpsItem{ID: fmt.Sprintf("oi-%012x", 0x5ca1ab1e0000+len(m.items)+1), CreatedBy: who, Created: w.at}
	if i >= 0 {
		o = cloneItem(m.items[i])
	}
	was := o.Status
	if err := put(&o, m.copies()); err != nil {
		return systems.OpsItem{}, err
	}
	o.ModifiedBy, o.Modified, o.Version = who, w.at, o.Version+1
	if i < 0 {
		m.items = append(m.items, o)
	} else {
		m.items[i] = o
	}
	w.log(Entry{At: w.at, By: "ssm", Who: who, What: "opsitem " + o.ID, From: was, To: o.Status + ": " + o.Title})
	return cloneItem(o), nil
}
