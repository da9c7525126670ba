// Package ecs reads Amazon ECS services: how many tasks run, how many are wanted, within which
// bounds Application Auto Scaling keeps them, and what an operator must know before asking for
// more.
//
// Each poll sends, for S services in all:
//
//	ceil(S/10) for each cluster  DescribeServices
//	ceil(S/50)                   DescribeScalableTargets
//	<= 2+S, at most 12           DescribeScalingActivities, in turns
//
// The last only explains, and only for services that have a scalable target: once a minute,
// and on every poll while fewer tasks run than desired or desired has reached the target's
// max. When it fails the figures stay: it is a warning. An explanation older than ten minutes
// is not shown.
//
// A service that does not exist comes in Failures under HTTP 200, and a deleted one as INACTIVE
// with zero tasks: both are missing as not_found. min and max are the scalable target's; a
// service without one has none, which is not_found too. The figures are ECS's own counts:
// running says nothing about a load balancer's health checks. All calls are free of charge.
//
// The calls need these permissions: ecs:DescribeServices on the services, and
// application-autoscaling:DescribeScalableTargets and DescribeScalingActivities on all
// resources ("*").
package ecs
