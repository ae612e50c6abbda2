#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/history/event_codec.h"
#include "harness/history/frame.h"
#include "harness/history/history_file.h"
#include "harness/history/history_files.h"

namespace ordeal::harness {
namespace {

struct chunk {
  frame_head head;
  std::string frame;  // not sealed yet
};

// Chunks on their way to the files. All but run() belongs to the fleet's thread, and waits for
// nothing but a lock that is held for the move of a chunk.
class disk_queue {
 public:
  disk_queue(history_files& files, std::size_t bytes_max) : files_(files), bytes_max_(bytes_max) {}

  // false: no room.
  bool push(chunk what) {
    {
      const std::lock_guard lock(mutex_);
      if (bytes_ + what.frame.size() > bytes_max_) return false;
      bytes_ += what.frame.size();
      chunks_.push_back(std::move(what));
    }
    changed_.notify_one();
    return true;
  }

  // There is always room for the last chunk: now its writing is waited for anyway.
  void finish(std::optional<chunk> last) {
    {
      const std::lock_guard lock(mutex_);
      if (last) {
        bytes_ += last->frame.size();
        chunks_.push_back(*std::move(last));
      }
      is_finishing_ = true;
    }
    changed_.notify_one();
  }

  bool has_failed() const { return has_failed_.load(std::memory_order_relaxed); }
  void fail(std::string why) {
    const std::lock_guard lock(mutex_);
    if (!has_failed()) error_ = std::move(why);
    has_failed_ = true;
  }
  std::string error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

  // The writer's thread, until finish() and the last chunk.
  void run() {
    while (auto next = take()) {
      const std::size_t size = next->frame.size();
      // After a failure chunks are let go: what would be written behind a gap of unknown size helps nobody.
      if (!has_failed()) write(*next);
      const std::lock_guard lock(mutex_);
      bytes_ -= size;
    }
    if (auto why = files_.close(); !why.empty()) fail(std::move(why));
  }

 private:
  std::optional<chunk> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_finishing_ || !chunks_.empty(); });
    if (chunks_.empty()) return std::nullopt;
    std::optional<chunk> first = std::move(chunks_.front());
    chunks_.pop_front();
    return first;
  }

  void write(chunk& what) {
    seal(what.frame, what.head);
    if (auto why = files_.write(what.frame); !why.empty()) fail(std::move(why));
  }

  history_files& files_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<chunk> chunks_;
  std::size_t bytes_ = 0;  // of chunks waiting and of the one being written
  bool is_finishing_ = false;
  std::atomic<bool> has_failed_ = false;
  std::string error_;
};

// Signals are for the threads that have something to do with them.
std::thread start_without_signals(disk_queue& queue) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread([&queue] { queue.run(); });
  } catch (const std::system_error& failure) {
    queue.fail(std::string("cannot start the thread that writes the history: ") + failure.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

class file_writer final : public history_writer {
 public:
  file_writer(const std::filesystem::path& directory, const std::string& header,
              const history_options& options)
      : options_(options),
        chunk_bytes_(std::min(options.flush_bytes, chunk_bytes_max)),
        files_(directory, header_frame(options.mode, header), options.file_bytes_max),
        queue_(files_, options.queued_bytes_max) {
    if (header.size() >= frame_body_bytes_max) {
      queue_.fail("the header of a history is too long: " + std::to_string(header.size()) +
                  " bytes");
      return;
    }
    if (auto why = files_.begin(); !why.empty()) {
      queue_.fail(std::move(why));
    } else {
      thread_ = start_without_signals(queue_);
    }
  }
  ~file_writer() override { finish(); }

  void on(const event& what) override {
    if (queue_.has_failed()) return;
    const run_time at = time_of(what);
    if (open_.event_count > 0 && wire::difference(at, open_.first) >= interval()) flush();
    if (open_.event_count == 0) begin(at);
    encoder_.add(what);
    open_.last = at;
    ++open_.event_count;
    if (encoder_.bytes().size() >= chunk_bytes_) flush();
  }

  void tick() override {
    if (open_.event_count == 0) return;
    if (std::chrono::steady_clock::now() - begun_ >= options_.flush_interval) flush();
  }

  void keep_surroundings() override {
    keeps_until_ = open_.last + options_.kept_after;
    for (chunk& each : ring_) send(std::move(each));
    ring_.clear();
    ring_bytes_ = 0;
  }

  void finish() override {
    if (!thread_.joinable()) return;
    // The last chunk is written in every mode: it says how the run ended, and how many events it had.
    std::optional<chunk> last;
    if (open_.event_count > 0) last = close_chunk();
    queue_.finish(std::move(last));
    thread_.join();
  }

  std::uint64_t dropped_events() const override { return dropped_; }
  std::string error() const override { return queue_.error(); }

 private:
  static constexpr std::size_t chunk_bytes_max =
      16 * 1024 * 1024;  // leaves room for the last event's text

  std::int64_t interval() const {
    return std::chrono::nanoseconds(options_.flush_interval).count();
  }

  void begin(run_time at) {
    open_.first = at;
    begun_ = std::chrono::steady_clock::now();
    encoder_.begin(at);
  }

  chunk close_chunk() {
    chunk closed;
    closed.head = open_;
    const std::string_view body = encoder_.bytes();
    closed.frame.reserve(frame_head_bytes + body.size());
    closed.frame.assign(frame_head_bytes, '\0').append(body);
    open_.first_event += open_.event_count;
    open_.event_count = 0;
    return closed;
  }

  void flush() {
    chunk closed = close_chunk();
    const bool is_wanted =
        options_.mode == history_mode::full || (keeps_until_ && closed.head.first <= *keeps_until_);
    if (is_wanted) return send(std::move(closed));
    ring_bytes_ += closed.frame.size();
    ring_.push_back(std::move(closed));
    while (ring_bytes_ > options_.ring_bytes) {
      ring_bytes_ -= ring_.front().frame.size();
      ring_.pop_front();
    }
  }

  void send(chunk what) {
    const std::uint64_t events = what.head.event_count;
    if (!queue_.push(std::move(what))) dropped_ += events;
  }

  const history_options options_;
  const std::size_t chunk_bytes_;
  event_encoder encoder_;
  frame_head open_{frame_kind::events, 0, 0, {}, {}};  // of the chunk that grows
  std::chrono::steady_clock::time_point begun_;        // when its first event came
  std::deque<chunk> ring_;
  std::size_t ring_bytes_ = 0;
  std::optional<run_time> keeps_until_;
  std::uint64_t dropped_ = 0;
  history_files files_;
  disk_queue queue_;
  std::thread thread_;
};

class no_writer final : public history_writer {
 public:
  void on(const event&) override {}
  void tick() override {}
  void keep_surroundings() override {}
  void finish() override {}
  std::uint64_t dropped_events() const override { return 0; }
  std::string error() const override { return {}; }
};

}  // namespace

std::unique_ptr<history_writer> history_writer::make(const std::filesystem::path& directory,
                                                     std::string header, history_options options) {
  if (options.mode == history_mode::none) return std::make_unique<no_writer>();
  return std::make_unique<file_writer>(directory, header, options);
}

}  // namespace ordeal::harness
