package website

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// Reconciler brings a Website's ConfigMap and Deployment about, and tells of them in its status.
type Reconciler struct{ client.Client }

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).For(&Website{}).Owns(&corev1.ConfigMap{}).Owns(&appsv1.Deployment{}).Complete(r)
}

// Reconcile does what one Website asks for.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var site Website
	if err := r.Get(ctx, request.NamespacedName, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	page := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, page, func() error {
		page.Data = map[string]string{"index.html": site.Spec.HTML}
		return controllerutil.SetControllerReference(&site, page, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, fmt.Errorf("page: %w", err)
	}
	servers := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, servers, func() error {
		describe(servers, &site)
		return controllerutil.SetControllerReference(&site, servers, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, fmt.Errorf("servers: %w", err)
	}
	if site.Status.AvailableReplicas == servers.Status.AvailableReplicas && site.Status.ObservedGeneration == site.Generation {
		return ctrl.Result{}, nil
	}
	site.Status = Status{AvailableReplicas: servers.Status.AvailableReplicas, ObservedGeneration: site.Generation}
	return ctrl.Result{}, r.Status().Update(ctx, &site)
}

func describe(servers *appsv1.Deployment, site *Website) {
	labels := map[string]string{"website": site.Name}
	servers.Spec.Replicas = site.Spec.Replicas
	servers.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	servers.Spec.Template.Labels = labels
	if len(servers.Spec.Template.Spec.Containers) == 0 {
		servers.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web"}}
	}
	web := &servers.Spec.Template.Spec.Containers[0]
	web.Image = "nginx"
	web.VolumeMounts = []corev1.VolumeMount{{Name: "page", MountPath: "/usr/share/nginx/html"}}
	if len(servers.Spec.Template.Spec.Volumes) == 0 {
		servers.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "page", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: site.Name}},
		}}}
	}
}

// Validator refuses pages that are none.
type Validator struct{ admission.Decoder }

// Handle answers one admission review.
func (v Validator) Handle(_ context.Context, request admission.Request) admission.Response {
	var site Website
	if err := v.Decode(request, &site); err != nil {
		return admission.Errored(400, err)
	}
	if !strings.HasPrefix(site.Spec.HTML, "<") {
		return admission.Denied("spec.html must begin with a tag")
	}
	return admission.Allowed("")
}
