package website

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// start gives a client of an API server of envtest's, with the definition and the webhook installed and the controller running.
func start(t *testing.T) (*envtest.Environment, client.Client) {
	t.Helper()
	log.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(testWriter{t})))
	scheme := runtime.NewScheme()
	must(t, clientgoscheme.AddToScheme(scheme))
	must(t, AddToScheme(scheme))
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("config", "crd")},
		ErrorIfCRDPathMissing: true,
		WebhookInstallOptions: envtest.WebhookInstallOptions{Paths: []string{filepath.Join("config", "webhook")}},
	}
	config, err := environment.Start()
	must(t, err)
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	hooks := environment.WebhookInstallOptions
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:        scheme,
		Metrics:       metricsserver.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{Host: hooks.LocalServingHost, Port: hooks.LocalServingPort, CertDir: hooks.LocalServingCertDir}),
	})
	must(t, err)
	must(t, (&Reconciler{Client: manager.GetClient()}).SetupWithManager(manager))
	manager.GetWebhookServer().Register("/validate-website", &webhook.Admission{Handler: Validator{admission.NewDecoder(scheme)}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- manager.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	direct, err := client.New(config, client.Options{Scheme: scheme})
	must(t, err)
	eventually(t, "the webhook server to answer", func(ctx context.Context) (bool, error) {
		return manager.GetWebhookServer().StartedChecker()(nil) == nil, nil
	})
	return environment, direct
}

func TestWebsite(t *testing.T) {
	environment, c := start(t)
	ctx := context.Background()

	replicas := int32(3)
	site := &Website{ObjectMeta: metav1.ObjectMeta{Name: "home", Namespace: "default"}, Spec: Spec{HTML: "<h1>Ahoy</h1>", Replicas: &replicas}}
	must(t, c.Create(ctx, site))

	t.Run("gets a page and servers", func(t *testing.T) {
		var page corev1.ConfigMap
		var servers appsv1.Deployment
		eventually(t, "ConfigMap and Deployment", func(ctx context.Context) (bool, error) {
			err := c.Get(ctx, client.ObjectKeyFromObject(site), &page)
			if err == nil {
				err = c.Get(ctx, client.ObjectKeyFromObject(site), &servers)
			}
			return err == nil, client.IgnoreNotFound(err)
		})
		if page.Data["index.html"] != "<h1>Ahoy</h1>" || *servers.Spec.Replicas != 3 || !metav1.IsControlledBy(&servers, site) {
			t.Errorf("got %v and %v", page.Data, servers.Spec)
		}
		servers.Status.Replicas, servers.Status.ReadyReplicas, servers.Status.AvailableReplicas = 3, 3, 3
		must(t, c.Status().Update(ctx, &servers))
	})

	t.Run("tells how many servers there are", func(t *testing.T) {
		eventually(t, "status.availableReplicas", func(ctx context.Context) (bool, error) {
			err := c.Get(ctx, client.ObjectKeyFromObject(site), site)
			return err == nil && site.Status.AvailableReplicas == 3 && site.Status.ObservedGeneration == site.Generation, err
		})
	})

	t.Run("follows a change of the page", func(t *testing.T) {
		patch := client.MergeFrom(site.DeepCopy())
		site.Spec.HTML = "<h1>Land ho</h1>"
		must(t, c.Patch(ctx, site, patch))
		eventually(t, "the new page", func(ctx context.Context) (bool, error) {
			var page corev1.ConfigMap
			err := c.Get(ctx, client.ObjectKeyFromObject(site), &page)
			return page.Data["index.html"] == "<h1>Land ho</h1>", err
		})
	})

	t.Run("the webhook refuses what is no page", func(t *testing.T) {
		err := c.Create(ctx, &Website{ObjectMeta: metav1.ObjectMeta{Name: "plain", Namespace: "default"}, Spec: Spec{HTML: "Ahoy"}})
		if !apierrors.IsForbidden(err) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("the definition fills in and refuses", func(t *testing.T) {
		small := &Website{ObjectMeta: metav1.ObjectMeta{Name: "small", Namespace: "default"}, Spec: Spec{HTML: "<p>"}}
		must(t, c.Create(ctx, small))
		if small.Spec.Replicas == nil || *small.Spec.Replicas != 1 {
			t.Errorf("replicas: %v", small.Spec.Replicas)
		}
		many := int32(11)
		if err := c.Create(ctx, &Website{ObjectMeta: metav1.ObjectMeta{Name: "many", Namespace: "default"}, Spec: Spec{HTML: "<p>", Replicas: &many}}); !apierrors.IsInvalid(err) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a user without rights may not read", func(t *testing.T) {
		user, err := environment.AddUser(envtest.User{Name: "jane", Groups: []string{"sailors"}}, nil)
		must(t, err)
		jane, err := client.New(user.Config(), client.Options{Scheme: c.Scheme()})
		must(t, err)
		if err := jane.List(ctx, &WebsiteList{}); !apierrors.IsForbidden(err) {
			t.Errorf("got %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, check wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, time.Minute, true, check); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(line []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(string(line))
	}
	return len(line), nil
}
