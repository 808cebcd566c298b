// labstore is a snap store of one node: it speaks just enough of the store's protocol for a snapd
// that was built to trust snapd's own test keys.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
)

const usage = `usage: labstore [-dir DIR] VERB ...
  init URL                        sign the model, the store and the account's key
  publish FILE REVISION CHANNEL...
  release NAME REVISION CHANNEL...
  close NAME CHANNEL
  serve ADDRESS
Before each download it waits for as many seconds as DIR/delay says.`

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "/srv/labstore", "where the store keeps its snaps")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	flag.Parse()
	if err := run(*dir, flag.Args()); err != nil {
		log.Fatalf("labstore: %v", err)
	}
}

func run(dir string, arguments []string) error {
	verb, arguments := at(arguments, 0), arguments[min(1, len(arguments)):]
	switch {
	case verb == "init" && len(arguments) == 1:
		return initialise(dir, arguments[0])
	case verb == "publish" && len(arguments) >= 2:
		return publish(dir, arguments[0], at(arguments, 1), arguments[2:])
	case verb == "release" && len(arguments) >= 3:
		return change(dir, func(c *catalog) error {
			revision, err := strconv.Atoi(arguments[1])
			if err != nil {
				return err
			}
			return c.release(arguments[0], revision, arguments[2:])
		})
	case verb == "close" && len(arguments) == 2:
		return change(dir, func(c *catalog) error { return c.close(arguments[0], arguments[1]) })
	case verb == "serve" && len(arguments) == 1:
		return http.ListenAndServe(arguments[0], &server{dir: dir})
	}
	flag.Usage()
	return errors.New("no such verb, or not with these arguments")
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
