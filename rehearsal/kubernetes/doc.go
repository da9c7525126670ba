// Package kubernetes answers as a Kubernetes API server does for the rehearsed cluster: the part
// that reading and scaling a shop takes.
//
// Served are /version, /api and /apis (discovery), apps/v1 Deployments with their scale
// subresource, autoscaling/v2 HorizontalPodAutoscalers, keda.sh/v1alpha1 ScaledObjects, core/v1
// pods, events and namespaces, and SelfSubjectAccessReview. Reading is GET, list (limit, continue,
// labelSelector, fieldSelector) and watch; writing is PUT and PATCH (JSON patch, merge patch, and
// strategic merge patch for the built-in kinds). Nothing can be created or deleted.
//
// What a client can notice of the real server holds: resourceVersion as an optimistic lock, generation
// and managedFields, dryRun=All, metav1.Status bodies in the server's own words, anonymous users,
// RBAC by token. Choices where the rehearsal is narrower:
//
//   - Server-side apply is answered with 415, as by a server that does not have it.
//   - A write to a field that the rehearsed cluster does not move by (a pod template, an HPA's metrics)
//     is denied by an admission webhook that says so, not dropped in silence.
//   - Discovery is the unaggregated kind; bodies are JSON only.
//   - The cluster has no watch of its own: the server compares the cluster with what it saw last, on
//     every request and, while somebody watches, several times a second.
package kubernetes
