// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// way is how somebody tries to come in; all but the first four are paths.
type way struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Seed     string `json:"seed"`
	Creds    string `json:"creds"`
	CA       string `json:"ca"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
	First    bool   `json:"first"`
}

func (w way) options() ([]nats.Option, error) {
	options := []nats.Option{nats.NoReconnect(), nats.Timeout(5 * time.Second)}
	if w.User != "" {
		options = append(options, nats.UserInfo(w.User, w.Password))
	}
	if w.Token != "" {
		options = append(options, nats.Token(w.Token))
	}
	if w.Creds != "" {
		options = append(options, nats.UserCredentials(w.Creds))
	}
	if w.CA != "" {
		options = append(options, nats.RootCAs(w.CA))
	}
	if w.Cert != "" {
		options = append(options, nats.ClientCert(w.Cert, w.Key))
	}
	if w.First {
		options = append(options, nats.TLSHandshakeFirst())
	}
	if w.Seed == "" {
		return options, nil
	}
	signs, err := nats.NkeyOptionFromSeed(w.Seed)
	return append(options, signs), err
}

func (w way) attempt() error {
	options, err := w.options()
	if err != nil {
		return err
	}
	nc, err := nats.Connect(w.URL, options...)
	if err != nil {
		return err
	}
	defer nc.Close()
	echo, err := nc.SubscribeSync("probe")
	if err != nil {
		return err
	}
	if err := nc.Publish("probe", []byte("x")); err != nil {
		return err
	}
	message, err := echo.NextMsg(5 * time.Second)
	if err == nil && string(message.Data) != "x" {
		err = errors.New("another message")
	}
	return err
}

// signIn tries to come in by each of the attempts, and prints a line for each: "in", or why not.
func signIn(attempts string) {
	var ways []way
	if err := json.Unmarshal([]byte(attempts), &ways); err != nil {
		log.Fatal(err)
	}
	for _, one := range ways {
		if err := one.attempt(); err != nil {
			fmt.Println("out:", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("in")
		}
	}
}
