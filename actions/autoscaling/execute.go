package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// sizes are what an update sends; nil is not sent.
type sizes struct{ min, max, desired *int32 }

// sizesOf reads the sizes of a value that holds nothing else.
func sizesOf(v actions.Value) (s sizes, err error) {
	for name := range v {
		n, there, err := setting(v, name)
		switch {
		case err != nil:
			return s, err
		case !there:
			return s, fmt.Errorf("%s holds no number", name)
		}
		switch name {
		case MinSize:
			s.min = aws.Int32(n)
		case MaxSize:
			s.max = aws.Int32(n)
		case DesiredCapacity:
			s.desired = aws.Int32(n)
		default:
			return s, fmt.Errorf("%s is no size of a group", name)
		}
	}
	if s == (sizes{}) {
		return s, errors.New("no size is given")
	}
	return s, nil
}

func unsent(class sale.Class, text, hint string) error {
	return &actions.RejectedError{Problem: sale.Problem{Class: class, Text: sale.Clean("not sent: "+text, maxProblemText), Hint: hint}}
}

// Execute implements actions.Executor: one UpdateAutoScalingGroup with the sizes of p.To.
func (x *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	if ctx.Err() != nil {
		return actions.Receipt{}, unsent(sale.Timeout, "the time was up before", "press the key again")
	}
	if p.Target.System != System || p.Target.Name != x.opts.Group {
		return actions.Receipt{}, unsent(sale.BadData, p.Target.String()+" is not group "+x.opts.Group, "preview again")
	}
	s, err := sizesOf(p.To)
	if err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	out, err := x.opts.API.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(x.opts.Group), MinSize: s.min, MaxSize: s.max, DesiredCapacity: s.desired,
	})
	if err != nil {
		return actions.Receipt{}, x.opts.sendError(err)
	}
	return x.opts.receipt(out.ResultMetadata), nil
}

func (o *Options) receipt(meta middleware.Metadata) actions.Receipt {
	id, _ := awsmiddleware.GetRequestIDMetadata(meta)
	return actions.Receipt{RequestID: o.clean(id, 80), Text: "accepted by EC2 Auto Scaling"}
}

// ReadBack implements actions.Executor. The text is the progress: instances in service and
// healthy, and behind the load balancer.
func (x *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if p.Target.Name != x.opts.Group {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: sale.Clean(p.Target.String()+" is not group "+x.opts.Group, maxProblemText), Hint: "compare the journal with the config"}
	}
	progress, err := x.Progress(ctx, p, time.Time{})
	if err != nil {
		return actions.State{}, err
	}
	return actions.State{Value: progress.Sizes, At: progress.At, Text: progress.Text}, nil
}

// Progress is how far a group has come towards a size.
type Progress struct {
	At        time.Time
	Sizes     actions.Value
	Wanted    int
	InService int  // in service and healthy, as the group says
	Pending   int  // starting
	Unhealthy int  // neither
	Targets   *int // healthy behind the load balancer, the least of its target groups; nil: not known
	// Reached: as many as wanted are in service and healthy, and behind the load balancer where
	// that is known. After a scale-back: no more than wanted.
	Reached bool
	Failure string // why the newest launch since the given time failed; "": none did, or not asked
	Text    string
}

// Progress reads how far the group has come with what a preview sent. A since that is not zero
// also asks why launches failed since.
func (x *Executor) Progress(ctx context.Context, p actions.Preview, since time.Time) (Progress, error) {
	g, err := x.opts.describe(ctx)
	if err != nil {
		return Progress{}, err
	}
	r := Progress{At: time.Now(), Sizes: g.value(), Wanted: g.desired, InService: g.inService, Pending: g.pending, Unhealthy: g.unhealthy}
	if n, ok := p.To[MinSize].Number(); ok {
		r.Wanted = max(r.Wanted, int(n))
	}
	r.Text = g.progress(r.Wanted)
	r.Reached = r.InService >= r.Wanted && (len(p.To) == 0 || g.value().Holds(p.To))
	if was, ok := p.From[DesiredCapacity].Number(); ok && g.desired < int(was) {
		r.Reached = r.InService <= r.Wanted
	}
	aside, cancel := context.WithTimeout(ctx, asideWithin)
	defer cancel()
	switch healthy, known, err := x.opts.healthyTargets(aside, g); {
	case err != nil:
		r.Text += "; the load balancer could not be read"
	case known:
		r.Targets = &healthy
		r.Text += fmt.Sprintf("; %d healthy behind the load balancer", healthy)
		r.Reached = r.Reached && (g.weighted || healthy >= r.InService)
	}
	if !since.IsZero() && !r.Reached {
		if failed, err := x.opts.lastFailure(aside, since); err == nil && failed != nil {
			r.Failure = x.opts.clean(aws.ToString(failed.StatusMessage), maxWarning)
			r.Text += "; last launch failed: " + r.Failure
		}
	}
	return r, nil
}
