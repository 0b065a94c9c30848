// toast.cpp — see toast.hpp. Chunks are found where they were last time or through the TOAST index, and
// copied from their pages under the share lock; every chunk is checked to be the one asked for, so that
// a stale memory falls back to the index and anything unexpected to PostgreSQL's own code. Chunks of a
// visible row are visible: no snapshot test is needed. Nor can there be two of one number: a value's id
// is not given away again while a chunk of it, even a dead one, is left.
#include "pg/toast.hpp"

#include "pg/memory.hpp"
#include "pg/recent_buffers.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace vann::pg {

namespace {

// Where this backend found the first chunk of a value: direct-mapped, never shrinks.
struct Place {
  Oid toast;
  Oid value;
  ItemPointerData first;
};

constexpr uint32_t kPlaces = 1u << 16;  // 1 MB in backends that read values

Place *places = nullptr;

Place *place_for(Relation toast, Oid value) {
  if (places == nullptr)
    places =
        static_cast<Place *>(MemoryContextAllocZero(TopMemoryContext, kPlaces * sizeof(Place)));
  return &places[(value ^ RelationGetRelid(toast) * 0x9e3779b1u) & (kPlaces - 1)];
}

// The data of a chunk: a short or a long varlena header, never compressed.
const char *chunk_bytes(struct varlena *chunk, size_t *bytes) {
  if (VARATT_IS_SHORT(chunk)) {
    *bytes = VARSIZE_SHORT(chunk) - VARHDRSZ_SHORT;
    return VARDATA_SHORT(chunk);
  }
  if (VARATT_IS_EXTENDED(chunk)) return nullptr;
  *bytes = VARSIZE(chunk) - VARHDRSZ;
  return VARDATA(chunk);
}

// The index of a TOAST table that is fit for reading: REINDEX CONCURRENTLY may show a second one.
Relation open_valid_index(Relation toast) {
  List *indexes = RelationGetIndexList(toast);
  Relation valid = nullptr;
  ListCell *cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    if (valid == nullptr && index->rd_index->indisvalid)
      valid = index;
    else
      index_close(index, AccessShareLock);
  }
  list_free(indexes);
  return valid;
}

}  // namespace

void ToastReader::init(Relation heap, MemoryContext context) {
  heap_ = heap;
  context_ = context;
  toast_ = nullptr;
  blocks_ = 0;
  index_ = nullptr;
  scan_ = nullptr;
  buffer_ = nullptr;
  capacity_ = 0;
}

void ToastReader::close() {
  if (scan_ != nullptr) index_endscan(scan_);
  if (index_ != nullptr) index_close(index_, AccessShareLock);
  if (toast_ != nullptr) table_close(toast_, AccessShareLock);
  init(heap_, context_);
}

bool ToastReader::open() {
  if (toast_ != nullptr) return toast_->rd_tableam == GetHeapamTableAmRoutine();
  if (heap_->rd_tableam != GetHeapamTableAmRoutine() || !OidIsValid(heap_->rd_rel->reltoastrelid))
    return false;
  toast_ = table_open(heap_->rd_rel->reltoastrelid, AccessShareLock);
  blocks_ = RelationGetNumberOfBlocks(toast_);
  return open();
}

bool ToastReader::open_index(Snapshot snapshot) {
  if (scan_ != nullptr) return true;
  ContextScope scope(context_);
  index_ = open_valid_index(toast_);
  if (index_ == nullptr) return false;
  scan_ = begin_index_scan(toast_, index_, snapshot, 1);
  return true;
}

Datum ToastReader::plain(Datum value, Snapshot snapshot) {
  struct varlena *attribute = reinterpret_cast<struct varlena *>(DatumGetPointer(value));
  if (!VARATT_IS_EXTERNAL_ONDISK(attribute)) return value;
  struct varatt_external pointer;
  VARATT_EXTERNAL_GET_POINTER(pointer, attribute);
  const size_t bytes = VARATT_EXTERNAL_GET_EXTSIZE(pointer);
  const bool compressed = bytes < static_cast<uint32>(pointer.va_rawsize) - VARHDRSZ;
  // Under SERIALIZABLE an index scan would take predicate locks that nobody needs.
  if (compressed || IsolationIsSerializable() ||
      pointer.va_toastrelid != heap_->rd_rel->reltoastrelid || !open())
    return value;
  if (capacity_ < bytes + VARHDRSZ) {
    if (buffer_ != nullptr) pfree(buffer_);
    capacity_ = bytes + VARHDRSZ;
    buffer_ = static_cast<char *>(MemoryContextAllocHuge(context_, capacity_));
  }
  SET_VARSIZE(buffer_, bytes + VARHDRSZ);
  const bool good = read_remembered(pointer.va_valueid, bytes) ||
                    read_by_index(pointer.va_valueid, bytes, snapshot);
  return good ? PointerGetDatum(buffer_) : value;
}

// Chunks are written one after the other, so that they usually lie in that order, too.
bool ToastReader::read_remembered(Oid value, size_t bytes) {
  const Place *place = place_for(toast_, value);
  if (place->toast != RelationGetRelid(toast_) || place->value != value) return false;
  BlockNumber block = ItemPointerGetBlockNumber(&place->first);
  OffsetNumber offset = ItemPointerGetOffsetNumber(&place->first);
  size_t done = 0;
  for (int32_t sequence = 0; done < bytes; ++offset) {
    if (block >= blocks_) return false;
    const size_t wanted = std::min<size_t>(TOAST_MAX_CHUNK_SIZE, bytes - done);
    ItemPointerData tid;
    ItemPointerSet(&tid, block, offset);
    if (read_chunk(tid, value, sequence, wanted, buffer_ + VARHDRSZ + done)) {
      done += wanted;
      ++sequence;
    } else {
      if (sequence == 0 || offset == FirstOffsetNumber) return false;
      ++block;  // the page before was full
      offset = 0;
    }
  }
  return true;
}

bool ToastReader::read_by_index(Oid value, size_t bytes, Snapshot snapshot) {
  if (!open_index(snapshot)) return false;
  ScanKeyData key;
  ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
  index_rescan(scan_, &key, 1, nullptr, 0);
  size_t done = 0;
  bool good = true;
  // The index is ordered by value and sequence.
  for (int32_t sequence = 0; good && done < bytes; ++sequence) {
    const ItemPointer tid = index_getnext_tid(scan_, ForwardScanDirection);
    const size_t wanted = std::min<size_t>(TOAST_MAX_CHUNK_SIZE, bytes - done);
    good = tid != nullptr && read_chunk(*tid, value, sequence, wanted, buffer_ + VARHDRSZ + done);
    if (good && sequence == 0) *place_for(toast_, value) = {RelationGetRelid(toast_), value, *tid};
    done += wanted;
  }
  // These scans keep their leaf pinned, and a cursor or a build must not make VACUUM wait for that.
  if (!RelationNeedsWAL(index_) || !IsMVCCSnapshot(snapshot))
    index_rescan(scan_, nullptr, 0, nullptr, 0);
  return good;
}

bool ToastReader::read_chunk(const ItemPointerData &tid, Oid value, int32_t sequence, size_t bytes,
                             char *out) {
  const Buffer buffer = read_recent(toast_, ItemPointerGetBlockNumber(&tid));
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const Page page = BufferGetPage(buffer);
  const OffsetNumber offset = ItemPointerGetOffsetNumber(&tid);
  bool good = false;
  if (offset <= PageGetMaxOffsetNumber(page) && ItemIdIsNormal(PageGetItemId(page, offset))) {
    const HeapTupleHeader tuple =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, offset)));
    // chunk_id oid, chunk_seq int4, chunk_data bytea: none of them null.
    char *data = reinterpret_cast<char *>(tuple) + tuple->t_hoff;
    Oid chunk_id;
    int32_t chunk_sequence;
    memcpy(&chunk_id, data, sizeof(chunk_id));
    memcpy(&chunk_sequence, data + sizeof(chunk_id), sizeof(chunk_sequence));
    size_t chunk = 0;
    const char *from = chunk_bytes(
        reinterpret_cast<struct varlena *>(data + sizeof(chunk_id) + sizeof(chunk_sequence)),
        &chunk);
    good = (tuple->t_infomask & HEAP_HASNULL) == 0 && from != nullptr && chunk_id == value &&
           chunk_sequence == sequence && chunk == bytes;
    if (good) memcpy(out, from, bytes);
  }
  UnlockReleaseBuffer(buffer);
  return good;
}

}  // namespace vann::pg
