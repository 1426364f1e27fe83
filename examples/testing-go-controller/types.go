// Package website runs a website for each Website object: a ConfigMap with its page, and a Deployment that serves it.
package website

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	groupVersion = schema.GroupVersion{Group: "examples.berth.dev", Version: "v1"}
	builder      = &scheme.Builder{GroupVersion: groupVersion}
	// AddToScheme makes a scheme know Website.
	AddToScheme = builder.AddToScheme
)

func init() { builder.Register(&Website{}, &WebsiteList{}) }

// Website is a page, served by some replicas.
type Website struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec"`
	Status            Status `json:"status,omitempty"`
}

// Spec is what somebody wishes for.
type Spec struct {
	HTML     string `json:"html"`
	Replicas *int32 `json:"replicas,omitempty"`
}

// Status is what there is.
type Status struct {
	AvailableReplicas  int32 `json:"availableReplicas"`
	ObservedGeneration int64 `json:"observedGeneration"`
}

// WebsiteList is a list of them.
type WebsiteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Website `json:"items"`
}

// DeepCopy copies a Website.
func (w *Website) DeepCopy() *Website {
	out := *w
	w.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if w.Spec.Replicas != nil {
		replicas := *w.Spec.Replicas
		out.Spec.Replicas = &replicas
	}
	return &out
}

// DeepCopyObject is DeepCopy for the machinery.
func (w *Website) DeepCopyObject() runtime.Object { return w.DeepCopy() }

// DeepCopyObject copies a list.
func (l *WebsiteList) DeepCopyObject() runtime.Object {
	out := WebsiteList{TypeMeta: l.TypeMeta, Items: make([]Website, len(l.Items))}
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return &out
}
