// Package kubernetes reads the capacity of Deployments, HorizontalPodAutoscalers and KEDA
// ScaledObjects by the dynamic client, and tells what an operator must know before scaling: what an
// HPA is held back by, whether KEDA or GitOps would undo a change, why pods find no node, whether a
// rollout is under way or stuck.
//
// A poll lists per namespace rather than asks per object, so its cost does not grow with the sales:
// Deployments, HPAs, pods in phase Pending, and ScaledObjects where the cluster has them. That is at
// most four requests per namespace for up to 500 objects of a kind, and one more per further 500.
//
// It needs, in each namespace, the verb list on deployments.apps, horizontalpodautoscalers.autoscaling,
// pods and (with KEDA) scaledobjects.keda.sh. Without one of them only what depends on it is missing.
package kubernetes
