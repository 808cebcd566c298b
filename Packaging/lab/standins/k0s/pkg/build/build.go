// Package build has the variables that k0s's release build sets with -X.
package build

var Version = "dev"

// Components are versions that a real binary carries beside its own.
var Components = map[string]string{
	"runc": "1.3.3", "containerd": "1.7.29", "kine": "0.14.6", "etcd": "3.6.14", "konnectivity": "0.33.0",
}
