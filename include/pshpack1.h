/* SPDX-License-Identifier: MIT */
/* From here to poppack.h no member is aligned to more than this; again and
 * again, so it has no guard. */
#pragma pack(push, 1)
