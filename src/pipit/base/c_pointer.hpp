// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace pipit {

/// Ends what a library in C has made.
template <auto end_it>
struct c_deleter {
    template <class T>
    void operator()(T* pointer) const noexcept {
        end_it(pointer);
    }
};

/// Owns what a library in C has made: `c_pointer<X509, X509_free>`.
template <class T, auto end_it>
using c_pointer = std::unique_ptr<T, c_deleter<end_it>>;

} // namespace pipit
