// validate.cpp — amvalidate: an operator class has one ordering operator, strategy 1, that sorts by
// float8, and support function 1.
#include "am/common/validate.hpp"

#include "am/common/opclass.hpp"

extern "C" {
#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace vann::am {

namespace {

void report(const char *opclass, const char *am_name, const char *flaw) {
  ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                 errmsg("operator class \"%s\" of access method %s %s", opclass, am_name, flaw)));
}

bool valid_operator(const FormData_pg_amop &entry) {
  return entry.amopstrategy == 1 && entry.amoppurpose == AMOP_ORDER &&
         get_op_rettype(entry.amopopr) == FLOAT8OID &&
         opfamily_can_sort_type(entry.amopsortfamily, FLOAT8OID) &&
         check_amop_signature(entry.amopopr, FLOAT8OID, entry.amoplefttype, entry.amoprighttype);
}

bool valid_support(const FormData_pg_amproc &entry) {
  return entry.amprocnum == kDescribeProc &&
         check_amproc_signature(entry.amproc, INTERNALOID, true, 1, 1, INTERNALOID);
}

}  // namespace

bool validate_opclass(Oid opclass, const char *am_name) {
  HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator class %u", opclass);
  const Form_pg_opclass form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(tuple));
  const char *name = NameStr(form->opcname);
  const Oid type = form->opcintype;

  bool valid = true;
  bool ordering = false;
  CatCList *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(form->opcfamily));
  for (int i = 0; i < operators->n_members; ++i) {
    const auto *entry =
        reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
    if (!valid_operator(*entry)) {
      report(name, am_name, "has an operator that is not an ordering operator to float8 with number 1");
      valid = false;
    }
    ordering |= entry->amoplefttype == type && entry->amoprighttype == type;
  }
  bool support = false;
  CatCList *procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(form->opcfamily));
  for (int i = 0; i < procedures->n_members; ++i) {
    const auto *entry =
        reinterpret_cast<Form_pg_amproc>(GETSTRUCT(&procedures->members[i]->tuple));
    if (!valid_support(*entry)) {
      report(name, am_name, "has a support function with a wrong number or signature");
      valid = false;
    }
    support |= entry->amproclefttype == type && entry->amprocrighttype == type;
  }
  if (!ordering) report(name, am_name, "lacks its ordering operator");
  if (!support) report(name, am_name, "lacks support function 1");
  ReleaseCatCacheList(procedures);
  ReleaseCatCacheList(operators);
  ReleaseSysCache(tuple);
  return valid && ordering && support;
}

}  // namespace vann::am
