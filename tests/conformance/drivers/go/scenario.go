// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// options are those of all steps together; each step reads its own.
type options struct {
	Name           string      `json:"name"`
	Via            string      `json:"via"`
	User           *string     `json:"user"`
	Pass           string      `json:"pass"`
	Token          *string     `json:"token"`
	Echo           *bool       `json:"echo"`
	Verbose        bool        `json:"verbose"`
	Pedantic       bool        `json:"pedantic"`
	Reconnect      bool        `json:"reconnect"`
	Say            bool        `json:"say"`
	InboxPrefix    string      `json:"inbox_prefix"`
	PingIntervalMS int         `json:"ping_interval_ms"`
	PingMax        int         `json:"ping_max"`
	TimeoutMS      int         `json:"timeout_ms"`
	Queue          string      `json:"queue"`
	Max            int         `json:"max"`
	Times          int         `json:"times"`
	Reply          *string     `json:"reply"`
	Answers        int         `json:"answers"`
	Sentinel       bool        `json:"sentinel"`
	Forward        string      `json:"forward"`
	Headers        [][2]string `json:"headers"`
	LongHeader     int         `json:"long_header"`
	Size           *int        `json:"size"`
	Base64         *string     `json:"base64"`
	Until          string      `json:"until"`
	StallMS        int         `json:"stall_ms"`
	JSON           bool        `json:"json"`
	Sorted         bool        `json:"sorted"`
	Types          bool        `json:"types"`
}

type connection struct {
	nc     *nats.Conn
	cid    uint64
	mutex  sync.Mutex
	errors []string
	events []string
}

func (c *connection) saw(event string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.events = append(c.events, event)
}

func (c *connection) has(event string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Contains(c.events, event)
}

func (c *connection) errorCount() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.errors)
}

// subscription keeps the messages of one or of many equal subscriptions.
type subscription struct {
	handles  []*nats.Subscription
	arrivals chan *nats.Msg
	messages []*nats.Msg
	respond  bool
	mutex    sync.Mutex
}

func (s *subscription) add(message *nats.Msg) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.messages = append(s.messages, message)
}

func (s *subscription) seen() []*nats.Msg {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.messages)
}

func (s *subscription) forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.messages = nil
}

type scenario struct {
	control       string
	lease         string
	urls          map[string]string
	lines         []string
	names         []string
	connections   map[string]*connection
	subscriptions map[string]*subscription
}

func newScenario(control string) *scenario {
	return &scenario{control: control, connections: map[string]*connection{},
		subscriptions: map[string]*subscription{}}
}

func (s *scenario) say(format string, arguments ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, arguments...))
}

func (s *scenario) play(one behaviour) []string {
	granted := ask(s.control, map[string]any{"op": "lease", "id": one.ID})
	s.lease, s.urls = granted.Lease, granted.URLs
	s.lines = append(s.lines, granted.Lines...)
	s.steps(one)
	for _, connection := range s.connections {
		connection.nc.Close()
	}
	ask(s.control, map[string]any{"op": "release", "lease": s.lease})
	return s.lines
}

func (s *scenario) steps(one behaviour) {
	defer func() {
		if problem := recover(); problem != nil {
			s.say("missing: %v", problem)
		}
	}()
	for _, step := range one.Steps {
		arguments := arguments(step[1:])
		verb := text(step[0])
		if play, ours := verbs[verb]; ours {
			play(s, arguments)
		} else {
			s.remote(verb, arguments)
		}
	}
}

// remote has the runner do what is not the client's own: servers, relays, monitoring.
func (s *scenario) remote(verb string, rest arguments) answer {
	cids := map[string]uint64{}
	for name, connection := range s.connections {
		cids[name] = connection.cid
	}
	list := append(make([]json.RawMessage, 0), rest...)
	found := ask(s.control, map[string]any{"op": verb, "args": list, "lease": s.lease, "cids": cids})
	s.lines = append(s.lines, found.Lines...)
	for name, url := range found.URLs {
		s.urls[name] = url
	}
	return found
}

// arguments are those of a step; reading a missing one gives the zero value.
type arguments []json.RawMessage

func (a arguments) read(index int, target any) {
	if index < len(a) {
		if err := json.Unmarshal(a[index], target); err != nil {
			panic(err)
		}
	}
}

func text(raw json.RawMessage) (value string) {
	arguments{raw}.read(0, &value)
	return value
}

func (a arguments) text(index int) (value string)     { a.read(index, &value); return value }
func (a arguments) number(index int) (value int)      { a.read(index, &value); return value }
func (a arguments) texts(index int) (value []string)  { a.read(index, &value); return value }
func (a arguments) options(index int) (value options) { a.read(index, &value); return value }

func (s *scenario) connection(name string) *connection {
	found := s.connections[name]
	if found == nil {
		panic("no connection " + name)
	}
	return found
}

func (s *scenario) subscription(label string) *subscription {
	found := s.subscriptions[label]
	if found == nil {
		panic("no subscription " + label)
	}
	return found
}

// settle flushes in two rounds: what the first makes visible may be answered before the second ends.
func (s *scenario) settle() {
	for range 2 {
		for _, name := range s.names {
			if nc := s.connections[name].nc; !nc.IsClosed() {
				_ = nc.FlushTimeout(3 * time.Second)
			}
		}
		for _, subscription := range s.subscriptions {
			subscription.collect()
		}
	}
}

// collect takes what has arrived; a responder's messages come by its callback.
func (s *subscription) collect() {
	for !s.respond {
		select {
		case message := <-s.arrivals:
			s.add(message)
		default:
			return
		}
	}
	until(func() bool {
		for _, handle := range s.handles {
			if waiting, _, err := handle.Pending(); err == nil && waiting > 0 {
				return false
			}
		}
		return true
	})
}

func (s *scenario) show(label string, shown []string, sorted bool) {
	if sorted {
		slices.Sort(shown)
	}
	s.say("%s got %d", label, len(shown))
	for _, line := range shown {
		s.say("  %s", line)
	}
}

func indexed(subject string, index int) string {
	return strings.Replace(subject, "#", strconv.Itoa(index), 1)
}
