// SPDX-License-Identifier: Apache-2.0
// What a login costs: a JWT that is seen for the first time, and the signature of the nonce, which
// is all that is left when it was seen before.
#include <pipit/auth/creds.hpp>
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/nonce.hpp>
#include <pipit/auth/test_tokens.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace pipit::auth;

const test_key account(nkey_prefix::account, 1);
const test_key user(nkey_prefix::user, 2);

void decode_a_user(benchmark::State& state) {
    const auto token = account.issue_user(
        user.text(), R"("pub":{"allow":["orders.>","_INBOX.>"]},"sub":{"allow":["_INBOX.>"]})",
        R"("name":"me","jti":"ABCDEFGHIJKLMNOPQRSTUVWXYZ")");
    for (auto _ : state) benchmark::DoNotOptimize(decode_user_jwt(token));
}
BENCHMARK(decode_a_user);

void verify_a_nonce(benchmark::State& state) {
    const auto key = user.text();
    const auto signature = sign_nonce(user.seed(), "0123456789abcde");
    for (auto _ : state) benchmark::DoNotOptimize(verify_nonce(key, "0123456789abcde", signature));
}
BENCHMARK(verify_a_nonce);

void make_a_nonce(benchmark::State& state) {
    const nonce_maker nonces(user.seed().secret);
    std::uint64_t connection = 0;
    for (auto _ : state) benchmark::DoNotOptimize(nonces.make(++connection));
}
BENCHMARK(make_a_nonce);

} // namespace
