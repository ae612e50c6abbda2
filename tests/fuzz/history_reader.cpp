// A history file of any bytes: refused, or events up to its end or to a damage that is told with its place. A file
// that is torn anywhere gives the first of the same events, and damage or the end.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "harness/history/envelope.h"
#include "harness/history/event_order.h"
#include "harness/history/history_file.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;
namespace fs = std::filesystem;

// Of this process, gone with it.
class scratch_directory {
 public:
  scratch_directory()
      : path_(fs::temp_directory_path() / ("ordeal-fuzz-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;  // it is in the place for such things
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Nothing but the checksums keeps the fuzzer out of what lies behind them: put the right ones there. Magic, checksum,
// version and body size stand where they stand in every version of the format (docs/formats.md).
std::string with_good_checksums(std::string file) {
  constexpr std::size_t head_bytes = 44, checksum_at = 4, checked_from = 8, body_size_at = 12;
  std::size_t frame = 0;
  while (file.size() - frame >= head_bytes) {
    std::uint32_t body_bytes = 0;
    for (std::size_t i = 4; i > 0; --i)
      body_bytes =
          body_bytes << 8U | static_cast<unsigned char>(file[frame + body_size_at + i - 1]);
    if (body_bytes > file.size() - frame - head_bytes) break;
    const std::size_t end = frame + head_bytes + body_bytes;
    std::uint32_t checksum =
        crc32c(std::string_view(file).substr(frame + checked_from, end - frame - checked_from));
    for (std::size_t i = 0; i < 4; ++i, checksum >>= 8U)
      file[frame + checksum_at + i] = static_cast<char>(checksum & 0xffU);
    frame = end;
  }
  return file;
}

struct read_history {
  bool is_refused = false;
  std::vector<event> events;
  bool is_damaged = false;
};

read_history read(const std::string& bytes) {
  static const scratch_directory directory;
  const fs::path file = directory.path() / "000001.history";
  fs::remove(file);  // file systems flush what is written over a file that was emptied
  std::ofstream(file, std::ios::binary) << bytes;
  read_history found;
  std::unique_ptr<history_reader> reader;
  try {
    reader = history_reader::open(directory.path());
  } catch (const std::runtime_error&) {
    found.is_refused = true;
    return found;
  }
  while (auto what = reader->next()) found.events.push_back(std::move(*what));
  ORDEAL_ASSERT(!reader->next());
  if (const auto damage = reader->damage()) {
    found.is_damaged = true;
    ORDEAL_ASSERT(damage->offset <= bytes.size() && !damage->what.empty());
  }
  std::uint64_t next_event = 0;
  for (const history_hole& hole : reader->holes()) {
    ORDEAL_ASSERT(hole.events > 0 && hole.first_event >= next_event);
    next_event = hole.first_event + hole.events;
  }
  return found;
}

void try_torn(const std::string& bytes) {
  const read_history whole = read(bytes);
  if (whole.is_refused) return;
  const read_history torn = read(bytes.substr(0, crc32c(bytes) % bytes.size()));
  ORDEAL_ASSERT(torn.events.size() <= whole.events.size());
  for (std::size_t i = 0; i < torn.events.size(); ++i)
    ORDEAL_ASSERT(is_same(torn.events[i], whole.events[i]));
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string file(text_of(bytes, size));
  const std::string mended = with_good_checksums(file);
  if (mended != file) (void)read(file);
  try_torn(mended);
  return 0;
}
