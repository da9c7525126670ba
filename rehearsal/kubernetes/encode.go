package kubernetes

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// tree is a decoded JSON object.
type tree = map[string]any

// list is a JSON array.
type list = []any

// plainJSON turns what was built from Go values into what a JSON decoder would give.
func plainJSON(t tree) tree {
	data, err := json.Marshal(t)
	if err != nil {
		panic("an object of the rehearsal can't be written: " + err.Error()) // only plain data is built here
	}
	out := tree{}
	if err := json.Unmarshal(data, &out); err != nil {
		panic("an object of the rehearsal can't be read: " + err.Error())
	}
	return out
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// uidOf makes a UID that stays the same for a name.
func uidOf(kind, namespace, name string) string {
	h := sha256.Sum256([]byte(kind + "\x00" + namespace + "\x00" + name))
	return fmt.Sprintf("%x-%x-4%x-a%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])[:36]
}

func orUID(uid, kind, namespace, name string) string {
	if uid != "" {
		return uid
	}
	return uidOf(kind, namespace, name)
}

func object(apiVersion, kind string, o *Object, rest tree) tree {
	meta := tree{"name": o.Name, "uid": orUID(o.UID, kind, o.Namespace, o.Name), "creationTimestamp": stamp(o.Created)}
	if o.Namespace != "" {
		meta["namespace"] = o.Namespace
	}
	if kind != "Pod" && kind != "Event" && kind != "Namespace" {
		meta["generation"] = max(o.Generation, 1)
	}
	if len(o.Labels) > 0 {
		meta["labels"] = o.Labels
	}
	if len(o.Annotations) > 0 {
		meta["annotations"] = o.Annotations
	}
	if o.Owner != nil {
		meta["ownerReferences"] = list{tree{
			"apiVersion": o.Owner.APIVersion, "kind": o.Owner.Kind, "name": o.Owner.Name,
			"uid": orUID(o.Owner.UID, o.Owner.Kind, o.Namespace, o.Owner.Name), "controller": true, "blockOwnerDeletion": true,
		}}
	}
	if len(o.Managers) > 0 {
		meta["managedFields"] = encodeManagers(apiVersion, o.Managers)
	}
	rest["apiVersion"], rest["kind"], rest["metadata"] = apiVersion, kind, meta
	return plainJSON(rest)
}

func encodeManagers(apiVersion string, managers []Manager) list {
	out := list{}
	for _, m := range managers {
		if len(m.Fields) == 0 {
			continue
		}
		fields := tree{}
		for _, pointer := range m.Fields {
			at := fields
			for _, step := range splitPointer(pointer) {
				next, ok := at["f:"+step].(tree)
				if !ok {
					next = tree{}
					at["f:"+step] = next
				}
				at = next
			}
		}
		entry := tree{"manager": m.Name, "operation": m.Operation, "apiVersion": apiVersion, "time": stamp(m.At), "fieldsType": "FieldsV1", "fieldsV1": fields}
		if m.Part != "" {
			entry["subresource"] = m.Part
		}
		out = append(out, entry)
	}
	return out
}

func encodeConditions(all []Condition, update bool) list {
	out := list{}
	for _, c := range all {
		t := tree{"type": c.Type, "status": c.Status, "lastTransitionTime": stamp(c.At)}
		if c.Reason != "" {
			t["reason"] = c.Reason
		}
		if c.Message != "" {
			t["message"] = c.Message
		}
		if update {
			t["lastUpdateTime"] = stamp(c.At)
		}
		out = append(out, t)
	}
	return out
}

func encodeNamespace(name *string) tree {
	o := Object{Name: *name, Labels: map[string]string{"kubernetes.io/metadata.name": *name}}
	return object("v1", "Namespace", &o, tree{"spec": tree{"finalizers": list{"kubernetes"}}, "status": tree{"phase": "Active"}})
}

// omitZero leaves out what a Go server leaves out.
func omitZero(t tree) tree {
	maps.DeleteFunc(t, func(_ string, v any) bool { return v == 0 || v == "" || v == false || v == nil || v == int64(0) })
	return t
}

func encodeDeployment(d *Deployment) tree {
	deadline := int(d.ProgressDeadline / time.Second)
	if deadline == 0 {
		deadline = 600
	}
	spec := tree{
		"replicas": d.Replicas, "selector": tree{"matchLabels": d.Selector},
		"template": tree{
			"metadata": tree{"labels": d.Selector, "creationTimestamp": nil},
			"spec": tree{
				"containers":    list{tree{"name": "app", "image": d.Image, "imagePullPolicy": "IfNotPresent", "resources": tree{"requests": tree{"cpu": "500m", "memory": "512Mi"}}}},
				"restartPolicy": "Always", "schedulerName": "default-scheduler", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
			},
		},
		"strategy":             tree{"type": "RollingUpdate", "rollingUpdate": tree{"maxUnavailable": "25%", "maxSurge": "25%"}},
		"revisionHistoryLimit": 10, "progressDeadlineSeconds": deadline,
	}
	if d.Paused {
		spec["paused"] = true
	}
	st := d.Status
	stat := omitZero(tree{
		"observedGeneration": st.ObservedGeneration, "replicas": st.Replicas, "updatedReplicas": st.Updated,
		"readyReplicas": st.Ready, "availableReplicas": st.Available, "unavailableReplicas": st.Minus,
	})
	if len(st.Conditions) > 0 {
		stat["conditions"] = encodeConditions(st.Conditions, true)
	}
	return object("apps/v1", "Deployment", &d.Object, tree{"spec": spec, "status": stat})
}

func encodeHPA(h *HPA) tree {
	spec := tree{
		"scaleTargetRef": tree{"apiVersion": "apps/v1", "kind": "Deployment", "name": h.Target},
		"minReplicas":    h.Min, "maxReplicas": h.Max,
	}
	stat := omitZero(tree{"observedGeneration": h.Status.ObservedGeneration, "lastScaleTime": stamp(h.Status.LastScale), "currentReplicas": h.Status.Current})
	stat["desiredReplicas"] = h.Status.Desired
	if m := h.Metric; m.External {
		spec["metrics"] = list{tree{"type": "External", "external": tree{"metric": tree{"name": m.Name}, "target": tree{"type": "AverageValue", "averageValue": fmt.Sprint(m.Target)}}}}
		stat["currentMetrics"] = list{tree{"type": "External", "external": tree{"metric": tree{"name": m.Name}, "current": tree{"averageValue": fmt.Sprint(m.Current)}}}}
	} else if m.Name != "" {
		spec["metrics"] = list{tree{"type": "Resource", "resource": tree{"name": m.Name, "target": tree{"type": "Utilization", "averageUtilization": m.Target}}}}
		stat["currentMetrics"] = list{tree{"type": "Resource", "resource": tree{"name": m.Name, "current": tree{"averageUtilization": m.Current, "averageValue": fmt.Sprintf("%dm", m.Current*5)}}}}
	}
	if h.NoScaleDown {
		spec["behavior"] = tree{"scaleDown": tree{"selectPolicy": "Disabled"}}
	}
	stat["conditions"] = encodeConditions(h.Status.Conditions, false)
	return object("autoscaling/v2", "HorizontalPodAutoscaler", &h.Object, tree{"spec": spec, "status": stat})
}

func encodeScaledObject(s *ScaledObject) tree {
	spec := tree{"scaleTargetRef": tree{"name": s.Target}, "triggers": list{tree{"type": s.Trigger.Type, "metadata": s.Trigger.Metadata}}}
	for name, v := range map[string]*int{"minReplicaCount": s.Min, "maxReplicaCount": s.Max, "idleReplicaCount": s.Idle} {
		if v != nil {
			spec[name] = *v
		}
	}
	stat := tree{
		"scaleTargetKind": "apps/v1.Deployment", "scaleTargetGVKR": tree{"group": "apps", "kind": "Deployment", "resource": "deployments", "version": "v1"},
		"hpaName": s.Status.HPAName, "externalMetricNames": list{"s0-" + s.Trigger.Type},
	}
	if len(s.Status.Conditions) > 0 {
		conditions := list{}
		for _, c := range s.Status.Conditions { // KEDA's conditions have no time
			conditions = append(conditions, omitZero(tree{"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message}))
		}
		stat["conditions"] = conditions
	}
	return object("keda.sh/v1alpha1", "ScaledObject", &s.Object, tree{"spec": spec, "status": stat})
}

func encodePod(p *Pod) tree {
	spec := tree{
		"containers":    list{tree{"name": "app", "image": p.Image, "imagePullPolicy": "IfNotPresent"}},
		"restartPolicy": "Always", "schedulerName": "default-scheduler", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
	}
	if p.Node != "" {
		spec["nodeName"] = p.Node
	}
	conditions := list{}
	ready := false
	for _, c := range p.Conditions {
		t := omitZero(tree{"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message})
		t["lastProbeTime"], t["lastTransitionTime"] = nil, stamp(c.At)
		conditions = append(conditions, t)
		ready = ready || c.Type == "Ready" && c.Status == "True"
	}
	stat := tree{"phase": p.Phase, "conditions": conditions, "qosClass": "Burstable"}
	if p.Node != "" {
		run := tree{"running": tree{"startedAt": stamp(p.Started)}}
		if p.Waiting != "" {
			run = tree{"waiting": tree{"reason": p.Waiting}}
		}
		stat["startTime"] = stamp(p.Created)
		stat["containerStatuses"] = list{tree{"name": "app", "image": p.Image, "imageID": "", "ready": ready, "restartCount": 0, "started": p.Waiting == "", "state": run, "lastState": tree{}}}
	}
	return object("v1", "Pod", &p.Object, tree{"spec": spec, "status": stat})
}

func encodeEvent(e *Event) tree {
	t := tree{
		"involvedObject": tree{"kind": e.Of.Kind, "namespace": e.Namespace, "name": e.Of.Name, "apiVersion": e.Of.APIVersion, "uid": orUID(e.Of.UID, e.Of.Kind, e.Namespace, e.Of.Name)},
		"type":           e.Type, "reason": e.Reason, "message": e.Message, "source": tree{"component": e.Component},
		"reportingComponent": e.Component, "reportingInstance": "", "firstTimestamp": stamp(e.First), "lastTimestamp": stamp(e.Last), "eventTime": nil, "count": e.Count,
	}
	return object("v1", "Event", &e.Object, t)
}

func splitPointer(pointer string) []string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, s := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return steps
}

func escapeStep(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

// differences lists, as sorted JSON pointers, where two values differ. Arrays are compared whole.
func differences(at string, a, b any) []string {
	am, aok := a.(tree)
	bm, bok := b.(tree)
	if !aok || !bok {
		if aok && b == nil {
			bm, bok = tree{}, true
		} else if bok && a == nil {
			am, aok = tree{}, true
		}
	}
	if !aok || !bok {
		if equal(a, b) {
			return nil
		}
		return []string{at}
	}
	keys := slices.Sorted(maps.Keys(am))
	for k := range bm {
		if _, ok := am[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var out []string
	for _, k := range keys {
		out = append(out, differences(at+"/"+escapeStep(k), am[k], bm[k])...)
	}
	return out
}

func equal(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
