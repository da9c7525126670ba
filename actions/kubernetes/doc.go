// Package kubernetes scales one Deployment by the object that really decides its size: the
// ScaledObject where KEDA owns the HorizontalPodAutoscaler, since KEDA would take back a change of
// that; else the HorizontalPodAutoscaler, since it would take back a change of the Deployment; and
// the Deployment's scale only where there is neither.
//
// A write is a merge patch of the one field, with the resourceVersion as an optimistic lock.
// Before it, the preview asks the server whether the patch is allowed (SelfSubjectAccessReview)
// and sends it once as a dry run, which passes admission and stores nothing.
//
// See https://kubernetes.io/docs/reference/using-api/api-concepts/ and the KEDA documentation of
// ScaledObject.
package kubernetes
