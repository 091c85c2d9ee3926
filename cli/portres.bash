# SPDX-License-Identifier: MIT
# bash completion for portres(1)

# Files (-f) or directories (-d), whatever their names.
_portres_files() {
	local word=${COMP_WORDS[COMP_CWORD]}

	[ "$word" != = ] || word=
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}

# The command that run is to become, and its arguments: by its own completion
# where bash-completion is loaded.
_portres_command() {
	local first=$1

	if declare -F _command_offset >/dev/null; then
		_command_offset "$first"
	elif [ "$COMP_CWORD" -eq "$first" ]; then
		COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		_portres_files -f
	fi
}

_portres_run() {
	local i=2 option=$((COMP_CWORD - 1))

	# readline parts --tcp=3 at the =.
	while [ "$i" -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[i]} in
		--)
			i=$((i + 1))
			break
			;;
		--tcp | --udp | --both | --align | --ports-file | --wait)
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 2))
			;;
		-*) i=$((i + 1)) ;;
		*) break ;;
		esac
	done
	if [ "$i" -gt "$COMP_CWORD" ]; then
		[ "${COMP_WORDS[option]}" != = ] || option=$((option - 1))
		[ "${COMP_WORDS[option]}" != --ports-file ] || _portres_files -f
	elif [ "$i" -eq "$COMP_CWORD" ] && [[ ${COMP_WORDS[i]} == -* ]]; then
		COMPREPLY=($(compgen -W "--tcp --udp --both --align --ports-file \
			--wait --print --help" -- "${COMP_WORDS[i]}"))
	else
		_portres_command "$i"
	fi
}

_portres() {
	local word=${COMP_WORDS[COMP_CWORD]} words=

	case $COMP_CWORD:${COMP_WORDS[1]} in
	1:*) words="run list who persistent guard doctor --help --version" ;;
	*:run)
		_portres_run
		return
		;;
	*:list | *:who) words="--json --tcp --udp --help" ;;
	2:persistent) words="add delete list reload --help" ;;
	3:persistent)
		case ${COMP_WORDS[2]} in
		add | delete) words="tcp udp --help" ;;
		list) words="--json --help" ;;
		reload) words="--help" ;;
		esac
		;;
	2:guard) words="on off status --help" ;;
	*:guard)
		case ${COMP_WORDS[COMP_CWORD - 1]} in
		--cgroup)
			_portres_files -d
			return
			;;
		esac
		case ${COMP_WORDS[2]} in
		on) words="--cgroup --area --quota --again --help" ;;
		off) words="--cgroup --force --help" ;;
		status) words="--cgroup --json --help" ;;
		esac
		;;
	*:doctor) words="--json --help" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -F _portres portres
