/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's wide formats in glibc's words. Both read
 *
 *     % flags width .precision size type
 *
 * and differ in the last two. Written against Microsoft's documentation of
 * format specifications:
 *
 *     strings and characters: wide unless the size is h; S and C are the
 *     other way round, narrow unless the size is l or w; in narrow formats
 *     all of it is turned around
 *     integers: l is 32 bits, I32 as well; I is 64 here, I64 and ll anywhere
 *     p: 16 upper-case digits
 *     an unknown type stands for itself
 *
 * Every type takes exactly the argument in glibc that it takes in Microsoft's
 * runtime, so one odd conversion cannot shift the rest of the line. n takes a
 * pointer and stores nothing: it is what format string attacks are made of,
 * and Microsoft's own runtime has it switched off.
 */
#include "winsock/crt/format.h"

#include <stdbool.h>

enum size {
	SIZE_NONE,
	SIZE_CHAR,   /* hh */
	SIZE_SHORT,  /* h */
	SIZE_LONG,   /* l, w: 32 bits or wide */
	SIZE_64,     /* ll, I64, I, j, z, t */
	SIZE_DOUBLE, /* L */
	SIZE_32,     /* I32 */
};

struct spec {
	const wchar_t *start; /* after the '%' */
	const wchar_t *dot;   /* the precision, or the end of the width */
	const wchar_t *end;   /* of the precision */
	enum size size;
	wchar_t type; /* 0: the format ends here */
	bool narrow;  /* the format's own kind of text */
};

static bool
one_of(wchar_t c, const wchar_t *set)
{
	return c != L'\0' && wcschr(set, c) != NULL;
}

static const wchar_t *
skip_number(const wchar_t *p)
{
	if (*p == L'*')
		return p + 1;
	while (one_of(*p, L"0123456789"))
		p++;
	return p;
}

static const wchar_t *
parse_size(const wchar_t *p, enum size *ret_size)
{
	static const struct {
		wchar_t text[4];
		enum size size;
	} sizes[] = {
		/* A prefix of another comes after it. */
		{L"I64", SIZE_64},  {L"I32", SIZE_32},	{L"I", SIZE_64},
		{L"ll", SIZE_64},   {L"l", SIZE_LONG},	{L"w", SIZE_LONG},
		{L"hh", SIZE_CHAR}, {L"h", SIZE_SHORT}, {L"L", SIZE_DOUBLE},
		{L"j", SIZE_64},    {L"z", SIZE_64},	{L"t", SIZE_64},
	};

	*ret_size = SIZE_NONE;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t length = wcslen(sizes[i].text);

		if (wcsncmp(p, sizes[i].text, length) == 0) {
			*ret_size = sizes[i].size;
			return p + length;
		}
	}
	return p;
}

/* Returns where the text after the conversion begins. */
static const wchar_t *
parse(const wchar_t *p, struct spec *ret)
{
	ret->start = p;
	while (one_of(*p, L"-+ #0"))
		p++;
	ret->dot = p = skip_number(p);
	if (*p == L'.')
		p = skip_number(p + 1);
	ret->end = p;
	p = parse_size(p, &ret->size);
	ret->type = *p;
	return *p ? p + 1 : p;
}

static wchar_t *
put(wchar_t *to, const wchar_t *from, const wchar_t *end)
{
	while (from < end)
		*to++ = *from++;
	return to;
}

static wchar_t *
put_string(wchar_t *to, const wchar_t *text)
{
	return put(to, text, text + wcslen(text));
}

/* Flags, width and precision as they stand, then the size and the type. */
static wchar_t *
put_spec(wchar_t *to, const struct spec *spec, const wchar_t *size,
	 wchar_t type)
{
	*to++ = L'%';
	to = put(to, spec->start, spec->end);
	to = put_string(to, size);
	*to++ = type;
	return to;
}

/* Sixteen digits, whatever the precision; a `*` there has an argument, so it
 * stays and decides. */
static wchar_t *
put_pointer(wchar_t *to, const struct spec *spec)
{
	bool star = spec->dot < spec->end && spec->end[-1] == L'*';

	*to++ = L'%';
	to = put(to, spec->start, star ? spec->end : spec->dot);
	return put_string(to, star ? L"lX" : L".16lX");
}

/*
 * Takes the arguments of the conversion's `*`s, and `more` pointers, and
 * prints nothing: of no bytes of a string nobody reads any.
 */
static wchar_t *
put_nothing(wchar_t *to, const struct spec *spec, unsigned int more)
{
	for (const wchar_t *p = spec->start; p < spec->end; p++)
		if (*p == L'*')
			more++;
	while (more-- > 0)
		to = put_string(to, L"%.0s");
	return to;
}

static const wchar_t *
integer_size(enum size size)
{
	if (size == SIZE_CHAR)
		return L"hh";
	if (size == SIZE_SHORT)
		return L"h";
	return size == SIZE_64 ? L"ll" : L"";
}

static wchar_t *
translate(wchar_t *to, const struct spec *spec)
{
	bool narrow = spec->size == SIZE_SHORT || spec->size == SIZE_CHAR;
	bool wide = spec->size == SIZE_LONG;
	/* Is s wide, is S wide, where no size says otherwise? */
	bool own_wide = spec->narrow ? wide : !narrow;
	bool other_wide = spec->narrow ? !narrow : wide;
	const wchar_t *size;

	if (one_of(spec->type, L"sc"))
		return put_spec(to, spec, own_wide ? L"l" : L"", spec->type);
	if (one_of(spec->type, L"SC"))
		return put_spec(to, spec, other_wide ? L"l" : L"",
				spec->type == L'S' ? L's' : L'c');
	if (one_of(spec->type, L"diuoxX"))
		return put_spec(to, spec, integer_size(spec->size), spec->type);
	if (one_of(spec->type, L"aAeEfFgG")) {
		size = spec->size == SIZE_DOUBLE ? L"L" : L"";
		return put_spec(to, spec, size, spec->type);
	}
	switch (spec->type) {
	case L'\0':
		return to;
	case L'p':
		return put_pointer(to, spec);
	case L'n':
		return put_nothing(to, spec, 1);
	case L'%':
		return put_string(put_nothing(to, spec, 0), L"%%");
	default:
		to = put_nothing(to, spec, 0);
		*to++ = spec->type;
		return to;
	}
}

void
format_translate(wchar_t *to, const wchar_t *from, bool narrow)
{
	struct spec spec = {.narrow = narrow};

	while (*from) {
		if (*from != L'%') {
			*to++ = *from++;
			continue;
		}
		from = parse(from + 1, &spec);
		to = translate(to, &spec);
	}
	*to = L'\0';
}
