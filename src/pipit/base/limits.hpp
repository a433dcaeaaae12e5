// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// The upper bounds of Pipit's queues, buffers, caches and retries, and the protocol's defaults.
/// What a configuration may change is only its default here.
namespace pipit::limits {

// --- What a configuration may change ---

/// Source: server-config, "Top-level keys"; the names are the configuration's.
inline constexpr std::size_t max_control_line_bytes = 4096;
inline constexpr std::size_t max_payload_bytes = 1024 * 1024;
inline constexpr std::size_t max_pending_bytes = 64 * 1024 * 1024;
inline constexpr std::int64_t max_connections = 65536;
inline constexpr std::chrono::seconds ping_interval{120};
inline constexpr int ping_max = 2;
inline constexpr std::chrono::seconds write_deadline{10};
inline constexpr std::chrono::seconds auth_timeout{2};
inline constexpr std::size_t max_closed_clients = 10000;

// --- The protocol ---

/// Sizes in PUB, HPUB, MSG and HMSG have at most this many digits.
inline constexpr std::size_t size_digits_max = 9;

/// Objects and arrays inside each other in the JSON of CONNECT and INFO (in Go, 10,000).
inline constexpr std::size_t json_depth = 1000;

/// What a `client_protocol` or a `server_protocol` reads into: grows under load.
inline constexpr std::size_t input_buffer_bytes_min = 4 * 1024;
inline constexpr std::size_t input_buffer_bytes_max = 256 * 1024;

/// What a client takes from a server: an INFO may name many servers, a delivery's line may be
/// longer than a publication's, and a message may come from a server with a larger `max_payload`.
inline constexpr std::size_t client_control_line_bytes = 1024 * 1024;
inline constexpr std::int64_t client_payload_bytes = 64 * 1024 * 1024;

/// What a client keeps for a server that does not read, and for one that is not there yet.
inline constexpr std::size_t client_pending_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t client_offline_bytes = 8 * 1024 * 1024;

/// Of one client: what was asked and not answered, or the answer not taken; PINGs not answered.
inline constexpr std::size_t client_operations = std::size_t{1} << 20;
inline constexpr std::size_t client_pings = 64 * 1024;

/// A client that notices a deadline so much too late did not run: it was suspended, or busy. It
/// then takes so long to read what came meanwhile, before it calls anything late.
inline constexpr std::chrono::seconds client_suspended{1};
inline constexpr std::chrono::milliseconds client_resume_grace{100};

/// More than any cluster has; a server that names a hundred thousand is not believed.
inline constexpr std::size_t discovered_servers = 1000;

// --- One loop's broker ---

/// A loop reads all its connections through one buffer of this size.
inline constexpr std::size_t read_scratch_bytes = 256 * 1024;

/// A reader stops for a flush when a batch has made this much output: it should still be in the
/// processor's second cache when the kernel copies it, and the more there is of it for each of many
/// receivers, the fewer system calls it takes.
inline constexpr std::size_t batch_output_bytes = 1536 * 1024;

/// What is kept of stores and outputs for the next burst; more is given back to the system.
inline constexpr std::size_t spare_stores = 256;
inline constexpr std::size_t spare_outputs = 256;

/// As nats-server: a publisher that meets a full chain waits this long, and at most `stall_max` for
/// one read, which brings no more than so much, so that the wait is felt.
inline constexpr std::chrono::milliseconds stall_min{2};
inline constexpr std::chrono::milliseconds stall_max{10};
inline constexpr std::size_t stalled_read_bytes = 32 * 1024;

/// An ended session whose socket takes nothing more is given up after this long.
inline constexpr std::chrono::milliseconds last_flush_deadline{100};

/// How long a login may wait until its password or signature is checked.
inline constexpr std::chrono::seconds question_deadline{30};

/// What one connection remembers of its permissions: decisions about subjects, and replies that it
/// was granted. Whoever is asked more than it answers loses some of them.
inline constexpr std::size_t publish_decisions = 256;
inline constexpr std::size_t granted_replies = 4096;

/// What is kept of the subscriptions of a closed connection.
inline constexpr std::size_t closed_subscriptions = 1000;

// --- Accounts that import from each other ---

/// As nats-server: what an answer to an imported service may take when its export does not say.
inline constexpr std::chrono::minutes response_threshold{2};
/// Requests to imported services that wait for an answer on one loop; beyond, one of the account
/// that has most is given up.
inline constexpr std::size_t pending_responses = 256 * 1024;
/// Of those of one account, how many are looked at when a subscription with a wildcard ends; who
/// is not looked at is given up later.
inline constexpr std::size_t pending_responses_scanned = 1024;
/// One request may go through so many imports, from account to account.
inline constexpr std::size_t import_chain = 32;
/// As nats-server: accounts that are visited in search of a cycle.
inline constexpr std::size_t import_search_depth = 1024;

// --- Several loops ---

/// Loops of one server: what a word has bits for.
inline constexpr int loops = 64;

/// A connection that publishes while more than this waits for a loop is not read until it is less;
/// it is looked at again so often.
inline constexpr std::size_t peer_waiting_bytes = 8 * 1024 * 1024;
inline constexpr std::chrono::milliseconds full_peer_stall{2};

/// Names of queue groups that went and whose messages may come back from other loops.
inline constexpr std::size_t retired_groups = 256;

/// Requests that went to other loops and of which some, but not all, had nobody: more than wait for
/// a loop at a time. The newest are kept, and whoever asked before waits in vain.
inline constexpr std::size_t unanswered_requests = 64 * 1024;

/// A loop answers between two batches, which are short; one that does not is as good as dead.
inline constexpr std::chrono::seconds loop_deadline{5};

/// What connections get to take the last that was written to them, when the server ends.
inline constexpr std::chrono::milliseconds shutdown_flush{500};

// --- Sockets ---

/// A connection that always has more to read lets the others have their turn after so many reads,
/// or as soon as what it asks for took this long.
inline constexpr int reads_in_a_row = 4;
inline constexpr std::chrono::milliseconds turn{1};

/// Connections that wait are accepted in groups, so that the loop's others are not kept waiting.
inline constexpr int accepts_in_a_row = 64;
/// As nats-server: between two tries to accept when descriptors or memory lack, doubled each time.
inline constexpr std::chrono::milliseconds accept_pause_min{10};
inline constexpr std::chrono::milliseconds accept_pause_max{1000};

/// As nats-server: for the first byte of a connection that may begin with a PROXY header.
inline constexpr std::chrono::seconds proxy_header_deadline{5};

/// A connection inside the process holds this much in each direction.
inline constexpr std::size_t pipe_bytes = 64 * 1024;

/// Connections that were told by a reserved listener why it closes them, and have not closed yet;
/// beyond that the oldest is cut.
inline constexpr std::size_t told_connections = 64;

// --- Monitoring ---

/// Of the HTTP server. The timeout is for one request, one answer and an idle client. A request's
/// body is read and ignored.
inline constexpr std::size_t http_connections = 128;
inline constexpr std::size_t http_header_bytes = 16 * 1024;
inline constexpr std::chrono::seconds http_timeout{10};

/// After an answer that ends a connection, what still comes is read, within these.
inline constexpr std::chrono::seconds http_linger{1};
inline constexpr std::size_t http_drained_bytes = 256 * 1024;

/// A monitoring document shows at most this many subscriptions, whatever page was asked for: about
/// 100 MB while it is made. A loop copies so many of them, or of connections, at a time.
inline constexpr std::uint64_t shown_subscriptions = 250'000;
/// Answers that are awaited, of one account on each loop.
inline constexpr std::size_t shown_responses = 1000;
inline constexpr std::uint64_t subscriptions_at_a_time = 4096;
inline constexpr std::size_t sessions_at_a_time = 512;

/// /metrics has a series of its own for this many accounts; the rest are added up in one more.
inline constexpr std::size_t metrics_accounts = 100;

/// A user's JWT and seed in a file; nothing beyond it is read.
inline constexpr std::size_t creds_file_bytes = 1024 * 1024;

// --- The system account ---

/// Requests to the server itself that wait for their turn; more are dropped.
inline constexpr std::size_t system_requests = 1024;
/// Objects and arrays inside each other in a request's JSON.
inline constexpr std::size_t system_request_depth = 32;

// --- Configurations ---

/// Maps and arrays inside each other, also by way of variables.
inline constexpr std::size_t config_nesting = 100;
/// Files that include each other in a chain.
inline constexpr std::size_t config_include_depth = 32;
/// The main file and all its includes together, and the environment's variables.
inline constexpr std::size_t config_read_bytes = 64 * 1024 * 1024;
/// What the tree may hold. A variable is a copy, so that without this bound a short file could ask
/// for any amount of memory.
inline constexpr std::size_t config_tree_bytes = 256 * 1024 * 1024;
/// Complaints that are shown: more than anybody reads. What is beyond is counted.
inline constexpr std::size_t config_findings = 100;

} // namespace pipit::limits
