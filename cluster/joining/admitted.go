package joining

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"almenara/cluster/internode"
	"almenara/cluster/peers"
	"almenara/storage/durable"
)

// admittedFile keeps, beside the identity, the nodes of the district that admitted this one.
// The district calls a new node at the address that it gave; one that has moved before it was
// called has nothing else by which to find the others.
const admittedFile = "admitted.by"

// AdmittedBy is where the nodes were reached that made up the district when it admitted the
// node whose identity is in dir: host:port by server id. Nil where that is not known: the
// first node of a district, one of older software, or a file that cannot be read.
func AdmittedBy(dir string) map[string]string {
	raw, err := os.ReadFile(filepath.Join(dir, admittedFile))
	var known map[string]string
	if err != nil || json.Unmarshal(raw, &known) != nil {
		return nil
	}
	for id, addr := range known {
		if !internode.ValidAddress(addr) {
			delete(known, id)
		}
	}
	return known
}

// saveAdmittedBy is durable on return.
func saveAdmittedBy(dir string, servers []peers.Peer) error {
	known := map[string]string{}
	for _, p := range servers {
		if internode.ValidAddress(p.Addr) {
			known[p.ID] = p.Addr
		}
	}
	raw, err := json.Marshal(known)
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, admittedFile), raw)
	}
	if err != nil {
		return fmt.Errorf("writing which nodes admitted this one: %w", err)
	}
	return nil
}
