package kube

import (
	"os"
	"strings"
)

// Options are the flags of one command line, and below them a configuration file's top-level
// scalars. Flags that a stand-in does not know are kept and ignored.
type Options map[string]string

// ParseOptions reads --name=value, --name value and --name; short maps -n to its long name.
// A flag named in boolean takes no value from the argument after it.
func ParseOptions(arguments []string, short map[string]string, boolean ...string) Options {
	options := Options{}
	for i := 0; i < len(arguments); i++ {
		name, value, given := strings.Cut(arguments[i], "=")
		long, known := short[name]
		if known {
			name = long
		} else if !strings.HasPrefix(name, "--") {
			continue
		}
		name = strings.TrimPrefix(name, "--")
		if !given && !contains(boolean, name) && i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "-") {
			i++
			value = arguments[i]
		}
		options[name] = value
	}
	return options
}

// ReadFile adds what the file sets and no flag did; an absent file sets nothing.
func (o Options) ReadFile(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	for _, line := range strings.Split(string(text), "\n") {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" || strings.ContainsAny(name[:1], " \t#-") {
			continue
		}
		if _, set := o[name]; !set {
			o[name] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
}

// Get is the option's value, or the fallback where it was not given or is empty.
func (o Options) Get(name, fallback string) string {
	if value := o[name]; value != "" {
		return value
	}
	return fallback
}

// Is tells whether a boolean flag is on: given, and not as false.
func (o Options) Is(name string) bool {
	value, set := o[name]
	return set && value != "false"
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
