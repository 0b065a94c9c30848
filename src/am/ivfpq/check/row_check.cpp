// row_check.cpp — see row_check.hpp.
#include "am/ivfpq/check/row_check.hpp"

#include <cmath>

#include "am/ivfpq/lists.hpp"
#include "core/base/bfloat16.hpp"
#include "core/codebook/codebooks.hpp"

namespace vann::ivfpq {

namespace {

constexpr double kCodeErrors = 4;
constexpr double kDeviations = 8;
// Of sums in single precision, and of factors rounded to bfloat16.
constexpr double kRounding = 1e-5;
constexpr double kShortRounding = 1.0 / 128;
// Squares of lengths outside overflow or vanish in factors.
constexpr double kLeastLength = 1e-18;
constexpr double kMostLength = 1e18;
// Of a product code that has little of its residual, the scale is bounded, and so says nothing.
constexpr double kMostScanError = 50;

double distance(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return std::sqrt(sum);
}

double product(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += double{a[i]} * b[i];
  return sum;
}

double length(const float *a, size_t n) { return std::sqrt(product(a, a, n)); }

// The length of the error that a factor stands for: the factor times |q - c| is the deviation of an
// estimate, the error being spread over all directions but the residual's.
double error_length(const quantize::ListShape &shape, double factor) {
  const double weight = shape.geometry == quantize::Geometry::kL2 ? 2 : 1;
  return factor / weight * std::sqrt(shape.dims - 1.0);
}

}  // namespace

RowCheck::RowCheck(const Census &census, MemoryContext context)
    : census_(census), layout_(census.index->layout()), context_(context),
      page_(static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes))),
      refine_(static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes))),
      x_(pg::allocate_aligned<float>(context, layout_.rotated_dims)),
      anchor_(pg::allocate_aligned<float>(context, layout_.rotated_dims)),
      decoded_(pg::allocate_aligned<float>(context, layout_.rotated_dims)), anchor_list_(kNoList),
      query_memory_(
          pg::allocate_aligned<uint8_t>(context, quantize::list_query_bytes(layout_.rows))),
      model_(census.index->model()), untrained_{layout_.rows, nullptr} {}

const quantize::ListModel &RowCheck::model_for(uint8_t codebook_version) {
  if (codebook_version != 0 || census_.index->cache->codebook_version == 0) return model_;
  if (untrained_.codebooks == nullptr) {
    float *codebooks = pg::allocate_aligned<float>(
        context_, std::max<size_t>(1, quantize::codebook_floats(layout_.rows)));
    codebook::sign_codebooks(layout_.rows, codebooks);
    untrained_.codebooks = codebooks;
  }
  return untrained_;
}

bool RowCheck::holds(const RowPlace &place, Datum value) {
  if (!read_pages(place)) return false;
  bool zero;
  prepare_vector(*census_.index, value, x_, &zero);
  const size_t dims = layout_.rotated_dims;
  if (!(length(x_, dims) + length(anchor_, dims) < kMostLength)) return true;
  return refine_agrees(place) && scan_agrees(place);
}

bool RowCheck::read_pages(const RowPlace &place) {
  const uint8_t *page = census_.copy_page(place.block, page_);
  if (!page_is(page, kScanPage) || scan_header(page).list != place.list) return false;
  const ConstBlock block = block_in(page, place.row / kBlockRows, layout_);
  const uint32_t slot = place.row % kBlockRows;
  const RefinePlace refine = refine_place(place.row, layout_);
  const BlockNumber refine_block = refine_blocks(page)[refine.page];
  if ((block.header().live & ~block.header().moved & 1u << slot) == 0 ||
      am::tid_key(block.tids()[slot]) != place.tid || refine_block >= census_.end)
    return false;
  const uint8_t *codes = census_.copy_page(refine_block, refine_);
  return page_is(codes, kRefinePage) && refine_header(codes).scan_page == place.block &&
         read_anchor(block.header().anchor);
}

bool RowCheck::read_anchor(uint32_t anchor) {
  if (anchor == anchor_list_) return true;
  if (census_.find(anchor) == nullptr) return false;
  read_list(*census_.index, anchor, anchor_);
  anchor_list_ = anchor;
  return true;
}

bool RowCheck::refine_agrees(const RowPlace &place) const {
  const size_t dims = layout_.rotated_dims;
  const uint8_t *row = refine_row_in(static_cast<const uint8_t *>(refine_),
                                     refine_place(place.row, layout_).slot, layout_);
  quantize::decode_refine(layout_.rows, anchor_, refine_planes(row), refine_factors(row), decoded_);
  const double allowed = kCodeErrors * error_length(layout_.rows, refine_factors(row).error) +
                         kRounding * (length(x_, dims) + length(anchor_, dims)) + kLeastLength;
  return distance(x_, decoded_, dims) <= allowed;
}

bool RowCheck::scan_agrees(const RowPlace &place) {
  const size_t dims = layout_.rotated_dims;
  const uint8_t *page = page_;
  const ConstBlock block = block_in(page, place.row / kBlockRows, layout_);
  const uint32_t slot = place.row % kBlockRows;
  const double residual = distance(x_, anchor_, dims);
  const double scan_error = error_length(layout_.rows, from_bfloat16(block.errors()[slot]));
  if (scan_error * scan_error > kMostScanError * residual * residual) return true;

  const bool l2 = layout_.rows.geometry == quantize::Geometry::kL2;
  const quantize::ListQuery query = quantize::prepare_list_query(
      model_for(scan_header(page).codebook_version), x_, query_memory_);
  const double base = l2 ? residual * residual : -product(x_, anchor_, dims);
  quantize::BlockEstimates estimates;
  quantize::scan_block(query, {static_cast<float>(base), static_cast<float>(residual)},
                       block.tiles(), block.scales(), block.offsets(), block.errors(), 0, 0,
                       &estimates);
  const double refine_error = error_length(
      layout_.rows, refine_factors(refine_row_in(static_cast<const uint8_t *>(refine_),
                                                 refine_place(place.row, layout_).slot, layout_))
                        .error);
  const double lengths = length(x_, dims) + length(anchor_, dims);
  const double expected = l2 ? 0 : -product(x_, x_, dims);
  const double allowed = kDeviations * estimates.errors[slot] +
                         kCodeErrors * refine_error * refine_error +
                         kShortRounding * std::abs(from_bfloat16(block.offsets()[slot])) +
                         kRounding * lengths * lengths + kLeastLength;
  return std::abs(estimates.estimates[slot] - expected) <= allowed;
}

}  // namespace vann::ivfpq
