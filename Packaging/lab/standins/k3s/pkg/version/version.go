// Package version has the variables that K3s's release build sets with -X.
package version

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

var (
	Program   = "k3s"
	Version   = "dev"
	GitCommit = "HEAD"
)

// Neighbours are versions of other things that a real binary carries, and that a reader of its
// bytes must not take for K3s's own.
var Neighbours = []string{"v1.20.0-k3s1", "v1.4.4-k3s1", "v3.5.13-k3s1", "v1.7.23-k3s2"}

// Banner is what --version prints. K3s 1.19 printed the first line alone.
func Banner(program string) string {
	line := fmt.Sprintf("%s version %s (%s)\n", filepath.Base(program), Version, GitCommit)
	if strings.HasPrefix(Version, "v1.19.") {
		return line
	}
	return line + "go version " + runtime.Version() + "\n"
}
