// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace pipit {
namespace {

void print_and_abort(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: this must be true and is not: %s\n", file, line, expression);
    std::abort();
}

assertion_handler handler_of_failures = print_and_abort;

} // namespace

void set_assertion_handler(assertion_handler handler) noexcept { handler_of_failures = handler; }

void detail::assertion_failed(const char* expression, const char* file, int line) {
    handler_of_failures(expression, file, line);
    std::abort();
}

} // namespace pipit
