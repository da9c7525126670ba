package capacity

import "fmt"

// OutOfBounds says that a size is refused, in the words of Auto Scaling.
type OutOfBounds struct{ Reason string }

func (e *OutOfBounds) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &OutOfBounds{fmt.Sprintf(format, args...)} }

// Resize sets the bounds and the size of a group as UpdateAutoScalingGroup and scheduled actions
// do. A nil stays as it is. Without a size the present one is moved into the new bounds; a size
// outside of them is refused with *OutOfBounds.
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
func (g *Group) Resize(least, most, size *int) error {
	lo, hi := or(least, g.Min), or(most, g.Max)
	switch {
	case lo < 0 || hi < 0 || size != nil && *size < 0:
		return refuse("Min, max and desired capacity must not be negative")
	case lo > hi:
		return refuse("Max bound, %d, must be greater than or equal to min bound, %d", hi, lo)
	case size != nil && *size > hi:
		return refuse("Desired capacity:%d must be between the specified min size:%d and max size:%d", *size, lo, hi)
	case size != nil && *size < lo:
		return refuse("Desired capacity:%d must be between the specified min size:%d and max size:%d", *size, lo, hi)
	}
	g.Min, g.Max = lo, hi
	g.Desired = min(max(or(size, g.Desired), lo), hi)
	return nil
}

func or(v *int, have int) int {
	if v == nil {
		return have
	}
	return *v
}
