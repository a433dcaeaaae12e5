// SPDX-License-Identifier: Apache-2.0

// The shapes with nats.go: go_client <shape> <url> <seconds>
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// As in measure.h.
const (
	batch         = 1000
	chunkMessages = 16384
	chunksAhead   = 3
)

var (
	shape    = os.Args[1]
	url      = os.Args[2]
	duration time.Duration
	payload  = []byte("0123456789abcdef")
)

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatalf("%s: %v", shape, err)
	}
}

func connected() *nats.Conn { return must(nats.Connect(url)) }

type measurement struct {
	at     time.Time
	cpu    time.Duration
	rssKiB int64
}

func measure() measurement {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return measurement{time.Now(), cpu, statusOf("VmRSS:")}
}

func statusOf(name string) int64 {
	status := must(os.Open("/proc/self/status"))
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); fields[0] == name {
			return must(strconv.ParseInt(fields[1], 10, 64))
		}
	}
	return 0
}

func report(since measurement, operations int, latencies []time.Duration) {
	now := measure()
	slices.Sort(latencies)
	var p50 time.Duration
	if len(latencies) > 0 {
		p50 = latencies[len(latencies)/2]
	}
	count := float64(operations)
	fmt.Printf(`{"client":"nats.go %s","shape":"%s","operations":%d,"seconds":%.3f,`+
		`"cpu_ns":%.1f,"p50_us":%.2f,"rss_kib":%d,"grown_bytes":%.0f,"threads":%d}`+"\n",
		nats.Version, shape, operations, now.at.Sub(since.at).Seconds(),
		float64(now.cpu-since.cpu)/count, float64(p50)/1e3, now.rssKiB,
		float64(now.rssKiB-since.rssKiB)*1024/count, statusOf("Threads:"))
	os.Exit(0) // What is still open goes with the process.
}

func publish() {
	nc := connected()
	begun := measure()
	sent := 0
	for ; time.Since(begun.at) < duration; sent += batch {
		for range batch {
			check(nc.Publish("bench", payload))
		}
	}
	check(nc.Flush())
	report(begun, sent, nil)
}

func receive(byCallback bool) {
	nc := connected()
	var begun measurement
	received := 0
	take := func(*nats.Msg) {
		if received == 0 {
			begun = measure()
		}
		received++
		if received%chunkMessages != 0 {
			return
		}
		if time.Since(begun.at) >= duration {
			report(begun, received, nil)
		}
		check(nc.Publish("more", nil))
	}
	messages := make(chan *nats.Msg, 65536)
	if byCallback {
		must(nc.Subscribe("bench", take))
	} else {
		must(nc.ChanSubscribe("bench", messages))
	}
	check(nc.Flush())
	for range chunksAhead {
		check(nc.Publish("more", nil))
	}
	for message := range messages {
		take(message)
	}
}

func request(inFlight int) {
	nc := connected()
	all := make([][]time.Duration, inFlight)
	begun := measure()
	var workers sync.WaitGroup
	for i := range all {
		workers.Go(func() {
			for asked := time.Now(); asked.Sub(begun.at) < duration; asked = time.Now() {
				must(nc.Request("echo", payload, 5*time.Second))
				all[i] = append(all[i], time.Since(asked))
			}
		})
	}
	workers.Wait()
	latencies := slices.Concat(all...)
	report(begun, len(latencies), latencies)
}

func connections() {
	check(connected().Flush())
	begun := measure()
	for range 100 {
		check(connected().Flush())
	}
	report(begun, 100, nil)
}

func subscriptions() {
	nc := connected()
	check(nc.Flush())
	begun := measure()
	for i := range 10000 {
		must(nc.Subscribe(fmt.Sprintf("bench.%d", i), func(*nats.Msg) {}))
	}
	check(nc.Flush())
	report(begun, 10000, nil)
}

func main() {
	duration = time.Duration(must(strconv.ParseFloat(os.Args[3], 64)) * 1e9)
	switch shape {
	case "publish":
		publish()
	case "receive-callback":
		receive(true)
	case "receive-next":
		receive(false)
	case "request-1":
		request(1)
	case "request-256":
		request(256)
	case "connections":
		connections()
	case "subscriptions":
		subscriptions()
	}
	os.Exit(2)
}
