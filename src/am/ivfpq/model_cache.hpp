// model_cache.hpp — models of indexes that this backend has used, kept from statement to statement. A learned
// rotation has megabytes, and what hangs on a relation may be freed by any catalog access: copying it for
// every scan would take longer than most scans.
#pragma once

#include "am/ivfpq/index.hpp"

namespace vann::ivfpq {

// What tells models apart: an index's id is drawn anew by every build; the rest changes once in its life.
struct ModelKey {
  uint64_t build_id;
  uint32_t codebook_version;
  uint32_t has_mean;
};

ModelKey model_key(const MetaPage &meta);

// The model, or null. It stays where it is until `holder` is reset, and as long after as there is memory: the
// last ones used are kept, up to 64 MB.
const IndexCache *find_model(const ModelKey &key, MemoryContext holder);

// Copies a model into the cache and does as find_model().
const IndexCache *keep_model(const ModelKey &key, const IndexCache &model, MemoryContext holder);

}  // namespace vann::ivfpq
