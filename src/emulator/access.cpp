#include "emulator/access.hpp"

#include <array>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <fmt/format.h>

namespace cfd::emulator {

namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, host.rfind(':'));
}

}  // namespace

bool is_local_host(std::string_view host, std::string_view own_address) {
  using boost::algorithm::iends_with;
  using boost::algorithm::iequals;
  const auto name = without_port(host);
  if (name.empty()) return false;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(std::string(name), no_address);
  if (!no_address || name.find('.') == std::string_view::npos || iequals(name, own_address)) return true;
  // Nobody can register these.
  constexpr std::array<std::string_view, 4> reserved{".localhost", ".local", ".internal", ".test"};
  for (const auto suffix : reserved) {
    if (iends_with(name, suffix)) return true;
  }
  boost::system::error_code no_name;
  return iequals(name, boost::asio::ip::host_name(no_name)) && !no_name;
}

std::string refusal_of(const RequestSource& source, std::string_view own_address) {
  if (!source.host.empty() && !is_local_host(source.host, own_address)) {
    return fmt::format(
        "The host \"{}\" may be another site's name for this machine: use localhost, an address, or the name "
        "given to --host.",
        source.host.substr(0, 100));
  }
  const bool own_origin = boost::algorithm::istarts_with(source.origin, "http://") &&
                          boost::algorithm::iequals(source.origin.substr(7), source.host);
  if (!source.origin.empty() && !own_origin) {
    return fmt::format("A page of {} may not use this server: only its own page, and programs, may.",
                       source.origin.substr(0, 100));
  }
  if (source.origin.empty() && (source.fetch_site == "cross-site" || source.fetch_site == "same-site"))
    return "A page of another site may not use this server: only its own page, and programs, may.";
  return {};
}

bool is_json(std::string_view content_type) noexcept {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return boost::algorithm::iequals(type, "application/json") ||
         (boost::algorithm::istarts_with(type, "application/") &&
          boost::algorithm::iends_with(type, "+json"));
}

}  // namespace cfd::emulator
