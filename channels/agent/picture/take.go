package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Program is a program of the box that prints a picture of its screen, with its arguments.
type Program []string

// Found is the program that takes pictures of the screen here: grim in a Wayland session, scrot in
// one of X11; nil where neither is installed.
func Found() Program {
	if _, err := exec.LookPath("grim"); err == nil && os.Getenv("WAYLAND_DISPLAY") != "" {
		return Program{"grim", "-t", "png", "-"}
	}
	if _, err := exec.LookPath("scrot"); err == nil && os.Getenv("DISPLAY") != "" {
		return Program{"scrot", "--silent", "-"}
	}
	return nil
}

// Take has the program print a picture, of maxBytes at most.
func (p Program) Take(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p[0], p[1:]...)
	cmd.WaitDelay = time.Second
	out := &limited{}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("taking a picture of the screen: %w", err)
	}
	return out.of.Bytes(), nil
}

// maxBytes bounds what a program prints.
const maxBytes = 64 << 20

type limited struct{ of bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.of.Len()+len(p) > maxBytes {
		return 0, errors.New("the picture is too large")
	}
	return l.of.Write(p)
}
