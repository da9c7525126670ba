// Package autoscaling scales one EC2 Auto Scaling group, now or at a planned time.
//
// A size is set by raising MinSize: the desired capacity follows, and target tracking can't
// shrink the group below it. A raised desired capacity alone would be taken back by the next
// scale-in. MaxSize is raised only where the options allow it, never above their bound. What was
// there before is in Preview.From, so that an undo can put it back.
//
// See UpdateAutoScalingGroup and PutScheduledUpdateGroupAction in the EC2 Auto Scaling API
// reference.
package autoscaling
