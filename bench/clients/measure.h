// SPDX-License-Identifier: Apache-2.0
// What the programs of this folder measure of themselves: C that is C++ as well.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    batch = 1000,           // Publications between two looks at the clock.
    chunk_messages = 16384, // What the feeder sends for one publication on `more`.
    chunks_ahead = 3,       // Below the 65,536 messages that every client lets wait.
    latencies_max = 1 << 22
};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// User and system, all threads.
static inline uint64_t cpu_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

// A number of /proc/self/status: "VmRSS:" in KiB, "Threads:".
static inline uint64_t status_of(const char* name) {
    char line[256];
    uint64_t number = 0;
    FILE* const status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, name, strlen(name)) == 0) number = strtoull(line + strlen(name), NULL, 10);
    }
    if (status) fclose(status);
    return number;
}

struct measurement {
    uint64_t wall_ns, cpu_ns, rss_kib;
};

static inline struct measurement measure(void) {
    const struct measurement now = {now_ns(), cpu_ns(), status_of("VmRSS:")};
    return now;
}

static inline int by_size(const void* a, const void* b) {
    const uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
    return (x > y) - (x < y);
}

// Prints the line that `compare` reads.
static inline void report(const char* client, const char* shape, struct measurement since,
                          uint64_t operations, uint32_t* latencies_ns, size_t latencies) {
    const struct measurement now = measure();
    if (latencies) qsort(latencies_ns, latencies, sizeof *latencies_ns, by_size);
    const double count = (double)operations;
    printf("{\"client\":\"%s\",\"shape\":\"%s\",\"operations\":%llu,\"seconds\":%.3f,"
           "\"cpu_ns\":%.1f,\"p50_us\":%.2f,\"rss_kib\":%llu,\"grown_bytes\":%.0f,\"threads\":%llu}\n",
           client, shape, (unsigned long long)operations, (double)(now.wall_ns - since.wall_ns) / 1e9,
           (double)(now.cpu_ns - since.cpu_ns) / count,
           latencies ? latencies_ns[latencies / 2] / 1e3 : 0, (unsigned long long)now.rss_kib,
           ((double)now.rss_kib - (double)since.rss_kib) * 1024 / count,
           (unsigned long long)status_of("Threads:"));
    fflush(stdout);
}
