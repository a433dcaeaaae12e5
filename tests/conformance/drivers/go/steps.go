// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
)

var verbs map[string]func(*scenario, arguments)

func init() {
	verbs = map[string]func(*scenario, arguments){
		"connect": doConnect, "close": doClose, "drain": doDrain, "flush": doFlush, "rtt": doRTT,
		"subscribe": doSubscribe, "unsubscribe": doUnsubscribe, "drain_subscription": doDrainSubscription,
		"publish": doPublish, "request": doRequest, "request_parallel": doRequestParallel,
		"request_many": doRequestMany, "wait_messages": doWaitMessages, "messages": doMessages,
		"count": doCount, "total": doTotal, "order": doOrder, "shares": doShares, "ended": doEnded,
		"errors": doErrors, "wait_event": doWaitEvent, "closed": doClosed, "open": doOpen,
		"open_count": doOpenCount, "increasing_ids": doIncreasingIDs, "info": doInfo,
		"publish_until_gone": doPublishUntilGone, "pause": doPause,
	}
}

func quoted(text string) string {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return strings.TrimSpace(buffer.String())
}

func showPayload(data []byte) string {
	if len(data) <= 200 && utf8.Valid(data) {
		return quoted(string(data))
	}
	return fmt.Sprintf("<%d bytes %.12x>", len(data), fmt.Sprintf("%x", sha256.Sum256(data)))
}

func showMessage(message *nats.Msg) string {
	parts := []string{message.Subject}
	if message.Reply != "" {
		parts = append(parts, "reply="+message.Reply)
	}
	if message.Header != nil { // A map: the order of names is not known to this client.
		var fields []string
		for _, key := range slices.Sorted(maps.Keys(message.Header)) {
			for _, value := range message.Header[key] {
				fields = append(fields, key+": "+value)
			}
		}
		parts = append(parts, "["+strings.Join(fields, " | ")+"]")
	}
	return strings.Join(append(parts, showPayload(message.Data)), " ")
}

func makePayload(payload string, o options, index int) []byte {
	switch {
	case o.Size != nil:
		return bytes.Repeat([]byte("x"), *o.Size)
	case o.Base64 != nil:
		data, err := base64.StdEncoding.DecodeString(*o.Base64)
		if err != nil {
			panic(err)
		}
		return data
	case payload == "#":
		return []byte(strconv.Itoa(index))
	}
	return []byte(payload)
}

func headersOf(o options) nats.Header {
	if o.Headers == nil {
		return nil
	}
	headers := nats.Header{}
	for _, pair := range o.Headers {
		headers[pair[0]] = append(headers[pair[0]], pair[1])
	}
	if o.LongHeader > 0 {
		headers["Long"] = []string{strings.Repeat("v", o.LongHeader)}
	}
	return headers
}

func describe(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func settings(name string, o options, seen *connection) []nats.Option {
	list := []nats.Option{
		nats.Name(name), nats.Timeout(5 * time.Second), nats.SkipSubjectValidation(),
		nats.ReconnectWait(100 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.MaxReconnects(-1),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { seen.saw("disconnect") }),
		nats.ReconnectHandler(func(*nats.Conn) { seen.saw("reconnect") }),
		nats.LameDuckModeHandler(func(*nats.Conn) { seen.saw("ldm") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			seen.mutex.Lock()
			defer seen.mutex.Unlock()
			seen.errors = append(seen.errors, describe(err))
		}),
		func(all *nats.Options) error {
			all.Verbose, all.Pedantic, all.AllowReconnect = o.Verbose, o.Pedantic, o.Reconnect
			all.NoEcho = o.Echo != nil && !*o.Echo
			return nil
		},
	}
	if o.User != nil {
		list = append(list, nats.UserInfo(*o.User, o.Pass))
	}
	if o.Token != nil {
		list = append(list, nats.Token(*o.Token))
	}
	if o.InboxPrefix != "" {
		list = append(list, nats.CustomInboxPrefix(o.InboxPrefix))
	}
	if o.PingIntervalMS > 0 {
		interval := time.Duration(o.PingIntervalMS) * time.Millisecond
		list = append(list, nats.PingInterval(interval), nats.MaxPingsOutstanding(o.PingMax))
	}
	if o.TimeoutMS > 0 {
		list = append(list, nats.Timeout(time.Duration(o.TimeoutMS)*time.Millisecond))
	}
	return list
}

func doConnect(s *scenario, a arguments) {
	name, o := a.text(0), a.options(1)
	shown, via := name, "server"
	if o.Name != "" {
		shown = o.Name
	}
	if o.Via != "" {
		via = o.Via
	}
	made := &connection{}
	nc, err := nats.Connect(s.urls[via], settings(shown, o, made)...)
	if err != nil {
		s.say("%s cannot connect: %s", name, describe(err))
		return
	}
	made.nc = nc
	made.cid, _ = nc.GetClientID()
	s.connections[name] = made
	s.names = append(s.names, name)
	if o.Say {
		s.say("%s connected", name)
	}
}

func doClose(s *scenario, a arguments) { s.connection(a.text(0)).nc.Close() }

func doDrain(s *scenario, a arguments) {
	nc := s.connection(a.text(0)).nc
	if err := nc.Drain(); err != nil {
		s.say("%s cannot drain: %s", a.text(0), describe(err))
	}
	if !until(nc.IsClosed) {
		s.say("%s missing: end of drain", a.text(0))
	}
	s.say("%s drained", a.text(0))
}

func doFlush(s *scenario, a arguments) {
	if err := s.connection(a.text(0)).nc.FlushTimeout(patience); err != nil {
		s.say("%s missing: pong, %s", a.text(0), describe(err))
		return
	}
	s.say("%s flushed", a.text(0))
}

func doRTT(s *scenario, a arguments) {
	rtt, err := s.connection(a.text(0)).nc.RTT()
	if err == nil && rtt >= 0 && rtt < patience {
		s.say("%s rtt is sensible", a.text(0))
		return
	}
	s.say("%s rtt is %v, %s", a.text(0), rtt, describe(err))
}

func doSubscribe(s *scenario, a arguments) {
	nc, label, o := s.connection(a.text(0)).nc, a.text(1), a.options(3)
	made := &subscription{arrivals: make(chan *nats.Msg, 65536), respond: o.Reply != nil || o.Forward != ""}
	s.subscriptions[label] = made
	for index := 1; index <= max(o.Times, 1); index++ {
		handle, err := made.open(nc, indexed(a.text(2), index), o)
		if err == nil && o.Max > 0 {
			err = handle.AutoUnsubscribe(o.Max)
		}
		if err != nil {
			s.say("%s refused by the client: %s", label, describe(err))
			return
		}
		made.handles = append(made.handles, handle)
	}
	_ = nc.FlushTimeout(3 * time.Second)
}

func (s *subscription) open(nc *nats.Conn, subject string, o options) (*nats.Subscription, error) {
	if !s.respond {
		return nc.ChanQueueSubscribe(subject, o.Queue, s.arrivals)
	}
	return nc.QueueSubscribe(subject, o.Queue, func(message *nats.Msg) {
		s.add(message)
		respond(nc, message, o)
	})
}

func respond(nc *nats.Conn, message *nats.Msg, o options) {
	if o.Forward != "" {
		_ = nc.PublishRequest(o.Forward, message.Reply, message.Data)
	}
	if o.Reply == nil || message.Reply == "" {
		return
	}
	for index := 1; index <= max(o.Answers, 1); index++ {
		data := message.Data
		if *o.Reply != "=" {
			data = makePayload(*o.Reply, options{}, index)
		}
		_ = nc.PublishMsg(&nats.Msg{Subject: message.Reply, Data: data, Header: headersOf(o)})
	}
	if o.Sentinel {
		_ = nc.Publish(message.Reply, nil)
	}
}

func last(handles []*nats.Subscription) *nats.Subscription { return handles[len(handles)-1] }

func doUnsubscribe(s *scenario, a arguments) {
	handle, limit := last(s.subscription(a.text(0)).handles), a.number(1)
	if limit > 0 {
		_ = handle.AutoUnsubscribe(limit)
		return
	}
	_ = handle.Unsubscribe()
}

func doDrainSubscription(s *scenario, a arguments) {
	found := s.subscription(a.text(0))
	handle := last(found.handles)
	if err := handle.Drain(); err != nil {
		s.say("%s cannot drain: %s", a.text(0), describe(err))
	}
	// A channel is emptied by us alone.
	if !until(func() bool { found.collect(); return !handle.IsValid() }) {
		s.say("%s missing: end of drain", a.text(0))
	}
	s.say("%s drained", a.text(0))
}

func doPublish(s *scenario, a arguments) {
	o := a.options(3)
	message := nats.Msg{Header: headersOf(o)}
	if o.Reply != nil {
		message.Reply = *o.Reply
	}
	for index := 1; index <= max(o.Times, 1); index++ {
		message.Subject, message.Data = indexed(a.text(1), index), makePayload(a.text(2), o, index)
		if err := s.connection(a.text(0)).nc.PublishMsg(&message); err != nil {
			s.say("%s publish refused by the client: %s", a.text(0), describe(err))
			return
		}
	}
}

func doRequest(s *scenario, a arguments) {
	o := a.options(3)
	timeout := 5 * time.Second
	if o.TimeoutMS > 0 {
		timeout = time.Duration(o.TimeoutMS) * time.Millisecond
	}
	request := &nats.Msg{Subject: a.text(1), Data: makePayload(a.text(2), o, 1), Header: headersOf(o)}
	answer, err := s.connection(a.text(0)).nc.RequestMsg(request, timeout)
	if err != nil {
		s.say("%s request %s: %s", a.text(0), a.text(1), describe(err))
		return
	}
	s.say("%s request %s: %s", a.text(0), a.text(1), showMessage(answer))
}

func doRequestParallel(s *scenario, a arguments) {
	nc, count := s.connection(a.text(0)).nc, a.number(2)
	var right atomic.Int64
	var all sync.WaitGroup
	for index := range count {
		all.Go(func() {
			wanted := strconv.Itoa(index)
			answer, err := nc.Request(a.text(1), []byte(wanted), 5*time.Second)
			if err == nil && string(answer.Data) == wanted {
				right.Add(1)
			}
		})
	}
	all.Wait()
	s.say("%s got %d of %d answers", a.text(0), right.Load(), count)
}

func doRequestMany(s *scenario, a arguments) {
	nc, o := s.connection(a.text(0)).nc, a.options(3)
	inbox := nc.NewInbox()
	handle, err := nc.SubscribeSync(inbox)
	if err != nil {
		panic(err)
	}
	_ = nc.PublishRequest(a.text(1), inbox, []byte(a.text(2)))
	var found []string
	for o.Max == 0 || len(found) < o.Max {
		timeout := patience
		if len(found) > 0 && o.StallMS > 0 {
			timeout = time.Duration(o.StallMS) * time.Millisecond
		}
		answer, err := handle.NextMsg(timeout)
		if err != nil {
			break
		}
		found = append(found, showMessage(answer))
		if o.Until == "sentinel" && len(answer.Data) == 0 {
			break
		}
	}
	_ = handle.Unsubscribe()
	s.say("%s request many %s: %d answers", a.text(0), a.text(1), len(found))
	for _, line := range found {
		s.say("  %s", line)
	}
}

func doWaitMessages(s *scenario, a arguments) {
	found := s.subscription(a.text(0))
	if !until(func() bool { found.collect(); return len(found.seen()) >= a.number(1) }) {
		s.say("%s missing: only %d of %d messages", a.text(0), len(found.seen()), a.number(1))
	}
}

// doMessages leaves a JSON payload to the runner, which knows what in it is volatile.
func doMessages(s *scenario, a arguments) {
	s.settle()
	found, o := s.subscription(a.text(0)), a.options(1)
	var shown []string
	for _, message := range found.seen() {
		if o.JSON {
			shown = append(shown, "json "+string(message.Data))
		} else {
			shown = append(shown, showMessage(message))
		}
	}
	s.show(a.text(0), shown, o.Sorted)
	found.forget()
}

func doCount(s *scenario, a arguments) {
	s.settle()
	found := s.subscription(a.text(0))
	s.say("%s got %d", a.text(0), len(found.seen()))
	found.forget()
}

func doTotal(s *scenario, a arguments) {
	s.settle()
	total := 0
	for _, label := range a.texts(0) {
		total += len(s.subscription(label).seen())
	}
	s.say("%s got %d", strings.Join(a.texts(0), "+"), total)
}

func doOrder(s *scenario, a arguments) {
	s.settle()
	previous, order := -1, "in order"
	messages := s.subscription(a.text(0)).seen()
	for _, message := range messages {
		number, _ := strconv.Atoi(string(message.Data))
		if number <= previous {
			order = "out of order"
		}
		previous = number
	}
	s.say("%s got %d %s", a.text(0), len(messages), order)
}

func doShares(s *scenario, a arguments) {
	s.settle()
	floor, total := a.number(1), 0
	distinct := map[string]bool{}
	var counts []int
	for _, label := range a.texts(0) {
		messages := s.subscription(label).seen()
		counts = append(counts, len(messages))
		total += len(messages)
		for _, message := range messages {
			distinct[string(message.Data)] = true
		}
	}
	shares := fmt.Sprintf("everyone at least %d %%", floor)
	if slices.Min(counts)*100 < total*floor {
		shares = fmt.Sprintf("shares %v", counts)
	}
	s.say("%s got %d, %d distinct, %s", strings.Join(a.texts(0), "+"), total, len(distinct), shares)
}

func doEnded(s *scenario, a arguments) {
	s.settle()
	state := "closed"
	if last(s.subscription(a.text(0)).handles).IsValid() {
		state = "open"
	}
	s.say("%s is %s", a.text(0), state)
}

func doErrors(s *scenario, a arguments) {
	connection := s.connection(a.text(0))
	s.settle()
	if !until(func() bool { return connection.errorCount() >= a.number(1) }) {
		s.say("%s missing: an error", a.text(0))
	}
	time.Sleep(10 * time.Millisecond)
	connection.mutex.Lock()
	defer connection.mutex.Unlock()
	s.say("%s errors %d", a.text(0), len(connection.errors))
	for _, line := range connection.errors {
		s.say("  %s", line)
	}
	connection.errors = nil
}

func doWaitEvent(s *scenario, a arguments) {
	if connection := s.connection(a.text(0)); until(func() bool { return connection.has(a.text(1)) }) {
		s.say("%s saw %s", a.text(0), a.text(1))
	} else {
		s.say("%s missing: %s", a.text(0), a.text(1))
	}
}

func doClosed(s *scenario, a arguments) {
	nc := s.connection(a.text(0)).nc
	if !until(nc.IsClosed) {
		s.say("%s missing: close", a.text(0))
		return
	}
	err := nc.LastError()
	if errors.Is(err, nats.ErrConnectionClosed) {
		err = nil
	}
	s.say("%s closed: %s", a.text(0), describe(err))
}

func doOpen(s *scenario, a arguments) {
	s.settle()
	state := "open"
	if s.connection(a.text(0)).nc.IsClosed() {
		state = "closed"
	}
	s.say("%s is %s", a.text(0), state)
}

func doOpenCount(s *scenario, a arguments) {
	open := func() (count int) {
		for _, name := range a.texts(0) {
			if !s.connection(name).nc.IsClosed() {
				count++
			}
		}
		return count
	}
	until(func() bool { return open() == a.number(1) })
	s.say("%d of %s open", open(), strings.Join(a.texts(0), "+"))
}

func doIncreasingIDs(s *scenario, a arguments) {
	previous := uint64(0)
	for _, name := range a.texts(0) {
		if id := s.connection(name).cid; id <= previous {
			s.say("ids do not grow: %d after %d", id, previous)
			return
		} else {
			previous = id
		}
	}
	s.say("ids grow")
}

// infoOf is what this client lets its users see of INFO.
func infoOf(nc *nats.Conn) map[string]any {
	address, _ := nc.GetClientIP()
	return map[string]any{
		"server_id": nc.ConnectedServerId(), "server_name": nc.ConnectedServerName(),
		"version": nc.ConnectedServerVersion(), "headers": nc.HeadersSupported(),
		"max_payload": nc.MaxPayload(), "auth_required": nc.AuthRequired(),
		"tls_required": nc.TLSRequired(), "client_ip": address.String(), "cluster": nc.ConnectedClusterName(),
		"connect_urls": strings.Join(nc.DiscoveredServers(), " "), "remote_account": nc.RemoteAccount(),
		"acc_is_sys": nc.IsSystemAccount(),
	}
}

func doInfo(s *scenario, a arguments) {
	s.settle()
	known := infoOf(s.connection(a.text(0)).nc)
	for _, field := range a.texts(1) {
		if value, visible := known[field]; visible {
			s.say("%s info %s: %v", a.text(0), field, value)
		}
	}
}

// doPublishUntilGone publishes to a reader that does not read until the server gives it up.
func doPublishUntilGone(s *scenario, a arguments) {
	nc, reader := s.connection(a.text(0)).nc, a[3]
	for range 400 {
		for range 5 {
			_ = nc.Publish(a.text(1), make([]byte, a.number(2)))
		}
		_ = nc.FlushTimeout(3 * time.Second)
		if s.remote("gone", arguments{reader}).Gone {
			// It cannot know: what it is told stays in the relay.
			s.names = slices.DeleteFunc(s.names, func(name string) bool { return name == text(reader) })
			s.say("%s is gone", text(reader))
			return
		}
	}
	s.say("missing: %s is still there", text(reader))
}

func doPause(_ *scenario, a arguments) { time.Sleep(time.Duration(a.number(0)) * time.Millisecond) }
