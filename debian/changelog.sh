#!/bin/sh
# usage: changelog.sh VERSION DATE
# Debian's changelog of that version; what is new is in ours, CHANGELOG.md.
set -eu
[ "$2" ] || { echo "CHANGELOG.md has no date for version $1" >&2; exit 1; }
printf 'portres (%s-1) unstable; urgency=medium\n\n' "$1"
printf '  * Version %s: see changelog.gz.\n\n' "$1"
printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "$(dirname "$0")/control")" \
	"$(LC_ALL=C date -u -d "$2" '+%a, %d %b %Y %T %z')"
