package k8s_test

import (
	"os"
	"path/filepath"
	"testing"
)

// overlayWith is an overlay to which an operator has added a component, as the operations
// document says: one line more in its kustomization.
func overlayWith(t *testing.T, name, component string) *objects {
	t.Helper()
	o, err := decode(renderedWith(t, name, component))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// renderedWith renders a copy of all manifests, since the overlay itself stays as it is.
func renderedWith(t *testing.T, name, component string) string {
	t.Helper()
	copied := t.TempDir()
	for _, folder := range []string{"redis", "k8s/base", "k8s/components", "k8s/overlays"} {
		if err := os.CopyFS(filepath.Join(copied, folder), os.DirFS(filepath.Join("..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	overlay := filepath.Join(copied, "k8s/overlays", name)
	file, err := os.OpenFile(filepath.Join(overlay, "kustomization.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("components: [../../components/" + component + "]\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return renderedText(t, overlay)
}
