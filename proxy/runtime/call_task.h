// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "proxy/runtime/handover.h"

namespace crivet::proxy {

// A gated call waits for the runtime and for decisions without blocking a thread. These few types
// let it read as straight-line code:
//
//     Task<grpc::Status> Answer(...) {
//       auto decision = co_await Decide(question);
//       auto status = co_await upstream.PullImage(context, request, response);
//       co_return status;
//     }
//
// A task starts when it is awaited and is awaited once, in the expression that makes it; its
// reference parameters therefore outlive it. It goes on running on whichever thread the awaited
// thing answered on. Keep `co_await F(args)` a statement or an initialiser of its own: GCC 12
// miscounts temporaries in longer expressions.

/// Task is work that ends with a T. An exception travels to whoever awaits it.
template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    struct Continue {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(Handle done) const noexcept {
        promise_type& promise = done.promise();
        if (promise.arrived.exchange(true, std::memory_order_acq_rel)) return promise.awaiting;
        return std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Continue final_suspend() const noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() noexcept { exception = std::current_exception(); }

    std::coroutine_handle<> awaiting;
    // The end of the task and the end of await_suspend race; whoever comes second goes on.
    std::atomic<bool> arrived{false};
    std::optional<T> value;
    std::exception_ptr exception;
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  // A task that has its answer at once ends in here: a loop over many does not nest, also where the
  // compiler makes no tail calls (sanitizers).
  bool await_suspend(std::coroutine_handle<> awaiting) noexcept {
    promise_type& promise = handle_.promise();
    promise.awaiting = awaiting;
    handle_.resume();
    return !promise.arrived.exchange(true, std::memory_order_acq_rel);
  }
  T await_resume() {
    auto& promise = handle_.promise();
    if (promise.exception) std::rethrow_exception(promise.exception);
    return std::move(*promise.value);
  }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

/// Done is the result of a task that has nothing to say but that it is over.
using Done = std::monostate;

/// Detached is a coroutine that nobody awaits: it starts at once and frees itself at its end. It
/// must catch what its body throws.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

/// CallbackAwaiter waits for a function that answers through a callback, exactly once, on any
/// thread, also before it returns.
template <typename T, typename Start>
class CallbackAwaiter {
 public:
  explicit CallbackAwaiter(Start start) : start_(std::move(start)) {}
  CallbackAwaiter(const CallbackAwaiter&) = delete;
  CallbackAwaiter& operator=(const CallbackAwaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    awaiting_ = awaiting;
    HandOver(this);
    start_([this](T result) {
      TakeOver(this);
      result_.emplace(std::move(result));
      if (Arrive() == Order::kSecond) awaiting_.resume();
    });
    // Once both have arrived the frame, and this object with it, may be gone.
    return Arrive() == Order::kFirst;
  }
  T await_resume() { return std::move(*result_); }

 private:
  enum class Order { kFirst, kSecond };
  // The callback and the end of await_suspend race; whoever comes second lets the coroutine go on.
  Order Arrive() {
    return arrived_.exchange(true, std::memory_order_acq_rel) ? Order::kSecond : Order::kFirst;
  }

  Start start_;
  std::coroutine_handle<> awaiting_;
  std::optional<T> result_;
  std::atomic<bool> arrived_{false};
};

/// AwaitCallback calls `start` with a callback and gives what the callback was given.
template <typename T, typename Start>
CallbackAwaiter<T, Start> AwaitCallback(Start start) {
  return CallbackAwaiter<T, Start>(std::move(start));
}

}  // namespace crivet::proxy
