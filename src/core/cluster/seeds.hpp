// seeds.hpp — first centres of k-means, and seats for cells in proportion to their rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/build/code_group.hpp"
#include "core/build/random.hpp"
#include "core/parallel/team.hpp"

namespace vann::cluster {

// At most `count` of the rows `ids` of the view, distinct as codes: k-means++ (Arthur & Vassilvitskii
// 2007, section 2.2) on a stratified sample. Fewer when the sample has fewer distinct rows, but two
// whenever count > 1 and the rows are not all equal. Throws std::bad_alloc.
std::vector<uint32_t> choose_seeds(const build::RowView &view, std::span<const uint32_t> ids,
                                   size_t count, build::Random &random, parallel::Worker &worker);

// Whether two rows have the same code.
bool same_code(const build::RowView &view, uint32_t a, uint32_t b) noexcept;

// A row that differs from the first; ids.front() when all are equal.
uint32_t find_other(const build::RowView &view, std::span<const uint32_t> ids) noexcept;

// Shares out seats in proportion to weights by Webster's method (highest quotients weight / (2 s + 1)),
// at least one where there is weight and none elsewhere; quotients that tie go to the lower number.
// `seats` is at least the number of positive weights. Throws std::bad_alloc.
std::vector<uint32_t> apportion(std::span<const uint32_t> weights, uint32_t seats);

}  // namespace vann::cluster
