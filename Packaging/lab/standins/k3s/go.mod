module github.com/k3s-io/k3s

go 1.22

require holdfast.invalid/lab/kube v0.0.0

replace holdfast.invalid/lab/kube => ../kube
