// graph.cpp — owns core objects with destructors on behalf of frames that an ERROR may leave.
#include "am/hnsw/build/graph.hpp"

namespace vann::hnsw {

struct BuildGraph::State {
  State(const bulk::Params &params, MemoryContext context, bool shown_)
      : shown(shown_), monitor(shown, kPhasePartition), space(context),
        build(params, space, monitor) {}

  bool shown;
  am::BackendMonitor monitor;
  pg::SpillSpace space;
  bulk::IndexBuild build;
};

BuildGraph::BuildGraph(const bulk::Params &params, MemoryContext context, bool shown)
    : state_(static_cast<State **>(MemoryContextAllocZero(context, sizeof(State *)))) {
  struct Creation {
    const bulk::Params *params;
    MemoryContext context;
    bool shown;
    State **state;
  } creation{&params, context, shown, state_};
  am::run_core(
      [](void *argument) {
        const Creation &wanted = *static_cast<Creation *>(argument);
        *wanted.state = new State(*wanted.params, wanted.context, wanted.shown);
      },
      &creation);
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
  callback->func = abandon;
  callback->arg = state_;
  MemoryContextRegisterResetCallback(context, callback);
}

// The context goes before free(): an ERROR. The resource owner closes the files, or has closed them.
void BuildGraph::abandon(void *graph) {
  State *state = *static_cast<State **>(graph);
  if (state == nullptr) return;
  state->space.abandon();
  delete state;
}

void BuildGraph::free() {
  delete *state_;
  *state_ = nullptr;
}

bool BuildGraph::shown() const { return (*state_)->shown; }

bulk::IndexBuild &BuildGraph::core() const { return (*state_)->build; }

void BuildGraph::run(void (*work)(void *), void *argument) const {
  am::run_core(work, argument, &(*state_)->space);
}

void BuildGraph::add(const int8_t *values, const quantize::ByteCode &code, const HeapTid &tid) {
  struct Row {
    bulk::IndexBuild *build;
    bulk::RowKey key;
    const quantize::ByteCode *code;
    const int8_t *values;
  } row{&core(), am::tid_key(tid), &code, values};
  run(
      [](void *argument) {
        const Row &added = *static_cast<Row *>(argument);
        added.build->add(added.key, *added.code, added.values);
      },
      &row);
}

void BuildGraph::link() {
  run([](void *build) { static_cast<bulk::IndexBuild *>(build)->link(); }, &core());
}

}  // namespace vann::hnsw
