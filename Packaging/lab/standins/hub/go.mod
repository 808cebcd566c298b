module holdfast.invalid/lab/hub

go 1.22
