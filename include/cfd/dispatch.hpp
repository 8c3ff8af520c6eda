#pragma once

/// \file
/// The decorator. A dispatchable is a callable object: calling it publishes the call, and a cloud function
/// built from the same code base, whose main calls cfd::execute, runs it.
///
///     inline const auto my_func = cfd::dispatch("functions.my_func",
///         [](int a, int b, std::string cheer = "hooray!") { cfd::log::info("{} {} {}", a, b, cheer); });
///
///     my_func(1, 2);                              // runs in the cloud function
///     std::string id = my_func(1, 2).wait();      // ... and Pub/Sub has it
///     my_func.local(1, 2);                        // runs here
///
/// Define dispatchables as `inline const auto` in a header that both sides include: they register themselves
/// by name as the program starts, and a name taken twice stops it there. All members are thread-safe; objects
/// may be copied.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <cfd/arg.hpp>
#include <cfd/call.hpp>
#include <cfd/codec.hpp>
#include <cfd/detail/outgoing_call.hpp>
#include <cfd/detail/target.hpp>
#include <cfd/error.hpp>
#include <cfd/log.hpp>
#include <cfd/value.hpp>

namespace cfd {

namespace detail {

template <class Parameters>
Call send(const Function& function, const Parameters& parameters, const CallOptions& options,
          auto&&... arguments) {
  ScratchWriter writer;
  if constexpr (takes_any<typename Parameters::Types>) {
    AnyCall::write(*writer, function, std::forward<decltype(arguments)>(arguments)...);
    return submit(function, writer->written(), options);
  } else if constexpr (TypedCall<Parameters>::template check<decltype(arguments)...>()) {
    TypedCall<Parameters>::write(*writer, function, parameters,
                                 std::forward<decltype(arguments)>(arguments)...);
    return submit(function, writer->written(), options);
  } else {
    return Call(nullptr);  // never compiled to the end: check() has said why
  }
}

template <class Parameters, std::size_t... I>
std::vector<ParameterInfo> describe_parameters(const Parameters& parameters, std::index_sequence<I...>) {
  [[maybe_unused]] const auto one = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
    Signature type;
    Coder<typename Parameters::Types::template at<J>>::describe(type);
    return ParameterInfo{std::string(parameters.name(J)), type.text(), Parameters::optional(J)};
  };
  return {one(std::integral_constant<std::size_t, I>())...};
}

template <class Parameters>
Function& register_with(FunctionName name, const Parameters& parameters) {
  Function& registered = [&]() -> Function& {
    if constexpr (takes_any<typename Parameters::Types>)
      return register_function(name, {}, true);
    else
      return register_function(
          name, describe_parameters(parameters, std::make_index_sequence<Parameters::count>()), false);
  }();
  registered.kept = &parameters;
  return registered;
}

template <std::size_t Least, class... P, class... Specs>
auto make_parameters(TypeList<P...>, const Specs&... specs) {
  if constexpr (sizeof...(Specs) == 0) {
    return [&]<class... U>(const U&... unnamed) {
      return Parameters<Least, TypeList<P...>, U...>(unnamed...);
    }(std::conditional_t<true, Unnamed, P>()...);
  } else {
    static_assert(
        ((is_named_value<Specs> || is_static_name<Specs> || std::is_same_v<Specs, RuntimeName>)&&...),
        "cfd: after the name and the function come only names of parameters: cfd::arg(\"name\") [= default]");
    static_assert(sizeof...(Specs) == sizeof...(P),
                  "cfd: name every parameter with cfd::arg, or none: the number of names is not that of the "
                  "parameters");
    return Parameters<Least, TypeList<P...>, Specs...>(specs...);
  }
}

template <class F, class Parameters>
using TargetFor =
    std::conditional_t<takes_any<typename Parameters::Types>, AnyTarget<F>, TypedTarget<F, Parameters>>;

template <class F, class Parameters>
const TargetFor<F, Parameters>& make_target(F function, const Parameters& parameters) {
  // Kept for the life of the program, like the function itself: a call may come until the very end.
  if constexpr (takes_any<typename Parameters::Types>)
    return *new AnyTarget<F>(std::move(function));
  else
    return *new TypedTarget<F, Parameters>(std::move(function), parameters);
}

}  // namespace detail

/// A function that can be called from here and runs elsewhere. Made by cfd::declare, and, with a body, by
/// cfd::dispatch.
template <class Parameters>
class Dispatchable {
 public:
  Dispatchable(detail::Function& function, const Parameters& parameters)
      : function_(&function), parameters_(&parameters) {}

  /// Publishes one call and returns at once. Arguments are positional, then named (cfd::arg); they convert to
  /// the parameters' types as in a plain call, integers checked to fit. What is left out is filled in by the
  /// executing side. Throws CallError, ConfigError, or PublishError where the queue is full and the settings
  /// say to fail.
  template <class... A>
  Call operator()(A&&... arguments) const {
    return detail::send(*function_, *parameters_, {}, std::forward<A>(arguments)...);
  }

  /// As a call, with options: `my_func.with({.ordering_key = user})(1, 2)`. The result is for immediate use.
  auto with(CallOptions options) const {
    return [self = *this, options]<class... A>(A&&... arguments) {
      return detail::send(*self.function_, *self.parameters_, options, std::forward<A>(arguments)...);
    };
  }

  /// The name it was defined with.
  const std::string& name() const noexcept { return function_->name; }

  /// Its parameters in words, such as "(int32, int32, [string])", where brackets mean that it may be left
  /// out.
  const std::string& signature() const noexcept { return function_->signature; }

 protected:
  detail::Function* function_;
  const Parameters* parameters_;
};

/// How long one function may run, whatever the settings say of the others: `cfd::dispatch("images.resize",
/// &images::resize, cfd::timeout(90s), cfd::arg("id"))`. When that time is over, its std::stop_token is
/// fired, its result is discarded and its call is to come again.
struct Timeout {
  std::chrono::milliseconds value;
};

/// Rounded up to whole milliseconds, and at least one.
constexpr Timeout timeout(std::chrono::nanoseconds value) noexcept {
  return {std::max(std::chrono::ceil<std::chrono::milliseconds>(value), std::chrono::milliseconds(1))};
}

template <class R, class Parameters, class F>
class Implementation;

/// A dispatchable with its body; see cfd::dispatch.
template <class F, class Parameters>
class Dispatched : public Dispatchable<Parameters> {
  using Target = detail::TargetFor<F, Parameters>;

 public:
  Dispatched(detail::Function& function, const Parameters& parameters, const Target& target)
      : Dispatchable<Parameters>(function, parameters), target_(&target) {}

  /// Runs the function here and now, and returns what it returns. Nothing is sent. Throws what the function
  /// throws.
  template <class... A>
  typename Target::Result local(A&&... arguments) const {
    if constexpr (detail::takes_any<typename Parameters::Types>) {
      return target_->run(*this->function_, std::forward<A>(arguments)...);
    } else if constexpr (detail::TypedCall<Parameters>::template check<A...>()) {
      detail::Arguments<typename Parameters::Types> gathered;
      detail::Gather<Parameters> gather(*this->function_, *this->parameters_, gathered);
      (gather.take(std::forward<A>(arguments)), ...);
      return target_->run(*this->function_, gathered);
    }
  }

 private:
  const Target* target_;
};

/// A dispatchable without its body; see cfd::declare.
template <class R, class Parameters>
class Declared : public Dispatchable<Parameters> {
  using Local = detail::LocalBody<R, typename Parameters::Types>;

 public:
  using Dispatchable<Parameters>::Dispatchable;
  using Result = R;

  /// Runs the function here, where this program implements it; throws CallError where it does not.
  template <class... A>
  R local(A&&... arguments) const {
    if constexpr (detail::TypedCall<Parameters>::template check<A...>()) {
      const auto* body = static_cast<const Local*>(this->function_->body.load());
      if (body == nullptr) detail::throw_not_implemented(*this->function_);
      detail::Arguments<typename Parameters::Types> gathered;
      detail::Gather<Parameters> gather(*this->function_, *this->parameters_, gathered);
      (gather.take(std::forward<A>(arguments)), ...);
      return body->run(*this->function_, gathered);
    }
  }

 private:
  template <class, class, class>
  friend class Implementation;
};

namespace detail {

template <class F, class... Names>
auto define(FunctionName name, F function, std::chrono::milliseconds limit, const Names&... names) {
  using Traits = decltype(traits_of<F>());
  using Types = typename Traits::Parameters;
  if constexpr (!takes_any<Types>) check_parameters(typename Traits::Declared());
  constexpr std::size_t least = least_arguments_of<F>(Types(), Traits::takes_stop_token);
  using Parameters = decltype(make_parameters<least>(Types(), names...));
  const auto& parameters = *new Parameters(make_parameters<least>(Types(), names...));
  Function& registered = register_with(name, parameters);
  const auto& target = make_target(std::move(function), parameters);
  registered.timeout = limit;
  register_body(registered, target, name.location());
  return Dispatched<F, Parameters>(registered, parameters, target);
}

}  // namespace detail

/// Names a function and makes it dispatchable. `function` is a lambda, a function object or a pointer to a
/// function; names of its parameters, with defaults, may follow, for all of them or none:
///
///     inline const auto resize = cfd::dispatch("images.resize", &images::resize, cfd::arg("id"),
///     cfd::arg("width") = 640);
///
/// A default argument of a lambda or a function object is its own and applies on the executing side; a
/// pointer to a function has lost its defaults. Parameters are the types of cfd/codec.hpp, by value or const
/// reference; (cfd::Args, cfd::Kwargs) take any arguments. A leading std::stop_token parameter does not
/// travel: it is given by the executing side. What the function returns is not used.
template <class F, class... Names>
auto dispatch(detail::FunctionName name, F function, const Names&... names) {
  return detail::define(name, std::move(function), std::chrono::milliseconds(0), names...);
}

/// The same, of a function that has a time limit of its own.
template <class F, class... Names>
auto dispatch(detail::FunctionName name, F function, Timeout limit, const Names&... names) {
  return detail::define(name, std::move(function), limit.value, names...);
}

/// Names a function by its signature alone, for callers that link no body: the program that executes it
/// supplies it with cfd::implement. Names of the parameters, with defaults, may follow as in cfd::dispatch.
///
///     inline const auto train = cfd::declare<double(Dataset, Config)>("ml.train");
template <class Signature, class... Names>
auto declare(detail::FunctionName name, const Names&... names) {
  static_assert(std::is_function_v<Signature>,
                "cfd: declare takes a signature, such as declare<double(int, std::string)>");
  using Traits = decltype(detail::traits_of<std::add_pointer_t<Signature>>());
  using Types = typename Traits::Parameters;
  static_assert(!Traits::takes_stop_token,
                "cfd: a std::stop_token does not travel: the implementation may take one first");
  static_assert(!detail::takes_any<Types>,
                "cfd: declare takes typed parameters; a function of any arguments is dispatched");
  detail::check_parameters(typename Traits::Declared());
  using Parameters = decltype(detail::make_parameters<Types::size>(Types(), names...));
  const auto& parameters = *new Parameters(detail::make_parameters<Types::size>(Types(), names...));
  return Declared<typename Traits::Result, Parameters>(detail::register_with(name, parameters), parameters);
}

/// The body of a declared function; keep it in a namespace-scope constant of one source file of the executing
/// program.
///
///     const auto train_here = cfd::implement(train, [](Dataset data, Config config) { return 0.5; });
///
/// `function` takes the declared parameters, after a std::stop_token if it wants one, and returns what
/// converts to the declared result; else it does not compile. A second body for one function stops the
/// program at start.
template <class R, class Parameters, class F>
class [[maybe_unused]] Implementation {
 public:
  Implementation(const Declared<R, Parameters>& declared, F function, detail::SourceLocation location,
                 std::chrono::milliseconds limit = {}) {
    declared.function_->timeout = limit;
    register_types(typename Parameters::Types(), declared, std::move(function), location);
  }

 private:
  template <class... P>
  static void register_types(detail::TypeList<P...>, const Declared<R, Parameters>& declared, F function,
                             detail::SourceLocation location) {
    constexpr bool plain = std::is_invocable_r_v<R, const F&, P...>;
    constexpr bool stoppable = std::is_invocable_r_v<R, const F&, std::stop_token, P...>;
    static_assert(
        plain || stoppable,
        "cfd: the implementation does not have the declared signature: it must take the declared parameters "
        "and return what converts to the declared result");
    if constexpr (stoppable) {
      body(
          declared,
          [f = std::move(function)](std::stop_token stop, P... p) -> R {
            return f(std::move(stop), std::move(p)...);
          },
          location);
    } else if constexpr (plain) {
      body(
          declared, [f = std::move(function)](P... p) -> R { return f(std::move(p)...); }, location);
    }
  }

  template <class Typed>
  static void body(const Declared<R, Parameters>& declared, Typed typed, detail::SourceLocation location) {
    detail::register_body(*declared.function_, detail::make_target(std::move(typed), *declared.parameters_),
                          location);
  }
};

/// See Implementation.
template <class R, class Parameters, class F>
Implementation<R, Parameters, F> implement(const Declared<R, Parameters>& declared, F function,
                                           const char* file = __builtin_FILE(),
                                           unsigned line = __builtin_LINE()) {
  return {declared, std::move(function), {file, line}};
}

/// The same, of a function that has a time limit of its own.
template <class R, class Parameters, class F>
Implementation<R, Parameters, F> implement(const Declared<R, Parameters>& declared, F function, Timeout limit,
                                           const char* file = __builtin_FILE(),
                                           unsigned line = __builtin_LINE()) {
  return {declared, std::move(function), {file, line}, limit.value};
}

}  // namespace cfd
