// Package autoscaling reads EC2 Auto Scaling groups: what is in service, what is wanted, and
// what an operator must know before asking for more.
//
// Each poll sends, for G groups and T target groups:
//
//	ceil(G/50)  DescribeAutoScalingGroups, for every figure but the load balancer's
//	T           DescribeTargetHealth, only of groups of which healthy_targets is asked for
//	<= 4+2G     others, never more than 24, in turns
//
// The others only explain: DescribeScalingActivities, DescribeInstanceRefreshes and
// DescribeWarmPool about once a minute per group, DescribeScheduledActions every five minutes,
// DescribeTargetHealth of other groups twice a minute. Activities are asked for on every poll
// while less is in service than desired, and instance refreshes while one is running. When one
// of these fails, the figures stay: it is a warning. An explanation older than ten minutes is
// not shown.
//
// A group of which DescribeAutoScalingGroups says nothing is missing as not_found, alone. All
// calls are free of charge. In a group with instance weights AWS counts capacity in weights;
// in_service, pending and unhealthy then are sums of weights, so that they compare with desired.
//
// The calls need these permissions, which AWS grants on all resources ("*") alone:
// autoscaling:DescribeAutoScalingGroups, DescribeScalingActivities, DescribeInstanceRefreshes,
// DescribeWarmPool, DescribeScheduledActions, and elasticloadbalancing:DescribeTargetHealth.
package autoscaling
