package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// statusTries is how often a patch is sent at most while only a status is written in between.
const statusTries = 8

func unsent(class sale.Class, text, hint string) error {
	return &actions.RejectedError{Problem: sale.Problem{Class: class, Text: sale.Clean("not sent: "+text, maxProblemText), Hint: hint}}
}

// Execute implements actions.Executor. It reads the object, refuses one that is not as it was
// previewed, and sends one patch that is conditional on what it read. A conflict says who wrote.
// One that a status alone has caused, as an autoscaler's does every few seconds, has stored nothing
// and changed nothing of what was previewed: the patch is then sent again, statusTries times in all.
func (x *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	o := &x.opts
	if ctx.Err() != nil {
		return actions.Receipt{}, unsent(sale.Timeout, "the time was up before", "press the key again")
	}
	if p.Target.System != System || p.Target.Name != o.name() || p.Target.Account != o.Cluster {
		return actions.Receipt{}, unsent(sale.BadData, p.Target.String()+" is not "+o.name(), "preview again")
	}
	s, err := x.again(ctx, p)
	if err != nil {
		var q *sale.Problem
		if !errors.As(err, &q) {
			q = &sale.Problem{Class: sale.Failing, Text: err.Error()}
		}
		return actions.Receipt{}, unsent(q.Class, q.Text, q.Hint)
	}
	if now := o.target(s); now != p.Target {
		return actions.Receipt{}, &actions.ConflictError{Text: sale.Clean(fmt.Sprintf("what decides the size is %s (%s) now, not %s (%s)", now, now.ID, p.Target, p.Target.ID), maxProblemText)}
	}
	if _, err := s.fields(p.To); err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	if s.version() != p.Version {
		return actions.Receipt{}, o.conflict(p, s)
	}
	got, err := o.patch(ctx, s, p.To, nil)
	for range statusTries - 1 {
		if _, own := statusOf(err); !own || !apierrors.IsConflict(err) {
			break
		}
		now, failed := x.again(ctx, p)
		if failed != nil || now.version() != p.Version || o.target(now) != p.Target {
			break
		}
		got, err = o.patch(ctx, now, p.To, nil)
	}
	switch {
	case err == nil:
		return actions.Receipt{Text: "accepted by the API server, resourceVersion " + o.clean(got.GetResourceVersion(), 32)}, nil
	case apierrors.IsConflict(err):
		if _, own := statusOf(err); !own {
			return actions.Receipt{}, o.sendError(err, s.permission())
		}
		if now, err := x.again(ctx, p); err == nil {
			return actions.Receipt{}, o.conflict(p, now)
		}
		return actions.Receipt{}, &actions.ConflictError{Text: "it was written meanwhile"}
	}
	return actions.Receipt{}, o.sendError(err, s.permission())
}

// again reads what was previewed, in one request where that is still known.
func (x *Executor) again(ctx context.Context, p actions.Preview) (*scene, error) {
	o, was := &x.opts, x.last.Load()
	if was == nil || o.target(was) != p.Target {
		return o.read(ctx)
	}
	object, err := o.Client.Resource(was.gvr).Namespace(o.Namespace).Get(ctx, was.object.GetName(), metav1.GetOptions{})
	if err != nil {
		q := o.problem(err, "get "+was.gvr.Group+"/"+was.gvr.Resource)
		return nil, &q
	}
	return &scene{means: was.means, object: object}, nil
}

// conflict says what was changed, and by whom as far as managedFields tell.
func (o *Options) conflict(p actions.Preview, now *scene) error {
	text := p.From.Change(now.value().Only(p.From))
	switch {
	case text != "":
	case now.version() == p.Version:
		return &actions.ConflictError{Text: "only its status was written meanwhile, as pods come and go; nothing was sent through: press the key again"}
	default:
		text = "it was written again with the same sizes"
	}
	if who, at := now.lastWriter(now.least); who != "" {
		text += " by " + who
		if !at.IsZero() {
			text += " " + at.UTC().Format("15:04:05Z")
		}
	}
	return &actions.ConflictError{Text: o.clean(text, maxProblemText)}
}

// ReadBack implements actions.Executor. The text is the progress: pods that are ready.
func (x *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if p.Target.Name != x.opts.name() {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: sale.Clean(p.Target.String()+" is not "+x.opts.name(), maxProblemText), Hint: "compare the journal with the config"}
	}
	r, err := x.Progress(ctx, p)
	if err != nil {
		return actions.State{}, err
	}
	return r.State, nil
}

// Progress is how far a Deployment has come towards a size.
type Progress struct {
	actions.State
	Wanted, Replicas, Ready int
	// Reached: the sizes are set, and as many pods as wanted are ready. After a scale-back: no
	// more than wanted are asked for.
	Reached bool
}

// Progress reads how far the Deployment has come with what a preview sent.
func (x *Executor) Progress(ctx context.Context, p actions.Preview) (Progress, error) {
	s, err := x.opts.read(ctx)
	if err != nil {
		return Progress{}, err
	}
	who, at := s.lastWriter(s.least)
	r := Progress{
		State:  actions.State{Value: s.value(), Version: s.version(), At: time.Now(), ByWhom: x.opts.clean(who, 64), Modified: at},
		Wanted: max(s.replicas, s.min), Replicas: s.replicas, Ready: s.ready,
	}
	if s.most != "" && s.max > 0 {
		r.Wanted = min(r.Wanted, s.max)
	}
	r.Text = s.progress(r.Wanted)
	r.Reached = s.ready >= r.Wanted && (len(p.To) == 0 || r.Value.Holds(p.To))
	return r, nil
}
