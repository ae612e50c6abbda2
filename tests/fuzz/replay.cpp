// Drives a fuzz target without libFuzzer: every file of its corpus, then cheap mutations of them, the same ones in
// every run.
//
//   TARGET DIRECTORY   the corpus, and mutations of it
//   TARGET FILE        one input
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "net/async/random.h"
#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t mutation_count = 4'000;
constexpr std::size_t input_bytes_max = 16'384;

struct seed_input {
  std::string name;
  std::string bytes;
};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

std::vector<seed_input> read_corpus(const fs::path& path) {
  std::vector<seed_input> seeds;
  if (!fs::is_directory(path)) {
    seeds.push_back({path.filename().string(), read_file(path)});
    return seeds;
  }
  for (const auto& file : fs::directory_iterator(path)) {
    seeds.push_back({file.path().filename().string(), read_file(file.path())});
  }
  std::sort(seeds.begin(), seeds.end(),
            [](const seed_input& a, const seed_input& b) { return a.name < b.name; });
  return seeds;
}

// What is being tried, for the signal handler: the input of a crash must not be lost.
std::string current_input;

void save_input(int signal) {
  constexpr const char* path = "crash-input";
  if (FILE* file = std::fopen(path, "wb")) {
    std::fwrite(current_input.data(), 1, current_input.size(), file);
    std::fclose(file);
    std::fprintf(stderr, "signal %d; the input is in %s\n", signal, path);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void try_input(std::string bytes) {
  current_input = std::move(bytes);
  const ordeal::fuzz::exact_copy copy(current_input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(copy.view().data()),
                         copy.view().size());
}

class mutator {
 public:
  explicit mutator(const std::vector<seed_input>& seeds) : seeds_(seeds) {}

  std::string next() {
    std::string text = any_seed();
    for (std::size_t step = 1 + random_.below(4); step > 0; --step) change(text);
    text.resize(std::min(text.size(), input_bytes_max));
    return text;
  }

 private:
  const std::string& any_seed() { return seeds_[random_.below(seeds_.size())].bytes; }
  std::size_t place_in(const std::string& text) { return random_.below(text.size() + 1); }
  // Bytes that mean something somewhere, more often than others.
  char any_byte() {
    constexpr std::string_view telling("\0\xff\x1e\r\n\"\\{}[]:,.-0123456789$*+ ", 30);
    if (random_.below(2) == 0) return static_cast<char>(random_.below(256));
    return telling[random_.below(telling.size())];
  }

  void change(std::string& text) {
    const std::size_t place = place_in(text);
    const std::size_t length = 1 + random_.below(16);
    switch (random_.below(6)) {
      case 0:
        if (place < text.size()) text[place] = any_byte();
        break;
      case 1:
        text.insert(place, 1, any_byte());
        break;
      case 2:
        text.erase(place, length);
        break;
      case 3: {  // something again
        const std::string piece = text.substr(place, length);
        text.insert(place_in(text), piece);
        break;
      }
      case 4:
        text.resize(place);
        break;
      default: {  // the end of another one
        const std::string& other = any_seed();
        text.replace(place, std::string::npos, other, place_in(other), std::string::npos);
      }
    }
  }

  const std::vector<seed_input>& seeds_;
  ordeal::net::random_stream random_{0, "mutations"};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY|FILE\n", argv[0]);
    return 2;
  }
  const fs::path path = argv[1];
  if (!fs::exists(path)) {
    std::fprintf(stderr, "error: there is no '%s'\n", path.c_str());
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL}) std::signal(signal, save_input);
  const std::vector<seed_input> seeds = read_corpus(path);
  if (seeds.empty()) {
    std::fprintf(stderr, "error: the corpus '%s' is empty\n", path.c_str());
    return 2;
  }
  for (const seed_input& seed : seeds) try_input(seed.bytes);
  const std::size_t mutated = fs::is_directory(path) ? mutation_count : 0;
  mutator mutations(seeds);
  for (std::size_t i = 0; i < mutated; ++i) try_input(mutations.next());
  std::printf("%zu inputs and %zu mutations: nothing found\n", seeds.size(), mutated);
  return 0;
}
