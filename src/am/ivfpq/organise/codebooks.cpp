// codebooks.cpp — trains the codebooks of an index that was created empty, and the rotation before them. Locks: one page at a time; the
// metapage in the end.
#include "am/ivfpq/organise/retrain.hpp"

#include "am/common/run_core.hpp"
#include "core/codebook/learn.hpp"
#include "core/codebook/opq.hpp"
#include "pg/compat.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr uint64_t kLeastRows = 4096;
constexpr uint64_t kSeed = 0x636f6465626f6f6bull;

// As many as training uses.
uint64_t wanted_rows(const quantize::ListShape &shape) {
  return quantize::codebook_entries(shape.codec) *
         (shape.codec == quantize::Codec::kPq8 ? uint64_t{64} : uint64_t{512});
}

struct Residuals {
  float *values;  // [rows][dims]
  uint64_t rows;
};

Residuals take_residuals(Run *run, const Array<uint32_t> &lists, uint64_t rows) {
  const Layout &layout = run->index.layout();
  const size_t dims = layout.rotated_dims;
  const uint64_t room = size_t(maintenance_work_mem) * 512 / (dims * sizeof(float));
  const uint64_t wanted = std::max<uint64_t>(std::min({rows, wanted_rows(layout.rows), room}), 1);
  Residuals residuals{pg::allocate_aligned<float>(run->list_context, wanted * dims), 0};
  AnchorCache anchors;
  anchors.init(run->index, run->list_context);
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  const double step = std::max(1.0, static_cast<double>(rows) / static_cast<double>(wanted));
  double seen = 0;
  double due = 0;
  PageRow row;
  for (const uint32_t list : lists) {
    for (BlockNumber block = read_list(run->index, list, nullptr).head;
         block != kNoBlock && residuals.rows < wanted;) {
      block = reader.read(list, block, false);
      for (; residuals.rows < wanted && reader.next(&row); ++seen) {
        if (seen < due) continue;
        due += step;
        const float *anchor = anchors.decoded(row.anchor);
        float *out = residuals.values + residuals.rows * dims;
        for (size_t i = 0; i < dims; ++i) out[i] = row.x[i] - anchor[i];
        ++residuals.rows;
      }
    }
  }
  return residuals;
}

// What is learned; arrays of the list context.
struct Learned {
  float *matrix;  // null: no rotation
  float *codebooks;
  float error_scale;
};

Learned learn_from(const Index &index, const Residuals &residuals, MemoryContext context) {
  const quantize::ListShape &shape = index.layout().rows;
  const bool turns =
      index.cache->rotation_kind == RotationKind::kLearned &&
      codebook::rotation_train_bytes(shape.dims) <= size_t(maintenance_work_mem) * 512;
  struct Work {
    const quantize::ListShape *shape;
    const Residuals *residuals;
    Learned learned;
  } work{&shape,
         &residuals,
         {turns ? pg::allocate_aligned<float>(context, size_t{shape.dims} * shape.dims) : nullptr,
          pg::allocate_aligned<float>(context, quantize::codebook_floats(shape)), 1}};
  am::run_core(
      [](void *argument) {
        Work &wanted = *static_cast<Work *>(argument);
        am::BackendMonitor monitor(false, 0);
        parallel::Team team(1, monitor);
        wanted.learned.error_scale =
            codebook::learn_codes(*wanted.shape, wanted.residuals->values, wanted.residuals->rows,
                                  kSeed, team, wanted.learned.matrix, wanted.learned.codebooks);
      },
      &work);
  return work.learned;
}

}  // namespace

bool codebooks_are_due(const Index &index, uint64_t rows) {
  return index.cache->codebook_version == 0 &&
         index.layout().rows.codec != quantize::Codec::kRabitq && rows >= kLeastRows;
}

void train_codebooks_of(Run *run, const Array<uint32_t> &lists, uint64_t rows) {
  MemoryContextReset(run->list_context);
  const quantize::ListShape &shape = run->index.layout().rows;
  const Residuals residuals = take_residuals(run, lists, rows);
  const Learned learned = learn_from(run->index, residuals, run->list_context);
  const BlockNumber rotation =
      learned.matrix != nullptr
          ? write_floats(run->index, learned.matrix, size_t{shape.dims} * shape.dims)
          : kNoBlock;
  const BlockNumber codebooks =
      write_floats(run->index, learned.codebooks, quantize::codebook_floats(shape));
  {
    const pg::LockedPage page(run->index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    pg::PageEdit edit(run->index.relation);
    MetaPage *meta = meta_of(edit.modify(page));
    meta->rotation_block = rotation;
    meta->codebook_block = codebooks;
    meta->codebook_version = 1;
    meta->error_scale = learned.error_scale;
    edit.commit();
  }
  pg::ContextScope scope(run->context);
  run->index = open_index(run->index.relation);
}

}  // namespace vann::ivfpq
