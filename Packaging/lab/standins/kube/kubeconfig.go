package kube

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

// Kubeconfig is a client's configuration with every credential inside it.
type Kubeconfig struct {
	Server                 string
	Cluster, User, Context string
	Authority              []byte
	Certificate, Key       []byte
}

// Write replaces the file, readable by its owner alone.
func (k Kubeconfig) Write(path string) error {
	encode := base64.StdEncoding.EncodeToString
	text := fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
  name: %s
contexts:
- context:
    cluster: %[3]s
    user: %[4]s
  name: %[5]s
current-context: %[5]s
kind: Config
users:
- name: %[4]s
  user:
    client-certificate-data: %[6]s
    client-key-data: %[7]s
`, encode(k.Authority), k.Server, k.Cluster, k.User, k.Context, encode(k.Certificate), encode(k.Key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Chmod(path, 0o600)
}
