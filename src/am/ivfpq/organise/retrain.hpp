// retrain.hpp — what is learned from rows beside centroids: codebooks, and how many lists a scan reads.
#pragma once

#include "am/ivfpq/organise/rewrite.hpp"

namespace vann::ivfpq {

// Trains codebooks on residuals of about every `rows` / sample-th row of the lists and makes them those of
// the index; the view of the run is opened anew. Only once in an index's life: codebooks that builds have
// trained stay.
void train_codebooks_of(Run *run, const Array<uint32_t> &lists, uint64_t rows);
// An index of product codes that was created without rows, and has enough now.
bool codebooks_are_due(const Index &index, uint64_t rows);

// Finds by how many probes 95 % of the 10 nearest rows of sampled rows are in the lists that are read, by
// comparing the sample with all rows, and notes it in the metapage, with the number of rows and
// `squared_error`, their mean squared error factor. One pass over the index.
void measure_probes(Run *run, const Array<uint32_t> &lists, uint64_t rows, double squared_error);
// Rows have become twice as many since the last time, or half.
bool probes_are_due(const Index &index, uint64_t rows);

}  // namespace vann::ivfpq
