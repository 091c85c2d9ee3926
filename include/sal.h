/* SPDX-License-Identifier: MIT */
/* Microsoft's checker wants to know this of arguments; compilers do not. */
#ifndef PORTRES_SAL_H
#define PORTRES_SAL_H

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_range_(from, to)
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_reads_or_z_(n)
#define _In_reads_z_(n)
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_updates_(n)
#define _Inout_updates_opt_(n)
#define _Inout_updates_bytes_(n)
#define _Inout_updates_z_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_bytes_to_(n, used)
#define _Out_writes_to_(n, used)
#define _Out_writes_z_(n)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Deref_out_
#define _Frees_ptr_opt_
#define _Reserved_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Null_terminated_
#define _Printf_format_string_
#define _Scanf_format_string_
#define _Must_inspect_result_
#define _Check_return_
#define _Success_(when)
#define _Pre_
#define _Post_
#define _When_(when, what)
#define _Analysis_assume_(what)
#define _Use_decl_annotations_
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Guarded_by_(lock)

#define __in_opt
#define __inout
#define __inout_opt
#define __out_opt
#define __in_bcount(n)
#define __in_ecount(n)
#define __out_bcount(n)
#define __out_ecount(n)
#ifndef __aarch64__ /* Linux names a part of a signal's context so */
#define __reserved
#endif
/* These two are names in the C++ library. */
#ifndef __cplusplus
#define __in
#define __out
#endif

#endif
