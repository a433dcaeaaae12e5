// SPDX-License-Identifier: Apache-2.0
// The shapes with nats.c: natsc_client <shape> <url> <seconds>
#include "measure.h"

#include <nats/nats.h>
#include <pthread.h>
#include <unistd.h>

static char client_name[64];
static const char* shape;
static const char* url;
static uint64_t duration_ns;
static char payload[16] = "0123456789abcdef";

static void must(natsStatus status) {
    if (status == NATS_OK) return;
    fprintf(stderr, "%s: %s\n", shape, natsStatus_GetText(status));
    exit(1);
}

// What is open goes with the process, whichever of its threads this is.
static void finish(struct measurement since, uint64_t operations, uint32_t* latencies,
                   size_t count) {
    report(client_name, shape, since, operations, latencies, count);
    _exit(0);
}

static natsConnection* connected(void) {
    natsConnection* nats = NULL;
    natsOptions* options = NULL;
    must(natsOptions_Create(&options));
    must(natsOptions_SetURL(options, url));
    if (strcmp(shape, "subscriptions-pool") == 0) {
        must(natsOptions_UseGlobalMessageDelivery(options, true));
    }
    must(natsConnection_Connect(&nats, options));
    natsOptions_Destroy(options);
    return nats;
}

static void publish(void) {
    natsConnection* const nats = connected();
    const struct measurement begun = measure();
    uint64_t sent = 0;
    while (now_ns() - begun.wall_ns < duration_ns) {
        for (int i = 0; i < batch; ++i) must(natsConnection_Publish(nats, "bench", payload, 16));
        sent += batch;
    }
    must(natsConnection_Flush(nats));
    finish(begun, sent, NULL, 0);
}

// Counts what the feeder sends, and asks it for more.
struct receiver {
    natsConnection* nats;
    struct measurement begun;
    uint64_t received;
};

static void take(struct receiver* me, natsMsg* message) {
    natsMsg_Destroy(message);
    if (me->received++ == 0) me->begun = measure();
    if (me->received % chunk_messages != 0) return;
    if (now_ns() - me->begun.wall_ns < duration_ns) {
        must(natsConnection_Publish(me->nats, "more", "", 0));
    } else {
        finish(me->begun, me->received, NULL, 0);
    }
}

static void on_message(natsConnection* nats, natsSubscription* subscription, natsMsg* message,
                       void* closure) {
    (void)nats, (void)subscription;
    take(closure, message);
}

static void receive(bool by_callback) {
    struct receiver me = {connected(), {0, 0, 0}, 0};
    natsSubscription* subscription = NULL;
    must(by_callback ? natsConnection_Subscribe(&subscription, me.nats, "bench", on_message, &me)
                     : natsConnection_SubscribeSync(&subscription, me.nats, "bench"));
    must(natsConnection_Flush(me.nats));
    for (int i = 0; i < chunks_ahead; ++i) must(natsConnection_Publish(me.nats, "more", "", 0));
    if (by_callback) pause();
    for (;;) {
        natsMsg* message = NULL;
        must(natsSubscription_NextMsg(&message, subscription, 10000));
        take(&me, message);
    }
}

// One thread for each request that is in flight: nats.c has no other request.
static struct requests {
    natsConnection* nats;
    uint32_t* latencies;
    struct measurement begun;
    uint64_t answered;
} requests;

static void* request_in_turn(void* unused) {
    for (;;) {
        const uint64_t asked_ns = now_ns();
        if (asked_ns - requests.begun.wall_ns >= duration_ns) return unused;
        natsMsg* reply = NULL;
        must(natsConnection_Request(&reply, requests.nats, "echo", payload, 16, 5000));
        natsMsg_Destroy(reply);
        const uint64_t i = __atomic_fetch_add(&requests.answered, 1, __ATOMIC_RELAXED);
        requests.latencies[i % latencies_max] = (uint32_t)(now_ns() - asked_ns);
    }
}

static void request(int in_flight) {
    pthread_t threads[256];
    requests.nats = connected();
    requests.latencies = malloc(latencies_max * sizeof(uint32_t));
    requests.begun = measure();
    for (int i = 1; i < in_flight; ++i) pthread_create(&threads[i], NULL, request_in_turn, NULL);
    request_in_turn(NULL);
    for (int i = 1; i < in_flight; ++i) pthread_join(threads[i], NULL);
    const uint64_t kept = requests.answered < latencies_max ? requests.answered : latencies_max;
    finish(requests.begun, requests.answered, requests.latencies, kept);
}

// The same with an inbox of one's own and a callback, for those who write that themselves.
static void on_reply(natsConnection* nats, natsSubscription* subscription, natsMsg* reply,
                     void* inbox) {
    (void)subscription;
    natsMsg_Destroy(reply);
    ++requests.answered;
    if (now_ns() - requests.begun.wall_ns < duration_ns) {
        must(natsConnection_PublishRequest(nats, "echo", inbox, payload, 16));
    } else {
        finish(requests.begun, requests.answered, NULL, 0);
    }
}

static void request_by_hand(void) {
    natsConnection* const nats = connected();
    natsInbox* inbox = NULL;
    natsSubscription* subscription = NULL;
    must(natsInbox_Create(&inbox));
    must(natsConnection_Subscribe(&subscription, nats, inbox, on_reply, inbox));
    must(natsConnection_Flush(nats));
    requests.begun = measure();
    for (int i = 0; i < 256; ++i) {
        must(natsConnection_PublishRequest(nats, "echo", inbox, payload, 16));
    }
    pause();
}

static void connections(void) {
    must(natsConnection_Flush(connected()));
    const struct measurement begun = measure();
    for (int i = 0; i < 100; ++i) must(natsConnection_Flush(connected()));
    finish(begun, 100, NULL, 0);
}

static void ignore(natsConnection* nats, natsSubscription* subscription, natsMsg* message,
                   void* closure) {
    (void)nats, (void)subscription, (void)closure;
    natsMsg_Destroy(message);
}

static void subscriptions(void) {
    natsConnection* const nats = connected();
    must(natsConnection_Flush(nats));
    const struct measurement begun = measure();
    for (int i = 0; i < 10000; ++i) {
        char subject[32];
        snprintf(subject, sizeof subject, "bench.%d", i);
        natsSubscription* subscription = NULL;
        must(natsConnection_Subscribe(&subscription, nats, subject, ignore, NULL));
    }
    must(natsConnection_Flush(nats));
    finish(begun, 10000, NULL, 0);
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    shape = argv[1];
    url = argv[2];
    duration_ns = (uint64_t)(atof(argv[3]) * 1e9);
    snprintf(client_name, sizeof client_name, "nats.c %s", nats_GetVersion());
    if (strcmp(shape, "publish") == 0) publish();
    else if (strcmp(shape, "receive-callback") == 0) receive(true);
    else if (strcmp(shape, "receive-next") == 0) receive(false);
    else if (strcmp(shape, "request-1") == 0) request(1);
    else if (strcmp(shape, "request-256") == 0) request(256);
    else if (strcmp(shape, "request-256-by-hand") == 0) request_by_hand();
    else if (strcmp(shape, "connections") == 0) connections();
    else if (strncmp(shape, "subscriptions", 13) == 0) subscriptions();
    return 2;
}
