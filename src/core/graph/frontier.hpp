// frontier.hpp — the state of one resumable best-first search (SEARCH-LAYER, Algorithm 2 of Malkov
// & Yashunin 2018, without its end): what to expand next, and the bound that says when to stop.
//
// Differences from the paper: distances are estimates, and a node may be offered again by another
// parent with a better one; the bound is the width-th nearest of the estimates with which nodes were
// first offered (the paper's W without its elements, which callers keep); offers beyond the bound
// wait unsorted in `far` and come back when the beam is widened, so a search can be continued.
#pragma once

#include <algorithm>
#include <limits>

#include "core/graph/offer_map.hpp"

namespace vann::graph {

// Stands for the generation of a node that was reached by other means than an edge.
inline constexpr uint16_t kAnyGeneration = 0xffff;

struct Offer {
  float estimate;
  uint32_t node;
  uint16_t generation;  // that the edge carried

  // Orders a std heap so that its front is the nearest offer.
  friend bool operator<(const Offer &a, const Offer &b) noexcept { return a.estimate > b.estimate; }
};

class Frontier {
 public:
  // Starts a search that keeps the `width` >= 1 nearest expanded nodes in view (ef_search).
  void start(const Allocator &allocator, size_t width) {
    allocator_ = allocator;
    width_ = width;
    near_.clear();
    far_.clear();
    best_.clear();
    offered_.clear();
    offers_.clear();
    expansions_ = 0;
  }

  // A node reported by a neighbor list (or an entry point), with its estimated distance.
  void offer(float estimate, uint32_t node, uint16_t generation) {
    if (estimate > bound()) {
      far_.push(allocator_, {estimate, node, generation});
      return;
    }
    const OfferMap::Seen seen = offers_.offer(allocator_, node, estimate);
    if (seen == OfferMap::Seen::kNothingNew) return;
    if (seen == OfferMap::Seen::kFirst) narrow(estimate);
    near_.push(allocator_, {estimate, node, generation});
    std::push_heap(near_.begin(), near_.end());
  }

  // The same for a whole neighbor list.
  void offer_all(const float *estimates, const uint32_t *nodes, const uint8_t *generations,
                 size_t count) {
    // Most lie beyond the bound, and which do cannot be predicted: they are sorted out without
    // branches, and what lies within is offered in their order.
    far_.reserve(allocator_, far_.size + count);
    within_.reserve(allocator_, count);
    Offer *far = far_.end();
    Offer *within = within_.begin();
    const float limit = bound();
    for (size_t i = 0; i < count; ++i) {
      const Offer offer = {estimates[i], nodes[i], generations[i]};
      const bool beyond = estimates[i] > limit;
      *far = offer;
      *within = offer;
      far += beyond;
      within += !beyond;
    }
    far_.size = static_cast<size_t>(far - far_.begin());
    for (const Offer *near = within_.begin(); near < within; ++near)
      offer(near->estimate, near->node, near->generation);
  }

  // The nearest node that was offered and not expanded, marked as expanded; false when none is left
  // within the bound.
  bool next(Offer *out) {
    for (;;) {
      if (near_.size == 0 || near_[0].estimate > bound()) return false;
      std::pop_heap(near_.begin(), near_.end());
      *out = near_[--near_.size];
      if (!offers_.expand(allocator_, out->node)) continue;
      ++expansions_;
      return true;
    }
  }

  // The expansion of what next() gave came to nothing: the offer was stale.
  void reject(const Offer &offer) {
    offers_.forget(allocator_, offer.node);
    --expansions_;
  }

  // Beyond this distance nothing is expanded at the present width.
  float bound() const noexcept {
    return best_.size < width_ ? std::numeric_limits<float>::infinity() : best_[0];
  }

  size_t width() const noexcept { return width_; }

  // Widens the beam; offers that waited beyond the old bound come back.
  void widen(size_t width) {
    if (width <= width_) return;
    width_ = width;
    best_.clear();
    for (size_t i = 0; i < offered_.size; ++i) push_best(offered_[i]);
    while (recall_far()) {
    }
  }

  // True when every offer has been expanded: no width would find more.
  bool exhausted() const noexcept { return near_.size == 0 && far_.size == 0; }

  bool expanded(uint32_t node) const noexcept { return offers_.expanded(node); }
  size_t expansions() const noexcept { return expansions_; }
  size_t bytes() const noexcept {
    return offers_.bytes() +
           (near_.capacity + far_.capacity + recalled_.capacity + within_.capacity) *
               sizeof(Offer) +
           (best_.capacity + offered_.capacity) * sizeof(float);
  }

 private:
  void narrow(float estimate) {
    offered_.push(allocator_, estimate);
    push_best(estimate);
  }

  // best_: max-heap of the `width_` smallest estimates offered.
  void push_best(float estimate) {
    if (best_.size < width_) {
      best_.push(allocator_, estimate);
      std::push_heap(best_.begin(), best_.end());
    } else if (estimate < best_[0]) {
      std::pop_heap(best_.begin(), best_.end());
      best_[best_.size - 1] = estimate;
      std::push_heap(best_.begin(), best_.end());
    }
  }

  // Offers far nodes again, nearest first: those within the bound, or, while there is no bound, as many
  // as the beam is wide. True when more may lie within the bound: several may have been offers of one
  // node, or of expanded ones.
  bool recall_far() {
    const auto nearer = [](const Offer &a, const Offer &b) { return a.estimate < b.estimate; };
    size_t wanted = std::min(far_.size, width_);
    if (const float limit = bound(); limit < std::numeric_limits<float>::infinity()) {
      // The bound only narrows from here on: nothing beyond it can be wanted.
      const auto within = [limit](const Offer &offer) { return offer.estimate <= limit; };
      wanted = static_cast<size_t>(std::partition(far_.begin(), far_.end(), within) - far_.begin());
    } else if (wanted > 0) {
      std::nth_element(far_.begin(), far_.begin() + (wanted - 1), far_.end(), nearer);
    }
    if (wanted == 0) return false;
    std::sort(far_.begin(), far_.begin() + wanted, nearer);
    recalled_.clear();
    recalled_.reserve(allocator_, wanted);
    std::copy(far_.begin(), far_.begin() + wanted, recalled_.begin());
    recalled_.size = wanted;
    std::copy(far_.begin() + wanted, far_.end(), far_.begin());
    const size_t left = far_.size - wanted;
    far_.size = left;
    for (const Offer &offered : recalled_) {
      offer(offered.estimate, offered.node, offered.generation);
    }
    return left > 0 && far_.size == left;
  }

  Allocator allocator_{};
  size_t width_ = 0;
  Array<Offer> near_;
  Array<Offer> far_;
  Array<Offer> recalled_;
  Array<Offer> within_;  // scratch of offer_all()
  Array<float> best_;
  Array<float> offered_;
  OfferMap offers_;
  size_t expansions_ = 0;
};

}  // namespace vann::graph
