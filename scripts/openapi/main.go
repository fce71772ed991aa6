// Openapi prints the description of the API, for linters and generators of clients.
package main

import (
	"os"

	"almenara/node/api"
)

func main() {
	if _, err := os.Stdout.Write(api.OpenAPI("")); err != nil {
		os.Exit(1)
	}
}
