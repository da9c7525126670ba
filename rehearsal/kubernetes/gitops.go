package kubernetes

// gitOps names the GitOps controller that applies an object, or "".
func gitOps(managers []Manager) string {
	for _, w := range managers {
		if w.Operation == "Apply" && (w.Name == ArgoCD || w.Name == Flux) {
			return w.Name
		}
	}
	return ""
}

// note remembers what GitOps wants of an object: the fields that it applies.
func (m *Memory) note(o Object, kind string, as tree) {
	if name := gitOps(o.Managers); name != "" {
		want := tree{"by": name}
		for _, w := range o.Managers {
			if w.Name == name {
				for _, pointer := range w.Fields {
					if v, err := lookup(as, pointer); err == nil {
						want[pointer] = v
					}
				}
			}
		}
		m.git[kind+"/"+o.Namespace+"/"+o.Name] = want
	}
}

// heal puts back what GitOps applies.
func (m *Memory) heal() {
	for i := range m.state.Deployments {
		d := &m.state.Deployments[i]
		m.healOne(&d.Object, "Deployment", map[string]func(*int) *int{"/spec/replicas": swap(&d.Replicas)})
	}
	for i := range m.state.HPAs {
		h := &m.state.HPAs[i]
		m.healOne(&h.Object, "HorizontalPodAutoscaler", map[string]func(*int) *int{"/spec/minReplicas": swap(&h.Min), "/spec/maxReplicas": swap(&h.Max)})
	}
	for i := range m.state.ScaledObjects {
		s := &m.state.ScaledObjects[i]
		m.healOne(&s.Object, "ScaledObject", map[string]func(*int) *int{"/spec/minReplicaCount": swapPointer(&s.Min), "/spec/maxReplicaCount": swapPointer(&s.Max)})
	}
}

// swap reads an integer, and sets it when given one.
func swap(at *int) func(*int) *int {
	return func(to *int) *int {
		if to != nil {
			*at = *to
		}
		v := *at
		return &v
	}
}

func swapPointer(at **int) func(*int) *int {
	return func(to *int) *int {
		if to != nil {
			*at = to
		}
		return *at
	}
}

func (m *Memory) healOne(o *Object, kind string, fields map[string]func(*int) *int) {
	key := kind + "/" + o.Namespace + "/" + o.Name
	want, ok := m.git[key]
	if !ok {
		return
	}
	var off []string
	for pointer, field := range fields {
		if v, ok := want[pointer].(float64); ok {
			if is := field(nil); is == nil || *is != int(v) {
				off = append(off, pointer)
			}
		}
	}
	if len(off) == 0 {
		delete(m.drift, key)
		return
	}
	since, ok := m.drift[key]
	if !ok {
		m.drift[key], since = m.at, m.at
	}
	if m.at.Sub(since) < m.options.Heal {
		return
	}
	delete(m.drift, key)
	for _, pointer := range off {
		v := int(want[pointer].(float64))
		fields[pointer](&v)
	}
	o.Generation++
	name, _ := want["by"].(string)
	o.Managers = takeOver(o.Managers, writer{name: name, apply: true}, m.at, off)
}
