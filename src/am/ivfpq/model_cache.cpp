// model_cache.cpp — see model_cache.hpp. Contexts that hold a model tell by their reset, which an ERROR does
// not miss.
#include "am/ivfpq/model_cache.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace vann::ivfpq {

namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

// In order of use, the last one first: a backend that uses many indexes is rare.
struct Entry {
  Entry *next;
  ModelKey key;
  uint32_t holders;
  size_t bytes;
  IndexCache *model;
};

Entry *last_used = nullptr;
size_t kept_bytes = 0;

bool same(const ModelKey &a, const ModelKey &b) {
  return a.build_id == b.build_id && a.codebook_version == b.codebook_version &&
         a.has_mean == b.has_mean;
}

void push_front(Entry *entry) {
  entry->next = last_used;
  last_used = entry;
}

// Forgets what is beyond the limit, but not models that somebody holds.
void forget_oldest() {
  if (kept_bytes <= kMostBytes) return;
  size_t bytes = 0;
  for (Entry **link = &last_used; *link != nullptr;) {
    Entry *entry = *link;
    bytes += entry->bytes;
    if (bytes <= kMostBytes || entry->holders > 0) {
      link = &entry->next;
      continue;
    }
    *link = entry->next;
    kept_bytes -= entry->bytes;
    pfree(entry->model);
    pfree(entry);
  }
}

void release(void *entry) {
  --static_cast<Entry *>(entry)->holders;
  forget_oldest();
}

const IndexCache *hold(Entry *entry, MemoryContext holder) {
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAlloc(holder, sizeof(MemoryContextCallback)));
  callback->func = release;
  callback->arg = entry;
  MemoryContextRegisterResetCallback(holder, callback);
  ++entry->holders;
  return entry->model;
}

}  // namespace

ModelKey model_key(const MetaPage &meta) {
  return {meta.build_id, meta.codebook_version, meta.mean_block != kNoBlock};
}

const IndexCache *find_model(const ModelKey &key, MemoryContext holder) {
  for (Entry **link = &last_used; *link != nullptr; link = &(*link)->next) {
    Entry *entry = *link;
    if (!same(entry->key, key)) continue;
    *link = entry->next;
    push_front(entry);
    return hold(entry, holder);
  }
  return nullptr;
}

const IndexCache *keep_model(const ModelKey &key, const IndexCache &model, MemoryContext holder) {
  pg::ContextScope scope(CacheMemoryContext);
  const size_t bytes = cache_bytes(model);
  IndexCache *copy = static_cast<IndexCache *>(MemoryContextAllocHuge(CacheMemoryContext, bytes));
  memcpy(copy, &model, bytes);
  Entry *entry = static_cast<Entry *>(palloc(sizeof(Entry)));
  *entry = {nullptr, key, 0, bytes, copy};
  push_front(entry);
  kept_bytes += bytes;
  const IndexCache *held = hold(entry, holder);
  forget_oldest();
  return held;
}

}  // namespace vann::ivfpq
