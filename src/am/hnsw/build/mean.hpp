// mean.hpp — the centre of a build's codes, from a sample of the table.
#pragma once

#include "am/hnsw/row_encoder.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vann::hnsw {

// The mean of some 1,000 rows spread over the table, as `encoder`, whose index has the mean zero,
// prepares them: the same for the same table, whoever scans it later. Writes layout.shape.dims floats;
// zeros if no row was met. A fraction of a scan's time: see ../README.md, "Build".
void sample_mean(Relation heap, IndexInfo *info, RowEncoder *encoder, uint32_t dims, float *mean);

}  // namespace vann::hnsw
