package reachable

import (
	"net"
	"net/url"
	"strings"

	"almenara/storage/noderecord"
)

// Origins are the hosts whose pages may connect over WebSocket, as patterns of path.Match: the
// hosts at which the API of a node, own, is reached, and the APIs of the district's other
// nodes, because a page that came from one of them goes to another when its own is gone.
func Origins(own string, hosts []string, nodes []noderecord.Node) (patterns []string) {
	if u, err := url.Parse(own); err == nil && u.Host != "" {
		for _, h := range hosts {
			if host, _, err := net.SplitHostPort(h); err == nil {
				h = host
			}
			patterns = append(patterns, pageHost(u.Scheme, net.JoinHostPort(h, u.Port())))
		}
	}
	for _, node := range nodes {
		if u, err := url.Parse(node.API); err == nil && u.Host != "" && !node.Removed {
			patterns = append(patterns, pageHost(u.Scheme, u.Host))
		}
	}
	return patterns
}

// pageHost is host:port as a browser names it in Origin, as a pattern: without the port that
// the scheme has by itself.
func pageHost(scheme, host string) string {
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return strings.NewReplacer("[", `\[`, "]", `\]`, "*", `\*`, "?", `\?`).Replace(host)
}
