#include "auth/jwks.hpp"

#include <boost/json.hpp>
#include <openssl/core_names.h>

#include "auth/jwt.hpp"

namespace cfd::auth {
namespace {

namespace json = boost::json;

constexpr int least_bits = 2'048;
constexpr int most_bits = 8'192;
constexpr std::size_t most_keys = 64;

std::string_view text_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->as_string().data(), value->as_string().size()};
}

BigNumber number_of(const json::object& object, const char* name) {
  const auto bytes = decode_base64url(text_of(object, name));
  if (!bytes || bytes->empty() || bytes->size() > most_bits / 8) return {};
  return BigNumber(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes->data()),
                             static_cast<int>(bytes->size()), nullptr));
}

KeyPtr rsa_key(const BigNumber& modulus, const BigNumber& exponent) {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return KeyPtr(key, EVP_PKEY_free);
}

void take(const json::object& entry, Keys& keys) {
  const std::string_view id = text_of(entry, "kid");
  const bool signs = !entry.contains("use") || text_of(entry, "use") == "sig";
  const bool rs256 = !entry.contains("alg") || text_of(entry, "alg") == "RS256";
  if (id.empty() || text_of(entry, "kty") != "RSA" || !signs || !rs256) return;
  const BigNumber modulus = number_of(entry, "n");
  const BigNumber exponent = number_of(entry, "e");
  if (modulus == nullptr || exponent == nullptr || BN_num_bits(modulus.get()) < least_bits ||
      BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1)
    return;
  if (auto key = rsa_key(modulus, exponent)) keys.emplace(id, std::move(key));
}

}  // namespace

std::string parse_key_set(std::string_view text, Keys& keys) {
  keys.clear();
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) return "is no JSON Web Key Set";
  const auto* list = value.as_object().if_contains("keys");
  if (list == nullptr || !list->is_array()) return "is no JSON Web Key Set";
  for (const auto& entry : list->as_array())
    if (entry.is_object() && keys.size() < most_keys) take(entry.as_object(), keys);
  return keys.empty() ? "holds no RSA key of 2048 bits or more to verify with" : "";
}

}  // namespace cfd::auth
