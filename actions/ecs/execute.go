package ecs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// write is what is sent: bounds to Application Auto Scaling, or a count to ECS.
type write struct{ min, max, desired *int32 }

// writeOf reads the sizes of a value that holds nothing else. Bounds and a count are two writes,
// and so refused together.
func writeOf(v actions.Value) (w write, err error) {
	for name := range v {
		n, there, err := setting(v, name)
		switch {
		case err != nil:
			return w, err
		case !there:
			return w, fmt.Errorf("%s holds no number", name)
		}
		switch name {
		case MinCapacity:
			w.min = aws.Int32(n)
		case MaxCapacity:
			w.max = aws.Int32(n)
		case DesiredCount:
			w.desired = aws.Int32(n)
		default:
			return w, fmt.Errorf("%s is no size of a service", name)
		}
	}
	switch {
	case w == (write{}):
		return w, errors.New("no size is given")
	case w.desired != nil && (w.min != nil || w.max != nil):
		return w, errors.New("bounds and a count can't be set at once")
	}
	return w, nil
}

func unsent(class sale.Class, text, hint string) error {
	return &actions.RejectedError{Problem: sale.Problem{Class: class, Text: sale.Clean("not sent: "+text, maxProblemText), Hint: hint}}
}

// Execute implements actions.Executor: one RegisterScalableTarget with the bounds of p.To, or one
// UpdateService with its count.
func (x *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	o := &x.opts
	if ctx.Err() != nil {
		return actions.Receipt{}, unsent(sale.Timeout, "the time was up before", "press the key again")
	}
	if p.Target.System != System || p.Target.Name != o.name() {
		return actions.Receipt{}, unsent(sale.BadData, p.Target.String()+" is not "+o.name(), "preview again")
	}
	w, err := writeOf(p.To)
	if err == nil && w.desired != nil && o.Service == "" {
		err = errors.New("only a service has a desired count")
	}
	if err == nil && w.desired == nil {
		if _, was := p.From[MinCapacity].Number(); !was {
			err = errors.New("no scalable target was registered when it was read")
		}
	}
	if err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	if w.desired != nil {
		out, err := o.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: aws.String(o.Cluster), Service: aws.String(o.Service), DesiredCount: w.desired})
		if err != nil {
			return actions.Receipt{}, o.sendError(err)
		}
		return o.receipt(out.ResultMetadata, "accepted by ECS"), nil
	}
	out, err := o.Scaling.RegisterScalableTarget(ctx, &scaling.RegisterScalableTargetInput{
		ServiceNamespace: sctypes.ServiceNamespace(o.Namespace), ResourceId: aws.String(o.Resource), ScalableDimension: sctypes.ScalableDimension(o.Dimension),
		MinCapacity: w.min, MaxCapacity: w.max,
	})
	if err != nil {
		return actions.Receipt{}, o.sendError(err)
	}
	return o.receipt(out.ResultMetadata, accepted), nil
}

const accepted = "accepted by Application Auto Scaling"

func (o *Options) receipt(meta middleware.Metadata, text string) actions.Receipt {
	id, _ := awsmiddleware.GetRequestIDMetadata(meta)
	return actions.Receipt{RequestID: o.clean(id, 80), Text: text}
}

// ReadBack implements actions.Executor. The text is the progress: tasks that run.
func (x *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if p.Target.Name != x.opts.name() {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: sale.Clean(p.Target.String()+" is not "+x.opts.name(), maxProblemText), Hint: "compare the journal with the config"}
	}
	r, err := x.Progress(ctx, p)
	if err != nil {
		return actions.State{}, err
	}
	return actions.State{Value: r.Sizes, At: r.At, Text: r.Text}, nil
}

// Progress is how far a service has come towards a size.
type Progress struct {
	At      time.Time
	Sizes   actions.Value
	Wanted  int
	Running *int // nil: not known, as for a target that is no ECS service
	Pending int
	// Reached: the sizes are set, and as many as wanted run. After a scale-back: no more than wanted.
	Reached bool
	Failure string // why tasks find no room, in ECS's words; "": nothing says so
	Text    string
}

// Progress reads how far the service has come with what a preview sent.
func (x *Executor) Progress(ctx context.Context, p actions.Preview) (Progress, error) {
	f, err := x.opts.describe(ctx)
	if err != nil {
		return Progress{}, err
	}
	present, _ := f.size()
	r := Progress{At: time.Now(), Sizes: f.value(), Wanted: present}
	r.Text = f.progress(r.Wanted)
	if f.service == nil {
		return r, nil
	}
	r.Running, r.Pending = aws.Int(f.running), f.pending
	r.Reached = f.running >= r.Wanted && (len(p.To) == 0 || r.Sizes.Holds(p.To))
	if was, ok := p.From[DesiredCount].Number(); ok && f.desired < int(was) {
		r.Reached = f.running <= r.Wanted
	}
	if text := f.shortage(r.At); text != "" && !r.Reached {
		r.Failure = x.opts.clean(text, maxWarning)
		r.Text += "; " + r.Failure
	}
	return r, nil
}
