module holdfast.invalid/lab/kube

go 1.22
