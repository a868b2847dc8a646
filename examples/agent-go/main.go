// SPDX-License-Identifier: MIT

// A small agent on Debian's varlink library (golang-github-varlink-go-dev). Package
// iocowbell is what that library's generator makes of the interface that the socket
// serves; tests/system/t_agent_go.sh shows how both are built.
//
//	agent-go SOCKET              asks on standard output, reads a word for each
//	                             question from standard input; what is no answer is later
//	agent-go SOCKET apps         lists apps, and what each may
//	agent-go SOCKET interface    prints the interface
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"iocowbell"

	"github.com/varlink/go/varlink"
)

type agent struct {
	socket string
	lines  *bufio.Scanner
}

func (a *agent) connect(ctx context.Context) (*varlink.Connection, error) {
	return varlink.NewConnection(ctx, "unix:"+a.socket)
}

// The stream of questions has a connection of its own, so each answer takes another.
func (a *agent) with(ctx context.Context, fn func(c *varlink.Connection) error) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return fn(c)
}

func (a *agent) ask(ctx context.Context, p iocowbell.Prompt) error {
	fmt.Printf("%s wants %s (%s): %s?\n", p.App, p.About, p.Program, strings.Join(p.Answers, ", "))
	word := ""
	if a.lines.Scan() {
		word = strings.TrimSpace(a.lines.Text())
	}
	for _, known := range p.Answers {
		if word != known {
			continue
		}
		return a.with(ctx, func(c *varlink.Connection) error {
			says, err := iocowbell.Answer().Call(ctx, c, p.Id, word, nil, "run", nil)
			if err == nil {
				fmt.Println(says)
			}
			return err
		})
	}
	fmt.Println("later")
	return a.with(ctx, func(c *varlink.Connection) error {
		return iocowbell.Later().Call(ctx, c, p.Id)
	})
}

func (a *agent) run(ctx context.Context) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	receive, err := iocowbell.Agent().Send(ctx, c, varlink.More, "agent-go")
	if err != nil {
		return err
	}
	for {
		prompts, flags, err := receive(ctx)
		if err != nil {
			return err
		}
		for _, p := range prompts {
			if p.State != "waiting" {
				continue
			}
			err := a.ask(ctx, p)
			var gone *iocowbell.NoSuchPrompt
			var bad *iocowbell.BadInput
			if errors.As(err, &gone) || errors.As(err, &bad) { // answered elsewhere, or no answer for it
				fmt.Println("not answered:", err)
			} else if err != nil {
				return err
			}
		}
		if flags&varlink.Continues == 0 {
			return errors.New("the broker ended the stream")
		}
	}
}

func (a *agent) apps(ctx context.Context) error {
	return a.with(ctx, func(c *varlink.Connection) error {
		apps, err := iocowbell.List().Call(ctx, c)
		if err != nil {
			return err
		}
		for _, app := range apps {
			_, permissions, _, _, err := iocowbell.Info().Call(ctx, c, app.Id)
			if err != nil {
				return err
			}
			for _, p := range permissions {
				fmt.Println(app.Id, p.Permission, p.Answer)
			}
		}
		return nil
	})
}

func (a *agent) printInterface(ctx context.Context) error {
	return a.with(ctx, func(c *varlink.Connection) error {
		text, err := c.GetInterfaceDescription(ctx, "io.cowbell")
		fmt.Print(text)
		return err
	})
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: agent-go SOCKET [apps|interface]")
		os.Exit(2)
	}
	a := &agent{socket: os.Args[1], lines: bufio.NewScanner(os.Stdin)}
	do := a.run
	if len(os.Args) > 2 && os.Args[2] == "apps" {
		do = a.apps
	} else if len(os.Args) > 2 {
		do = a.printInterface
	}
	if err := do(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "agent-go:", err)
		os.Exit(1)
	}
}
