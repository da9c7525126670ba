package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/onsale-dev/onsale/rehearsal/alertmanager"
	"github.com/onsale-dev/onsale/rehearsal/inbox"
	"github.com/onsale-dev/onsale/rehearsal/pagerduty"
	"github.com/onsale-dev/onsale/rehearsal/prom"
	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// Options say what is rehearsed and how fast.
type Options struct {
	Seed     uint64        // the same seed gives the same night
	Scenario string        // a name of Scenarios; "" is the calm one
	Speed    float64       // simulated seconds per second, MinSpeed to MaxSpeed; 0 is 1
	Dir      string        // where the files go; "" makes a temporary folder that Stop removes
	Ahead    time.Duration // how much of the scenario's story is over at the start; at most 30 min
	Now      func() time.Time

	history time.Duration // of the sales before the start; 0 is the usual hour
}

// The bounds of Options.Speed.
const (
	MinSpeed = 0.1
	MaxSpeed = 60
)

const (
	history    = time.Hour // of the sales, before the start
	backfill   = 5 * time.Second
	scrape     = time.Second
	retention  = 3 * time.Hour
	maxAhead   = 30 * time.Minute
	tick       = 200 * time.Millisecond
	maxCatchUp = 24 * time.Hour // after a machine slept
)

// Platform is a running rehearsal. Its methods are safe for many goroutines.
type Platform struct {
	options  Options
	now      func() time.Time
	world    *shop.World
	db       *prom.DB
	api      *prom.API
	scraper  *prom.Scraper
	rules    *prom.Rules
	alerts   *alertmanager.Server
	services map[string]*service
	control  *service
	dir      string
	files    []string // written by us, removed by Stop
	ownDir   bool
	secrets  secrets

	certificate *certificate // of the services that speak TLS

	pager  *pagerduty.Server
	slack  *inbox.Slack
	jira   *inbox.Jira
	config []byte

	cancel  context.CancelFunc
	running sync.WaitGroup

	moving sync.Mutex // one step at a time

	mu      sync.Mutex
	speed   float64
	carried float64 // simulated seconds that the next step owes
	dark    darkness
	ended   error
	unhook  func() bool
	stop    sync.Once
	stopErr error
}

// Scenario is a night that can be rehearsed.
type Scenario struct{ Name, Story string }

// Scenarios lists the nights, the default one first.
func Scenarios() []Scenario {
	var out []Scenario
	for _, s := range shop.Scenarios() {
		out = append(out, Scenario{s.Name, s.Story})
	}
	return out
}

// Start plays an hour of history and starts every service on the loopback interface. When it
// returns, all of them answer with complete data. The platform runs until Stop or the end of ctx.
func Start(ctx context.Context, o Options) (*Platform, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.history == 0 {
		o.history = history
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if err := checkSpeed(o.Speed); err != nil {
		return nil, err
	}
	if o.Ahead < 0 || o.Ahead > maxAhead {
		return nil, fmt.Errorf("can't start %s into the story: 0 to %s are possible", o.Ahead, maxAhead)
	}
	if _, ok := shop.Find(o.Scenario); !ok {
		return nil, fmt.Errorf("there is no scenario %q; there are %s", o.Scenario, names(Scenarios()))
	}
	p := &Platform{options: o, now: o.Now, speed: o.Speed, services: map[string]*service{}}
	run, cancel := context.WithCancel(ctx)
	p.cancel = cancel
	if err := p.start(run); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	unhook := context.AfterFunc(ctx, func() {
		if err := p.Stop(); err != nil {
			p.fail(err)
		}
	})
	p.mu.Lock()
	p.unhook = unhook
	p.mu.Unlock()
	return p, nil
}

// rateWindow is how much wall time the admission rate of a night is taken over: a minute, and less
// where more of the night goes by in it, so that an effect is seen as soon as it would be. Shorter
// than ten scrapes a rate is noise.
func rateWindow(speed float64) time.Duration {
	minute := time.Duration(float64(time.Minute) / max(1, speed))
	return max(10*scrape, minute.Truncate(time.Second))
}

// rampEvery is how much wall time a step of a resumed admission has: two minutes of the night, and
// never less than ten seconds, the least that the config takes.
func rampEvery(speed float64) time.Duration {
	return max(10*time.Second, time.Duration(float64(2*time.Minute)/max(1, speed)).Truncate(time.Second))
}

func names(list []Scenario) string {
	out := ""
	for i, s := range list {
		if i > 0 {
			out += ", "
		}
		out += s.Name
	}
	return out
}

func checkSpeed(v float64) error {
	if !(v >= MinSpeed && v <= MaxSpeed) { // written so that NaN fails
		return fmt.Errorf("speed %g is not between %g and %d", v, MinSpeed, MaxSpeed)
	}
	return nil
}

func (p *Platform) start(ctx context.Context) error {
	if err := p.makeDir(); err != nil {
		return err
	}
	var err error
	if p.certificate, err = newCertificate(); err != nil {
		return err
	}
	listeners, err := p.listen()
	if err != nil {
		return err
	}
	served := false
	defer func() {
		if !served {
			for _, ln := range listeners {
				_ = ln.Close() // nothing was accepted yet
			}
		}
	}()
	exposed := shop.NewExposition()
	if p.scraper, err = p.play(exposed); err != nil {
		return err
	}
	if err := p.handlers(exposed); err != nil {
		return err
	}
	if err := p.writeFiles(); err != nil {
		return err
	}
	for s, ln := range listeners {
		s.serve(ln)
	}
	served = true
	p.tellDarkness()
	p.running.Go(func() { p.move(ctx) })
	p.running.Go(func() { p.watchRules(ctx) })
	p.running.Go(func() {
		if err := p.scraper.Run(ctx); err != nil {
			p.fail(err)
		}
	})
	return nil
}

// play makes the world and fills Prometheus with its history.
func (p *Platform) play(exposed *shop.Exposition) (*prom.Scraper, error) {
	var err error
	if p.db, err = prom.OpenDB(filepath.Join(p.dir, "prometheus"), retention); err != nil {
		return nil, err
	}
	metrics := p.services[Metrics]
	scraper := prom.NewScraper(p.db, prom.Target{URL: metrics.url(), Job: "shop", Instance: metrics.addr, Every: scrape, Now: p.now})
	start := p.now().Truncate(time.Second)
	playing := true // until the world stands at the present; the scraper takes over then
	fill := func(at time.Time, sales []shop.View) {
		exposed.Watch(at, sales)
		if playing && err == nil && (start.Sub(at)%backfill == 0) {
			err = exposed.With(func(families []*dto.MetricFamily) error { return scraper.Backfill(at, families) })
		}
	}
	world, newErr := shop.New(shop.Options{Seed: p.options.Seed, Scenario: p.options.Scenario, Start: start, History: p.options.history, Ahead: p.options.Ahead, Window: rateWindow(p.options.Speed)}, fill)
	playing = false
	if err = errors.Join(newErr, err); err != nil {
		return nil, err
	}
	p.world = world
	p.api = prom.NewAPI(p.db, p.now)
	return scraper, nil
}

// move takes the world on with the wall clock until ctx ends.
func (p *Platform) move(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.catchUp()
		}
	}
}

// catchUp takes the world to the present. What is owed of a fraction of a simulated second is carried.
func (p *Platform) catchUp() {
	p.moving.Lock()
	defer p.moving.Unlock()
	behind := min(p.now().Sub(p.world.Now()), maxCatchUp)
	for ; behind >= time.Second; behind -= time.Second {
		p.mu.Lock()
		p.carried += p.speed
		n := int(p.carried)
		p.carried -= float64(n)
		p.mu.Unlock()
		p.world.Advance(n)
		p.tellDarkness()
	}
}

// Speed returns the simulated seconds per second.
func (p *Platform) Speed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.speed
}

// SetSpeed sets the simulated seconds per second, MinSpeed to MaxSpeed.
func (p *Platform) SetSpeed(v float64) error {
	if err := checkSpeed(v); err != nil {
		return err
	}
	p.mu.Lock()
	was := p.speed
	p.speed = v
	p.mu.Unlock()
	p.world.Note("control", "speed", was, v)
	return nil
}

// Fault breaks or mends a service: one of Services but the control, and one of Kinds.
func (p *Platform) Fault(name, kind string) error {
	s, ok := p.services[name]
	if !ok {
		return fmt.Errorf("there is no service %q that can be broken", name)
	}
	p.mu.Lock()
	if name == p.world.Scenario().Dark {
		p.dark = over // whoever breaks or mends it by hand has it from now on
	}
	p.mu.Unlock()
	return p.fault(s, kind, "control")
}

func (p *Platform) fault(s *service, kind, by string) error {
	was := s.fault()
	if err := s.set(kind); err != nil {
		return err
	}
	p.world.Note(by, "fault "+s.name, was, kind)
	return nil
}

// darkness is how far the scenario's own outage has come.
type darkness int

const (
	light darkness = iota
	dark
	over
)

// tellDarkness takes the scenario's service down and up when its story says so.
func (p *Platform) tellDarkness() {
	scenario := p.world.Scenario()
	s, ok := p.services[scenario.Dark]
	if !ok {
		return
	}
	story := p.world.Story()
	p.mu.Lock()
	was := p.dark
	switch {
	case was == light && story >= scenario.DarkUntil:
		p.dark = over
	case was == light && story >= scenario.DarkFrom:
		p.dark = dark
	case was == dark && story >= scenario.DarkUntil:
		p.dark = over
	}
	is := p.dark
	p.mu.Unlock()
	var err error
	switch {
	case was == is:
	case is == dark:
		err = p.fault(s, Down, "scenario")
	case was == dark:
		err = p.fault(s, OK, "scenario")
	}
	if err != nil {
		p.fail(err)
	}
}

// fail keeps the first error of what runs in the background; Err tells it.
func (p *Platform) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended = err
	}
}

// Err returns what went wrong in the platform itself since the start, or nil.
func (p *Platform) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Truth returns the world's own account of itself.
func (p *Platform) Truth() shop.Truth {
	p.pager.Incidents() // so that the ledger tells what became of every event up to now
	p.jira.Alerts()
	return p.world.Truth(p.now())
}

// Stop ends every service, waits for everything that runs, and removes the files that Start wrote.
// It may be called more than once, from anywhere; every call returns when all is over.
func (p *Platform) Stop() error {
	p.stop.Do(func() { p.stopErr = p.end() })
	return p.stopErr
}

func (p *Platform) end() error {
	p.cancel()
	p.mu.Lock()
	unhook := p.unhook
	p.mu.Unlock()
	if unhook != nil {
		unhook()
	}
	var errs []error
	for _, s := range p.all() {
		errs = append(errs, s.stop())
	}
	p.running.Wait()
	if p.api != nil {
		errs = append(errs, p.api.Close())
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	if p.ownDir {
		errs = append(errs, os.RemoveAll(p.dir))
	} else {
		for _, f := range p.files {
			if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func (p *Platform) all() []*service {
	var out []*service
	for _, s := range p.services {
		out = append(out, s)
	}
	if p.control != nil {
		out = append(out, p.control)
	}
	return out
}
