// spilled_level.hpp — a level whose rows and graph lie in files.
#pragma once

#include <memory>
#include <vector>

#include "core/bulk/level.hpp"
#include "core/bulk/placed_rows.hpp"
#include "core/bulk/residents.hpp"

namespace vann::bulk {

class SpilledLevel : public Level {
 public:
  // Links the rows of the file, which the level takes over. Throws parallel::Cancelled,
  // spill::SpillFailed, std::bad_alloc.
  SpilledLevel(std::unique_ptr<RowFile> arrivals, const Params &params, spill::SpillSpace &space,
               StageTimer &timer);

  const Stretch &load(uint32_t begin, uint32_t most) override;
  void visit(const Visit &visit) override;

  // To be called once.
  std::unique_ptr<Duplicates> take_duplicates() { return std::move(placed_->duplicates); }

 private:
  void link(const Context &context);
  void link_all();
  void read_links(uint32_t begin, uint32_t count);

  Params params_;
  SpillPlan plan_;
  std::unique_ptr<PlacedRows> placed_;
  std::unique_ptr<spill::BufferedFile> links_;  // [rows][degree] candidates
  std::unique_ptr<Residents> residents_;
  PageVector<build::Candidate> loaded_;         // links of some rows
  PageVector<uint32_t> neighbors_;              // [end - begin][degree]
  Stretch stretch_;
};

}  // namespace vann::bulk
