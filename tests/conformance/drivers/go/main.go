// SPDX-License-Identifier: Apache-2.0

// Command go_driver plays the steps of behaviours on nats.go and writes down what is seen.
//
// Usage: go_driver CONTROL
//
//	go_driver sign-in ATTEMPTS
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

const patience = 8 * time.Second

// behaviour is one scenario; a step is a verb and its arguments.
type behaviour struct {
	ID    string              `json:"id"`
	Steps [][]json.RawMessage `json:"steps"`
}

type plan struct {
	Lanes   [][]behaviour `json:"lanes"`
	Workers int           `json:"workers"`
}

// answer is what the runner says to a request of ours.
type answer struct {
	Lease string            `json:"lease"`
	Lines []string          `json:"lines"`
	URLs  map[string]string `json:"urls"`
	Gone  bool              `json:"gone"`
}

func until(condition func() bool) bool {
	for end := time.Now().Add(patience); !condition() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	return condition()
}

func ask(control string, request map[string]any) answer {
	var found answer
	body, err := json.Marshal(request)
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.Post(control, "application/json", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		log.Fatal(err)
	}
	return found
}

// main plays all lanes of the runner, some at a time; the behaviours of a lane share a server.
func main() {
	if os.Args[1] == "sign-in" {
		signIn(os.Args[2])
		return
	}
	control := os.Args[1]
	response, err := http.Get(control)
	if err != nil {
		log.Fatal(err)
	}
	var todo plan
	if err := json.NewDecoder(response.Body).Decode(&todo); err != nil {
		log.Fatal(err)
	}
	lanes := make(chan []behaviour, len(todo.Lanes))
	for _, lane := range todo.Lanes {
		lanes <- lane
	}
	close(lanes)
	var output sync.Mutex
	var workers sync.WaitGroup
	for range todo.Workers {
		workers.Go(func() {
			for lane := range lanes {
				for _, one := range lane {
					lines := newScenario(control).play(one)
					text, _ := json.Marshal(map[string]any{"id": one.ID, "outcome": lines})
					output.Lock()
					fmt.Println(string(text))
					output.Unlock()
				}
			}
		})
	}
	workers.Wait()
}
