package kube

import (
	"os"
	"strings"
	"unsafe"
)

// TakeArguments copies the command line and then overwrites it where the kernel reads
// /proc/PID/cmdline, leaving the title alone, as K3s does. Go's os.Args point into that memory.
func TakeArguments(title string) []string {
	arguments := make([]string, len(os.Args))
	for i, argument := range os.Args {
		arguments[i] = strings.Clone(argument)
	}
	for i, argument := range os.Args {
		memory := unsafe.Slice(unsafe.StringData(argument), len(argument))
		n := copy(memory, title)
		title = title[n:]
		clear(memory[n:])
		if title != "" && i+1 < len(os.Args) {
			// Between two arguments is a terminator; the title goes on over it.
			*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(argument)), len(argument))) = title[0]
			title = title[1:]
		}
	}
	os.Args = arguments
	return arguments
}
