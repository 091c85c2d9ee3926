/* SPDX-License-Identifier: MIT */
/* As before the last pshpack. */
#pragma pack(pop)
