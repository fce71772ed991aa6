package pages

import (
	"fmt"
	"net/url"
)

// CheckOrigin refuses what is not scheme://host[:port] alone: it becomes part of a header, where
// a space or a semicolon would say more.
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	plain := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && origin == u.Scheme+"://"+u.Host
	for _, c := range origin {
		plain = plain && c > ' ' && c < 0x7f && c != ';' && c != ',' && c != '*' && c != '\''
	}
	if !plain {
		return fmt.Errorf("%.100q is not the origin of a page: write http://host or https://host:port", origin)
	}
	return nil
}
