package kubernetes

import "time"

// Cluster is what stands behind the API: plain data, and the writes that a person or a tool makes.
// It must be safe for many goroutines. Memory is one, with the controllers of a real cluster.
//
// The server keeps resource versions itself, so a cluster only has to tell its present state.
type Cluster interface {
	// State returns what the cluster holds now. The caller changes nothing in it.
	State() State

	// The setters take over an object's writable part: Labels, Annotations, Generation, Managers
	// and what stands above Status. A *Denied refuses as an admission webhook does (403),
	// ErrNotFound says that the object went away (404); any other error is the cluster's failure (500).

	SetDeployment(Deployment) error
	SetHPA(HPA) error
	SetScaledObject(ScaledObject) error
}

// State is everything at one moment. Names are unique per kind and namespace.
type State struct {
	Namespaces    []string
	Deployments   []Deployment
	HPAs          []HPA
	ScaledObjects []ScaledObject
	Pods          []Pod
	Events        []Event
}

// Object is the metadata that all kinds have.
type Object struct {
	Namespace, Name string
	UID             string // "": the server makes one from kind and name
	Created         time.Time
	Generation      int64 // grows when the part above Status changes; 0 is written as 1
	Labels          map[string]string
	Annotations     map[string]string
	Owner           *Owner // the controller that made it
	Managers        []Manager
}

// Owner is the controller of an object: KEDA's ScaledObject of an HPA, a ReplicaSet of a pod.
type Owner struct{ APIVersion, Kind, Name, UID string }

// Manager is one entry of managedFields: who wrote which fields, as JSON pointers such as
// "/spec/replicas".
type Manager struct {
	Name      string
	Operation string // Apply or Update
	Part      string // the subresource, or ""
	At        time.Time
	Fields    []string
}

// The names under which GitOps controllers write.
const (
	ArgoCD = "argocd-controller"
	Flux   = "kustomize-controller"
)

// Condition is one entry of status.conditions.
type Condition struct {
	Type, Status    string // Status is True, False or Unknown
	Reason, Message string
	At              time.Time // of the last transition
}

// Deployment is an apps/v1 Deployment.
type Deployment struct {
	Object
	Replicas         int
	Paused           bool
	Selector         map[string]string // matchLabels; its pods carry them
	Image            string
	ProgressDeadline time.Duration
	Status           DeploymentStatus
}

// DeploymentStatus is what the controller saw last.
type DeploymentStatus struct {
	ObservedGeneration                         int64
	Replicas, Updated, Ready, Available, Minus int // Minus: unavailableReplicas
	Conditions                                 []Condition
}

// HPA is an autoscaling/v2 HorizontalPodAutoscaler of a Deployment.
type HPA struct {
	Object
	Target   string // the Deployment's name
	Min, Max int
	Metric   Metric
	// NoScaleDown is behavior.scaleDown.selectPolicy: Disabled.
	NoScaleDown bool
	Status      HPAStatus
}

// Metric is what an HPA scales by: the utilization of a resource in percent, or an external one.
type Metric struct {
	External        bool
	Name            string // cpu, memory, or the external metric's name
	Target, Current int
}

// HPAStatus is what the controller saw last.
type HPAStatus struct {
	ObservedGeneration int64
	Current, Desired   int
	LastScale          time.Time
	Conditions         []Condition // AbleToScale, ScalingActive, ScalingLimited
}

// ScaledObject is a keda.sh/v1alpha1 ScaledObject of a Deployment. KEDA makes the HPA
// keda-hpa-NAME of it and keeps that as the ScaledObject says.
type ScaledObject struct {
	Object
	Target   string // the Deployment's name
	Min, Max *int   // nil: 0 and 100
	Idle     *int
	Trigger  Trigger
	Status   ScaledObjectStatus
}

// Trigger is what a ScaledObject scales by.
type Trigger struct {
	Type     string // prometheus, aws-sqs-queue, …
	Metadata map[string]string
}

// ScaledObjectStatus is what KEDA saw last.
type ScaledObjectStatus struct {
	HPAName    string
	Conditions []Condition // Ready, Active, Fallback, Paused
}

// Pod is a core/v1 pod.
type Pod struct {
	Object
	Image      string
	Node       string // "" while it has none
	Phase      string // Pending, Running, Succeeded, Failed
	Started    time.Time
	Waiting    string // why its container waits: ContainerCreating, ImagePullBackOff, or ""
	Conditions []Condition
}

// Event is a core/v1 event.
type Event struct {
	Object
	Type, Reason, Message string // Type is Normal or Warning
	Component             string // who says it
	Of                    Owner  // what it is about, in Namespace
	Count                 int
	First, Last           time.Time
}

// HPAName is what KEDA calls the HPA of a ScaledObject.
func HPAName(scaledObject string) string { return "keda-hpa-" + scaledObject }

// KEDA's documented defaults of a ScaledObject's bounds.
const (
	KEDAMin = 0
	KEDAMax = 100
)

// Bounds returns the bounds of the HPA that KEDA makes: an HPA can't have a minimum below 1,
// the way from and to zero KEDA goes itself.
func (s *ScaledObject) Bounds() (least, most int) {
	least, most = KEDAMin, KEDAMax
	if s.Min != nil {
		least = *s.Min
	}
	if s.Max != nil {
		most = *s.Max
	}
	return max(least, 1), most
}

// The annotations by which people steer a ScaledObject.
const (
	PausedAnnotation        = "autoscaling.keda.sh/paused"
	PausedReplicas          = "autoscaling.keda.sh/paused-replicas"
	PausedScaleInAnnotation = "autoscaling.keda.sh/paused-scale-in"
)

// Denied refuses a write as an admission webhook does.
type Denied struct{ Webhook, Message string }

func (d *Denied) Error() string {
	return `admission webhook "` + d.Webhook + `" denied the request: ` + d.Message
}

type notFound struct{}

func (notFound) Error() string { return "not found" }

// ErrNotFound says that an object is not there (any more).
var ErrNotFound error = notFound{}
