module github.com/k0sproject/k0s

go 1.22

require holdfast.invalid/lab/kube v0.0.0

replace holdfast.invalid/lab/kube => ../kube
