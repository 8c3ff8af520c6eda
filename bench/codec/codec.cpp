// Encoding and decoding the same values with this library, protobuf, nlohmann JSON and cereal. Each contender
// has the kindest conditions it allows: messages are filled beforehand, buffers and targets are reused.

#include <chrono>
#include <functional>
#include <map>
#include <sstream>

#include <cereal/archives/binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <nlohmann/json.hpp>

#include <cfd/dispatch.hpp>

#include "codec/compression.hpp"
#include "codec/values.pb.h"
#include "registry/registry.hpp"
#include "report.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Struct {
  std::int64_t id = 0;
  std::int32_t kind = 0;
  bool active = false;
  double score = 0;
  float weight = 0;
  std::string name;
  std::string email;
  std::uint32_t flags = 0;
  std::int64_t created = 0;
  std::uint64_t checksum = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, kind, active, score, weight, name, email, flags, created, checksum);
  }
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Struct, id, kind, active, score, weight, name, email, flags, created,
                                 checksum)
};

struct Small {
  int a = 0;
  int b = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(a, b);
  }
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Small, a, b)
};

Struct make_struct(int i) {
  return {1'000'000 + i,
          i % 7,
          i % 2 == 0,
          0.5 * i,
          0.25F,
          "user number " + std::to_string(i),
          "user" + std::to_string(i) + "@example.com",
          0xf0f0U,
          1'700'000'000 + i,
          0x0123456789abcdef};
}

void fill(bench::pb::Struct& message, const Struct& s) {
  message.set_id(s.id);
  message.set_kind(s.kind);
  message.set_active(s.active);
  message.set_score(s.score);
  message.set_weight(s.weight);
  message.set_name(s.name);
  message.set_email(s.email);
  message.set_flags(s.flags);
  message.set_created(s.created);
  message.set_checksum(s.checksum);
}

template <class T>
void keep(T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// One contender's way to do the work once.
using Work = std::function<void()>;

double time_once(const Work& work, std::size_t iterations) {
  const auto start = Clock::now();
  for (std::size_t i = 0; i < iterations; ++i) work();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() /
         static_cast<double>(iterations);
}

/// Times the contenders in turn, round after round, so that what disturbs one disturbs all; each round starts
/// with another one, since each finds the caches as the one before left them.
std::map<std::string, double> compete(const std::vector<std::pair<std::string, Work>>& contenders) {
  std::map<std::string, std::size_t> iterations;
  for (const auto& [name, work] : contenders) {
    std::size_t n = 1;
    while (time_once(work, n) * static_cast<double>(n) < 1e6) n *= 2;
    iterations[name] = n;
  }
  std::map<std::string, std::vector<double>> times;
  for (std::size_t round = 0; round < 100; ++round)
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const auto& [name, work] = contenders[(round + i) % contenders.size()];
      times[name].push_back(time_once(work, iterations[name]));
    }
  std::map<std::string, double> medians;
  for (auto& [name, values] : times) medians[name] = bench::median(values);
  return medians;
}

void report(bench::Report& rows, const std::string& row,
            const std::vector<std::pair<std::string, Work>>& contenders) {
  auto medians = compete(contenders);
  rows.add(row, medians["cfd"], "ns", "protobuf", medians["protobuf"] / medians["cfd"]);
  for (const auto& [name, work] : contenders)
    if (name != "cfd") rows.add(row + "_" + name, medians[name], "ns");
}

template <class T>
Work encode_cereal(const T& value) {
  return [&value] {
    std::ostringstream stream;
    cereal::BinaryOutputArchive archive(stream);
    archive(value);
    auto text = std::move(stream).str();
    keep(text);
  };
}

template <class T>
Work decode_cereal(const T& value) {
  std::ostringstream stream;
  cereal::BinaryOutputArchive archive(stream);
  archive(value);
  return [text = stream.str(), target = T()]() mutable {
    std::istringstream in(text);
    cereal::BinaryInputArchive input(in);
    input(target);
    keep(target);
  };
}

template <class T>
Work encode_json(const T& value) {
  return [&value] {
    const std::string text = nlohmann::json(value).dump();
    keep(text);
  };
}

template <class T>
Work decode_json(const T& value) {
  return [text = nlohmann::json(value).dump(), target = T()]() mutable {
    nlohmann::json::parse(text).get_to(target);
    keep(target);
  };
}

template <class Message>
Work encode_protobuf(const Message& message) {
  return [&message, text = std::string()]() mutable {
    message.SerializeToString(&text);
    keep(text);
  };
}

template <class Message>
Work decode_protobuf(const Message& message) {
  return [text = message.SerializeAsString(), target = Message()]() mutable {
    target.ParseFromString(text);
    keep(target);
  };
}

template <class T>
Work encode_cfd(const T& value) {
  return [&value] {
    cfd::detail::ScratchWriter writer;
    cfd::detail::Coder<T>::write(*writer, value);
    const auto bytes = writer->written();
    keep(bytes);
  };
}

template <class T>
Work decode_cfd(const T& value) {
  cfd::detail::Writer writer;
  cfd::detail::Coder<T>::write(writer, value);
  return [bytes = std::string(writer.written()), target = T()]() mutable {
    cfd::detail::Reader reader(bytes);
    if (!cfd::detail::Coder<T>::read(reader, target)) std::abort();
    keep(target);
  };
}

int sum = 0;
const auto small_function = cfd::dispatch("bench.small", [](int a, int b) { sum += a + b; });

/// `(1, 2)` as a call: the arguments of `small_function(1, 2)`, written and invoked as on the call path.
Work encode_small_call() {
  const auto* function = cfd::registry::find("bench.small");
  using Types = cfd::detail::TypeList<int, int>;
  using Parameters = decltype(cfd::detail::make_parameters<2>(Types()));
  return [function, parameters = cfd::detail::make_parameters<2>(Types())] {
    cfd::detail::ScratchWriter writer;
    cfd::detail::TypedCall<Parameters>::write(*writer, *function, parameters, 1, 2);
    const auto bytes = writer->written();
    keep(bytes);
  };
}

Work decode_small_call() {
  const auto* body = cfd::registry::find("bench.small")->body.load();
  return [body] {
    cfd::detail::Reader reader("\x92\x92\x01\x02\x80");
    cfd::detail::Incoming incoming{reader};
    if (!body->invoke(incoming)) std::abort();
    keep(sum);
  };
}

/// What compression costs for each byte that it saves, on the first `size` bytes of encoded structs: it pays
/// where that is less than sending a byte takes, which is 8 ns at 1 Gbit/s.
void report_compression(bench::Report& rows, std::string_view encoded, std::size_t size) {
  const std::string_view data = encoded.substr(0, size);
  std::string compressed;
  cfd::codec::compress_zstd(data, compressed);
  const auto saved = static_cast<double>(data.size() - std::min(data.size(), compressed.size()));
  const Work work = [&] { cfd::codec::compress_zstd(data, compressed); };
  const double time = compete({{"zstd", work}})["zstd"];
  rows.add(fmt::format("compress_{}", size), time / saved, "ns/saved B");
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report rows("codec", argc, argv);

  const Small small{1, 2};
  bench::pb::Small small_pb;
  small_pb.set_a(1);
  small_pb.set_b(2);
  report(rows, "encode_small",
         {{"cfd", encode_small_call()},
          {"protobuf", encode_protobuf(small_pb)},
          {"nlohmann_json", encode_json(small)},
          {"cereal", encode_cereal(small)}});
  report(rows, "decode_small",
         {{"cfd", decode_small_call()},
          {"protobuf", decode_protobuf(small_pb)},
          {"nlohmann_json", decode_json(small)},
          {"cereal", decode_cereal(small)}});

  const Struct one = make_struct(42);
  bench::pb::Struct one_pb;
  fill(one_pb, one);
  report(rows, "encode_struct",
         {{"cfd", encode_cfd(one)},
          {"protobuf", encode_protobuf(one_pb)},
          {"nlohmann_json", encode_json(one)},
          {"cereal", encode_cereal(one)}});
  report(rows, "decode_struct",
         {{"cfd", decode_cfd(one)},
          {"protobuf", decode_protobuf(one_pb)},
          {"nlohmann_json", decode_json(one)},
          {"cereal", decode_cereal(one)}});

  std::vector<Struct> many;
  bench::pb::Structs many_pb;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(make_struct(i));
    fill(*many_pb.add_structs(), many.back());
  }
  report(rows, "encode_structs_1000",
         {{"cfd", encode_cfd(many)},
          {"protobuf", encode_protobuf(many_pb)},
          {"nlohmann_json", encode_json(many)},
          {"cereal", encode_cereal(many)}});
  report(rows, "decode_structs_1000",
         {{"cfd", decode_cfd(many)},
          {"protobuf", decode_protobuf(many_pb)},
          {"nlohmann_json", decode_json(many)},
          {"cereal", decode_cereal(many)}});

  cfd::detail::Writer encoded;
  cfd::detail::Coder<std::vector<Struct>>::write(encoded, many);
  for (const std::size_t size : {512, 1024, 2048, 4096, 16384, 65536})
    report_compression(rows, encoded.written(), size);

  const std::vector<unsigned char> blob(1'000'000, 0xa5);
  bench::pb::Blob blob_pb;
  blob_pb.set_data(blob.data(), blob.size());
  report(rows, "encode_blob_1mb",
         {{"cfd", encode_cfd(blob)},
          {"protobuf", encode_protobuf(blob_pb)},
          {"nlohmann_json", encode_json(blob)},
          {"cereal", encode_cereal(blob)}});
  report(rows, "decode_blob_1mb",
         {{"cfd", decode_cfd(blob)},
          {"protobuf", decode_protobuf(blob_pb)},
          {"nlohmann_json", decode_json(blob)},
          {"cereal", decode_cereal(blob)}});
  return rows.finish();
}
