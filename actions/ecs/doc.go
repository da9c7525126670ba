// Package ecs scales one ECS service, or any other target of Application Auto Scaling, now or at a
// planned time.
//
// Where Application Auto Scaling manages the size, its MinCapacity is raised: that moves the
// capacity at once and holds it, while a desired count alone would be changed by the next policy.
// A target that is not registered is never registered, since that would switch management on:
// then the service's own desired count is set, without a new deployment.
//
// See RegisterScalableTarget and PutScheduledAction in the Application Auto Scaling API reference,
// and UpdateService in that of ECS.
package ecs
